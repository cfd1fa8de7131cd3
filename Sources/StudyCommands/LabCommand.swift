import Impossibility
import Lab
import LongWork
import SnapshotScenarios
import TextForms

/// `synod lab …`: protocols to watch.
struct LabCommand {
    static let usage = """
        \(LabProgram.usage)
               lab flp valence|adversary|ben-or …    why consensus is impossible, and what helps
               lab cos418 --topology F.top --events F.events [--delays F.txt]
                                                     snapshots of the runs of a Princeton course, in its format
        """

    let say: (String) -> Void
    let complain: (String) -> Void

    func run(_ arguments: [String]) -> Int32 {
        let rest = Array(arguments.dropFirst())
        switch arguments.first {
        case "list", "run": return LabProgram(say: say, complain: complain).run(arguments)
        case "flp":
            Interrupt.watch()
            return ImpossibilityProgram(say: say, complain: complain) { Interrupt.isAsked }.run(rest)
        case "cos418": return Cos418Program(say: say).run(rest)
        case "help", "--help", "-h":
            say(Self.usage)
            return 0
        case let name?:
            let hint = NearestName.hint(name, in: ["list", "run", "flp", "cos418", "help"])
            complain("lab: there is no \"\(name)\"\(hint); see lab --help")
            return 2
        case nil:
            complain("lab: name what to watch: list, run, flp or cos418; see lab --help")
            return 2
        }
    }
}
