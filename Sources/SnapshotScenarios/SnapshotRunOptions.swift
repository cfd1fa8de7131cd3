import Automata
import GlobalSnapshot
import Simulation

/// A deliberate error at the boundary between a snapshot core and its host, for the tests that show that the
/// verifier sees what it is there to see.
package enum SnapshotFlaw: String, Hashable, Sendable, CaseIterable {
    /// Chandy and Lamport's algorithm on channels that do not keep order.
    case overtakes
    /// Lai and Yang's algorithm, collected without the counts of white messages.
    case dropsWhiteCounts
}

/// One simulated run with snapshots. Everything that is not said here is drawn from the seed.
public struct SnapshotRunOptions: Hashable, Sendable {
    public enum Algorithm: String, Hashable, Sendable, CaseIterable { case chandyLamport, laiYang }
    public enum Application: String, Hashable, Sendable, CaseIterable { case tokens, bank }

    public var seed: UInt64
    public var algorithm: Algorithm
    public var application: Application
    /// How many processes ask for snapshots, at about the same time.
    public var initiators: Int
    public var collection: SnapshotSettings.Collection = .flooding
    /// A process crashes in the middle.
    public var hasDeparture = false
    package var flaw: SnapshotFlaw?
    public var keeping: Trace.Keeping = .hashOnly

    public init(seed: UInt64, algorithm: Algorithm, application: Application, initiators: Int) {
        self.seed = seed
        self.algorithm = algorithm
        self.application = application
        self.initiators = initiators
    }

    /// Only Chandy and Lamport's algorithm needs it.
    var keepsOrder: Bool { algorithm == .chandyLamport && flaw != .overtakes }
}

/// What a run was, and what was wrong with it.
public struct SnapshotRunOutcome: Hashable, Sendable {
    public var hash = StableHash()
    public var violation: String?
    public var events = 0
    public var processes = 0
    /// Distinct snapshots that were complete, each with its witness.
    public var snapshots = 0
    public var aborted = 0
    /// Swaps of neighbours, over all witnesses.
    public var swaps = 0
    /// Messages recorded in channels, over all snapshots.
    public var messagesInChannels = 0
    /// The last lines of the trace, where it was kept.
    public var trace: [String] = []
}

extension SnapshotTopology {
    /// A ring in drawn order, and drawn channels across it.
    static func drawn(_ count: Int, from random: inout SeededRandom) -> SnapshotTopology {
        let processes = (1...count).map { ProcessID(UInt64($0)) }
        var channels = ring(random.shuffled(processes)).channels
        let density = random.below(600_000)
        for from in processes {
            for to in processes where from != to && random.chance(density) {
                channels.append(ChannelID(from: from, to: to))
            }
        }
        return SnapshotTopology(processes: processes, channels: channels)
    }
}
