import Simulation
import SnapshotScenarios

/// `simulate snapshots --runs 10000`, or one run with its trace: `simulate snapshots --seed 7 --trace`.
enum SimulateSnapshots {
    /// Returns the exit code.
    static func run(_ arguments: [String], say: (String) -> Void) -> Int32 {
        var (runs, first, printsTrace) = (1, UInt64(1), false)
        var rest = arguments[...]
        while let flag = rest.popFirst() {
            if flag == "--trace" {
                printsTrace = true
                continue
            }
            switch (flag, rest.popFirst().flatMap { UInt64($0) }) {
            case ("--runs", let number?): runs = Int(number)
            case ("--seed", let number?), ("--from", let number?): first = number
            default:
                say("usage: simulate snapshots [--runs COUNT --from N | --seed N] [--trace]")
                return 2
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
