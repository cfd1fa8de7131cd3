import Automata
import Paxos

/// Multi-Paxos with everything that a replicated log needs around it.
///
/// INTERFACE SKETCH: the signatures other targets compile against; the bodies are being written.
public struct Replica: Automaton, Sendable {
    public struct Settings: Hashable, Sendable {
        public var process: ProcessID
        public var heartbeatInterval: TimeSpan = .milliseconds(100)
        /// A process that hears from no leader for this long, or up to twice as long, stands for election.
        public var electionTimeout: TimeSpan = .milliseconds(1000)
        /// Proposed and not yet chosen, at the leader.
        public var entriesInFlightLimit = 16_384
        public var bytesInFlightLimit = 64 << 20
        /// Of one phase 2a or catch-up message; a single larger entry travels alone.
        public var batchBytesLimit = 1 << 20
        /// Entries kept behind the stored slot for members that lag.
        public var catchUpEntries = 5_000
        public var catchUpBytes = 16 << 20
        /// Lease reads: the largest relative error between the clock rates of two processes, in parts per
        /// million. `nil` leaves them off, and every read takes a quorum round.
        public var leaseReadsClockDriftPPM: UInt64? = nil

        public init(process: ProcessID) { self.process = process }
    }

    public let settings: Settings

    public init(settings: Settings, recovered: ReplicaDurableState) {
        self.settings = settings
        fatalError("being written")
    }

    public mutating func step(_ input: ReplicaInput, at now: Instant, into outputs: inout [ReplicaOutput]) {
        fatalError("being written")
    }

    // What a host may look at.
    public var leader: ProcessID? { fatalError() }
    public var isLeader: Bool { fatalError() }
    public var ballot: Ballot { fatalError() }
    public var chosenUpTo: Slot { fatalError() }
    public var appliedUpTo: Slot { fatalError() }
    public var configuration: Configuration { fatalError() }
    /// Whether this process led at `now` as far as a quorum has confirmed within the last election timeout:
    /// a process for which this is false must end and renew no leases.
    public func hasRecentQuorum(at now: Instant) -> Bool { fatalError() }
    /// What the head of a new log segment must hold so that older segments may go once trimmed: the promise
    /// and every accepted entry from the trim floor on are NOT repeated, only promise, floor, configuration.
    public var segmentPreamble: [ReplicaRecord] { fatalError() }
}

public enum ReplicaTimer: Hashable, Sendable {
    case election, heartbeat, resend
}

/// What a replica had made durable, folded from its records in order.
public struct ReplicaDurableState: Hashable, Sendable {
    /// The state of a new process of a new cluster.
    public init(bootstrap: Configuration) { fatalError() }
    /// Continues from a state machine that had applied everything up to `applied`, in force `configuration`.
    public init(storedUpTo applied: Slot, _ configuration: Configuration) { fatalError() }
    public mutating func absorb(_ record: ReplicaRecord) { fatalError() }
}

public struct ReplicaMessage: Hashable, Sendable {
    /// A rough size on the wire, bytes.
    public var sizeHint: Int { fatalError() }
    /// Appends the wire form.
    public func encode(into bytes: inout [UInt8]) { fatalError() }
    public init(decoding bytes: UnsafeRawBufferPointer) throws { fatalError() }
}

public struct ReplicaRecord: Hashable, Sendable {
    public func encode(into bytes: inout [UInt8]) { fatalError() }
    public init(decoding bytes: UnsafeRawBufferPointer) throws { fatalError() }
}
