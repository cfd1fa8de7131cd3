import Automata
import Paxos

/// Multi-Paxos with everything that a replicated log needs around it.
public struct Replica: Automaton, Sendable {
    public let settings: Settings

    public init(settings: Settings, recovered: ReplicaDurableState) {
        self.settings = settings
        fatalError("being written")
    }

    public mutating func step(_ input: ReplicaInput, at now: Instant, into outputs: inout [ReplicaOutput]) {
        fatalError("being written")
    }

    /// How often this process has started, this time included; no two starts of a process that had any
    /// effect on others have the same number. A host can build proposal ids on it.
    public var incarnation: UInt64 { fatalError() }
    public var leader: ProcessID? { fatalError() }
    public var isLeader: Bool { fatalError() }
    public var ballot: Ballot { fatalError() }
    public var chosenUpTo: Slot { fatalError() }
    public var appliedUpTo: Slot { fatalError() }
    public var configuration: Configuration { fatalError() }
    /// Whether this process led at `now` as far as a quorum has confirmed within the last election timeout:
    /// a process for which this is false must end and renew no leases.
    public func hasRecentQuorum(at now: Instant) -> Bool { fatalError() }
    /// What a new log segment must begin with, so that older segments may go once they are trimmed.
    public var segmentPreamble: [ReplicaRecord] { fatalError() }
}
