import Glibc
import Models

/// `check lamport-paxos --acceptors 3 --values 2 --max-ballot 1`: what `synod check` does, in a program that
/// builds in seconds.
@main enum Check {
    static func main() {
        let program = CheckProgram { line in
            print(line)
            fflush(nil)
        }
        exit(program.run(Array(CommandLine.arguments.dropFirst())))
    }
}
