import ArgumentParser
import Glibc
import Models

/// `synod check`: every reachable state of a model. The arguments are read where the models are, so that the
/// small program `check` understands the same.
struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Look at every reachable state of a model; see synod check --help for the models.")

    /// Listed here for the help; `Synod.main` has taken them before they come here.
    @Argument(parsing: .captureForPassthrough) var arguments: [String] = []

    func run() { Self.run(arguments) }

    static func run(_ arguments: [String]) -> Never {
        Glibc.exit(CheckProgram { print($0) }.run(arguments))
    }
}
