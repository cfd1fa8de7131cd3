import Glibc
import Laboratory

/// `synod-lab check …`, `synod-lab simulate …`: what `synod` does apart from serving, in a program that builds in
/// seconds.
@main enum SynodLab {
    static func main() {
        let arguments = CommandLine.arguments.dropFirst()
        guard let name = arguments.first, let command = LabCommand.named(name) else {
            let isHelp = arguments.first == "--help" || arguments.first == "-h"
            let text =
                ["usage: synod-lab COMMAND …", ""] + LabCommand.all.map { "  \($0.name)\t\($0.abstract)" }
            for line in text { puts(line) }
            exit(isHelp ? 0 : 2)
        }
        exit(command.run(Array(arguments.dropFirst())))
    }
}
