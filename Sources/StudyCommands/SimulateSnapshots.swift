import Simulation
import SnapshotScenarios
import TextForms

/// `simulate snapshots --runs 10000`, or one run with its trace: `simulate snapshots --seed 7 --trace`.
enum SimulateSnapshots {
    /// Returns the exit code.
    static func run(_ arguments: [String], say: (String) -> Void, complain: (String) -> Void) -> Int32 {
        var (runs, first, printsTrace) = (1, UInt64(1), false)
        var rest = arguments[...]
        func refuse(_ reason: String) -> Int32 {
            complain("simulate snapshots: \(reason); see simulate snapshots --help")
            return 2
        }
        while let argument = rest.popFirst() {
            let parts = argument.split(separator: "=", maxSplits: 1).map(String.init)
            let flag = parts.first ?? ""
            switch flag {
            case "--help", "-h":
                say("usage: simulate snapshots [--runs COUNT --from N | --seed N] [--trace]")
                return 0
            case "--trace": printsTrace = true
            case "--runs", "--seed", "--from":
                guard let value = parts.count == 2 ? parts[1] : rest.popFirst() else {
                    return refuse("\(flag) needs a value")
                }
                guard let number = UInt64(value), flag != "--runs" || (1..<1_000_000_000).contains(number)
                else {
                    return refuse("\(flag) cannot be \"\(value)\"")
                }
                if flag == "--runs" { runs = Int(number) } else { first = number }
            default:
                let known = ["--runs", "--seed", "--from", "--trace", "--help"]
                return refuse("\"\(argument)\" is no option\(NearestName.hint(flag, in: known))")
            }
        }
        if printsTrace {
            var options = SnapshotSweep.options(seed: first)
            options.keeping = .everything
            for line in SnapshotRun.run(options).trace { say(line) }
        }
        var sweep = SnapshotSweep()
        return sweep.run(count: runs, from: first, say: say) ? 0 : 1
    }
}
