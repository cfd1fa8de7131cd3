import Automata
import GlobalSnapshot
import Simulation

/// Many runs, each drawn from its seed: both algorithms, both applications, one to five initiators, and now
/// and then a process that crashes in the middle.
public struct SnapshotSweep {
    public var total = SnapshotRunOutcome()
    public var runs = 0
    /// Of runs in which something was wrong.
    public var failures: [(seed: UInt64, violation: String)] = []

    public init() {}

    public static func options(seed: UInt64) -> SnapshotRunOptions {
        // Five and two have no factor in common with four, so that every combination comes.
        var options = SnapshotRunOptions(
            seed: seed, algorithm: seed % 2 == 0 ? .laiYang : .chandyLamport,
            application: seed / 2 % 2 == 0 ? .tokens : .bank, initiators: Int(seed % 5) + 1)
        options.hasDeparture = seed % 7 == 0
        if seed % 11 == 0, !options.hasDeparture { options.collection = .byHost }
        return options
    }

    /// Returns whether all went well. `say` is given a line for each failure and one at the end.
    public mutating func run(count: Int, from first: UInt64 = 1, say: (String) -> Void) -> Bool {
        for seed in first..<first + UInt64(count) {
            let outcome = SnapshotRun.run(Self.options(seed: seed))
            runs += 1
            total.hash.combine(outcome.hash.value.low)
            total.snapshots += outcome.snapshots
            total.aborted += outcome.aborted
            total.swaps += outcome.swaps
            total.messagesInChannels += outcome.messagesInChannels
            total.events += outcome.events
            if let violation = outcome.violation {
                failures.append((seed, violation))
                say("seed \(seed) fails: \(violation)")
            }
        }
        say(
            "\(runs) runs, \(total.events) events: \(total.snapshots) snapshots with their witnesses, "
                + "\(total.swaps) swaps, \(total.messagesInChannels) messages in channels, "
                + "\(total.aborted) aborted; \(total.hash)")
        return failures.isEmpty
    }
}
