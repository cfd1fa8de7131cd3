import ArgumentParser
import Glibc
import Laboratory

/// The command. `serve` reads its flags as etcd does; a link named `etcd` is `serve` with etcd's names.
@main
struct Synod: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "synod",
        abstract: "A replicated store that etcd clients use.",
        discussion: LabCommand.all.map { "\($0.name): \($0.abstract)" }.joined(separator: "\n"),
        subcommands: [Serve.self, Cluster.self, Flags.self, Version.self])

    static func main() {
        var arguments = Array(CommandLine.arguments.dropFirst())
        let invokedAs = CommandLine.arguments[0].split(separator: "/").last.map(String.init) ?? "synod"
        if invokedAs == "etcd" {
            ServeCommand(personality: .etcd).run(arguments)
        }
        if arguments.first == "serve" {
            arguments.removeFirst()
            ServeCommand(personality: .synod).run(arguments)
        }
        if let command = arguments.first.flatMap(LabCommand.named) {
            Glibc.exit(command.run(Array(arguments.dropFirst())))
        }
        do {
            var command = try parseAsRoot(arguments)
            try command.run()
        } catch let error where exitCode(for: error) == .validationFailure {
            // The library would end with 64, which no other command of this kind does.
            let text = fullMessage(for: error) + "\n"
            _ = write(STDERR_FILENO, text, text.utf8.count)
            Glibc.exit(2)
        } catch {
            exit(withError: error)
        }
    }

    /// Listed here for the help; `main` has taken its arguments before they come here.
    struct Serve: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Start a server; see synod serve --help for its flags, which are etcd's.")

        @Argument(parsing: .captureForPassthrough) var flags: [String] = []

        func run() { ServeCommand(personality: .synod).run(flags) }
    }

    struct Flags: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print the flags of synod serve as a page in Markdown.")

        func run() { print(FlagHelp.markdown, terminator: "") }
    }

    struct Version: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Print the version.")

        func run() { print(Versions.line) }
    }
}

enum Versions {
    static let synod = "0.1.0"
    /// The version whose API this is; clients decide by it what they may ask.
    static let etcd = "3.5.21"
    static var line: String { "synod \(synod) (serves the API of etcd \(etcd))" }
}
