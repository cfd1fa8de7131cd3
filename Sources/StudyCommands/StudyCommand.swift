import LinearizabilityReport
import LongWork
import Models
import TextForms

/// The commands that study the protocols. `synod` and the smaller program `synod-lab`, which needs no network stack,
/// take them from this one table.
public struct StudyCommand: Sendable {
    public let name: String
    /// A sentence for the list of commands.
    public let abstract: String
    /// Takes the arguments after the name; returns the exit code: 0 what was asked for holds, 1 it does not, 2 the
    /// command line is wrong, 3 a bound was reached, 130 somebody asked for the end.
    public let run: @Sendable ([String]) -> Int32

    public static let all = [
        StudyCommand(
            name: "check",
            abstract: "Look at every reachable state of a model; see check --help for the models.",
            run: {
                Interrupt.watch()
                return CheckProgram(say: Console.say) { Interrupt.isAsked }.run($0)
            }),
        StudyCommand(
            name: "simulate",
            abstract: "Run clusters in simulated time with faults drawn from seeds; see simulate --help.",
            run: { SimulateProgram(say: Console.say).run($0) }),
        StudyCommand(
            name: "lab",
            abstract: "Watch protocols run; see lab --help.",
            run: { LabCommand(say: Console.say, complain: Console.complain).run($0) }),
        StudyCommand(
            name: "linearizable",
            abstract: "Say whether a recorded history is linearizable; see linearizable --help.",
            run: { LinearizableProgram(say: Console.say, complain: Console.complain).run($0) }),
    ]

    /// Says in one line that there is no such command, and which one was probably meant. Returns the exit code.
    public static func refuse(_ name: String, program: String, others: [String]) -> Int32 {
        let hint = NearestName.hint(name, in: all.map(\.name) + others)
        Console.complain("\(program): there is no command \"\(name)\"\(hint); see \(program) help")
        return 2
    }

    public static func named(_ name: String) -> StudyCommand? { all.first { $0.name == name } }
}
