import Glibc
import StudyCommands

/// `synod-lab check …`, `synod-lab simulate …`: what `synod` does apart from serving, in a program that builds in
/// seconds.
@main enum SynodLab {
    static func main() {
        let arguments = CommandLine.arguments.dropFirst()
        guard let name = arguments.first, !["--help", "-h", "help"].contains(name) else {
            let text =
                ["usage: synod-lab COMMAND …", ""] + StudyCommand.all.map { "  \($0.name)\t\($0.abstract)" }
            for line in text { puts(line) }
            exit(arguments.isEmpty ? 2 : 0)
        }
        guard let command = StudyCommand.named(name) else {
            exit(StudyCommand.refuse(name, program: "synod-lab", others: ["help"]))
        }
        exit(command.run(Array(arguments.dropFirst())))
    }
}
