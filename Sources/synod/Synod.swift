import ArgumentParser
import Glibc
import StudyCommands

/// The command. `serve` reads its flags as etcd does; a link named `etcd` is `serve` with etcd's names.
@main
enum Synod {
    static func main() {
        let invokedAs = CommandLine.arguments[0].split(separator: "/").last.map(String.init) ?? "synod"
        let arguments = Array(CommandLine.arguments.dropFirst())
        if invokedAs == "etcd" { ServeCommand(personality: .etcd).run(arguments) }
        exit(run(arguments))
    }

    private static func run(_ arguments: [String]) -> Int32 {
        guard let name = arguments.first else {
            print(help)
            return 0
        }
        let rest = Array(arguments.dropFirst())
        switch name {
        case "help", "--help", "-h":
            guard let about = rest.first, Subcommand.named(about) != nil || about != "help" else {
                print(help)
                return 0
            }
            return run([about, "--help"])
        case "--version", "-version": return run(["version"] + rest)
        default:
            guard let command = Subcommand.named(name) else {
                return StudyCommand.refuse(
                    name, program: "synod", others: Subcommand.all.map(\.name) + ["help"])
            }
            return command.run(rest)
        }
    }

    private static var help: String {
        let width = (Subcommand.all.map(\.name.count).max() ?? 0) + 2
        let lines = Subcommand.all.map { command in
            let blanks = String(repeating: " ", count: width - command.name.count)
            return "  \(command.name)\(blanks)\(command.abstract)"
        }
        return """
            \(Versions.line)

            usage: synod COMMAND …

            \(lines.joined(separator: "\n"))

            synod help COMMAND, or synod COMMAND --help, says more about each.
            """
    }
}

/// What `synod` can do: this is the one list of it.
struct Subcommand: Sendable {
    let name: String
    /// A sentence for the list.
    let abstract: String
    /// Takes the arguments after the name; returns the exit code.
    let run: @Sendable ([String]) -> Int32

    static let all: [Subcommand] =
        [
            Subcommand(
                name: "serve", abstract: "Start a server, whose flags are etcd's.",
                run: { ServeCommand(personality: .synod).run($0) }),
            Subcommand(
                name: "cluster", abstract: Cluster.configuration.abstract, run: { Cluster.run(arguments: $0) }
            ),
        ]
        + FileCommand.all.map { command in
            Subcommand(name: command.name, abstract: command.abstract, run: { command.run($0) })
        } + StudyCommand.all.map { Subcommand(name: $0.name, abstract: $0.abstract, run: $0.run) }
        + [
            printing("flags", "Print the flags of synod serve as a page in Markdown.") { FlagHelp.markdown },
            printing("version", "Print the version.") { Versions.line + "\n" },
        ]

    static func named(_ name: String) -> Subcommand? { all.first { $0.name == name } }

    /// A command without parameters.
    private static func printing(
        _ name: String, _ abstract: String, _ text: @escaping @Sendable () -> String
    ) -> Subcommand {
        Subcommand(name: name, abstract: abstract) { arguments in
            switch arguments.first {
            case nil: print(text(), terminator: "")
            case "--help", "-h", "help": print("usage: synod \(name)\n\n\(abstract)")
            case let other?:
                writeAll("synod \(name): \"\(other)\" is no option: there are none\n", to: 2)
                return 2
            }
            return 0
        }
    }
}

enum Versions {
    static let synod = "0.1.0"
    /// The version whose API this is; clients decide by it what they may ask.
    static let etcd = "3.5.21"
    static var line: String { "synod \(synod) (serves the API of etcd \(etcd))" }
}
