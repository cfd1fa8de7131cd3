import Glibc
import ReplicaSimulation
import Simulation

/// For the message of a run that ends the process. There is one thread.
nonisolated(unsafe) private var runningSeed: UInt64 = 0
nonisolated(unsafe) private var runtimeHandler: __sighandler_t?

/// `simulate --seeds 2000 --processes 3`, or one seed with its trace: `simulate --seed 7 --processes 3 --trace`.
@main enum Simulate {

    static func main() {
        if CommandLine.arguments.dropFirst().first == "snapshots" {
            exit(SnapshotRuns.run(Array(CommandLine.arguments.dropFirst(2)), say: say))
        }
        guard let options = options(from: Array(CommandLine.arguments.dropFirst())) else {
            say(
                "usage: simulate [--seed N | --seeds COUNT --from N] [--processes N] [--trace] [--keep-going] "
                    + "[--lines N] [--restless] [--flaw \(HostFlaw.allCases.map(\.rawValue).joined(separator: "|"))]"
            )
            exit(2)
        }
        sayWhichSeedCrashes()
        var sweep = SeedSweep(options)
        exit(sweep.run(say: say) ? 0 : 1)
    }

    private static func options(from arguments: [String]) -> SeedSweep.Options? {
        var options = SeedSweep.Options()
        options.command = "SYNOD_LAB=1 swift run -c release simulate"
        var rest = arguments[...]
        while let flag = rest.popFirst() {
            switch flag {
            case "--trace":
                options.printsTrace = true
                continue
            case "--keep-going":
                options.stopsAtFailure = false
                continue
            case "--restless":
                options.mix = .restless
                continue
            case "--flaw":
                guard let flaw = rest.popFirst().flatMap(HostFlaw.init) else { return nil }
                options.flaw = flaw
                continue
            default: break
            }
            guard let number = rest.popFirst().flatMap({ UInt64($0) }) else { return nil }
            switch flag {
            case "--seeds": options.seeds = Int(number)
            case "--seed", "--from": options.firstSeed = number
            case "--processes" where (2...15).contains(number): options.processes = Int(number)
            case "--lines": options.lastLines = Int(number)
            default: return nil
            }
        }
        options.willRun = { runningSeed = $0 }
        return options
    }

    private static func sayWhichSeedCrashes() {
        runtimeHandler = signal(SIGILL) { _ in
            let text = "\nseed \(runningSeed) crashes; run it again with --seed \(runningSeed) --trace\n"
            _ = write(1, text, text.utf8.count)
            // The instruction fails again, and the runtime prints where.
            signal(SIGILL, runtimeHandler)
        }
    }

    /// Writes a line at once, so that a long sweep shows how far it is.
    private static func say(_ line: String) {
        var bytes = Array((line + "\n").utf8)
        while !bytes.isEmpty {
            let written = write(1, bytes, bytes.count)
            guard written > 0 else { return }
            bytes.removeFirst(written)
        }
    }
}
