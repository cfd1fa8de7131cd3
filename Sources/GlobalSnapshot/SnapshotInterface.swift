import Automata

/// What the host tells a snapshot core. Names are in the past tense: these things have happened.
public enum SnapshotInput<Message: SnapshotMessage>: Hashable, Sendable {
    /// The application of this process has sent a message; the core passes it on in its turn.
    case sent(Payload, to: ProcessID)
    /// A message has come through the channel from that process.
    case received(Message, from: ProcessID)
    /// Somebody at this process wants a snapshot and its result. Several processes may ask for the same one.
    case snapshotRequested(SnapshotID)
    /// The answer to `.recordState`: the application's state at the moment of that output. It may come later,
    /// so that a host can copy on write and encode at leisure.
    case stateRecorded(SnapshotID, Payload)
    /// The process left or crashed and takes no further part; it comes back, if ever, under another name.
    case departed(ProcessID)
    /// Somebody at this process gives the snapshot up for everybody.
    case cancelled(SnapshotID)
    /// A host that carries reports itself has learned that the snapshot is aborted.
    case aborted(SnapshotID, SnapshotAbortion)
}

/// What a snapshot core wants its host to do. Names are imperatives; the host carries them out in order.
public enum SnapshotOutput<Message: SnapshotMessage>: Hashable, Sendable {
    /// Send through the channel to that process, after everything that was sent through it before.
    case send(Message, to: ProcessID)
    /// Hand a message of the application up.
    case deliver(Payload, from: ProcessID)
    /// Keep the application's state as it is now, before the next output is carried out; hand it in with
    /// `.stateRecorded`.
    case recordState(SnapshotID)
    /// Carry the report to whoever asked; only where the host collects.
    case publish(SnapshotReport)
    /// The snapshot that was asked for here is complete.
    case complete(RecordedSnapshot)
    /// The snapshot that was asked for here will never be complete.
    case abort(SnapshotID, SnapshotAbortion)
    /// The snapshot was not begun, or its result will not be told here.
    case refuse(SnapshotID, SnapshotRefusal)
}

/// What processes say to each other: each algorithm has its own, and all carry reports.
public protocol SnapshotMessage: Hashable, Sendable {
    static func report(_ report: SnapshotReport) -> Self
}

/// A snapshot algorithm that wraps an application: hosts are written once for all of them.
public protocol SnapshotCore<Message>: Automaton, Hashable, Sendable
where Input == SnapshotInput<Message>, Output == SnapshotOutput<Message> {
    associatedtype Message: SnapshotMessage

    init(_ settings: SnapshotSettings)
    /// A name under which this process can ask for a snapshot that has not begun here.
    var nextID: SnapshotID { get }
}

public struct SnapshotSettings: Hashable, Sendable {
    /// How pieces reach whoever asked.
    public enum Collection: Hashable, Sendable {
        /// Every process passes every report on once, through its channels: any strongly connected topology
        /// will do, at the price of one message in each channel for each report.
        case flooding
        /// The host carries what is published to a `SnapshotAssembly`, as where processes can reach each
        /// other directly.
        case byHost
    }

    public var process: ProcessID
    public var topology: SnapshotTopology
    public var collection: Collection
    public var limits: SnapshotLimits

    public init(
        process: ProcessID, topology: SnapshotTopology, collection: Collection = .flooding,
        limits: SnapshotLimits = SnapshotLimits()
    ) {
        precondition(topology.contains(process), "\(process) is not one of \(topology.processes)")
        self.process = process
        self.topology = topology
        self.collection = collection
        self.limits = limits
    }
}

/// What a snapshot may cost a process.
public struct SnapshotLimits: Hashable, Sendable {
    /// Past this a request is refused, and a snapshot that others began is aborted.
    public var concurrentSnapshots: Int
    /// Past this the snapshot is aborted.
    public var recordedBytesPerChannel: Int

    public init(concurrentSnapshots: Int = 16, recordedBytesPerChannel: Int = 16 << 20) {
        self.concurrentSnapshots = concurrentSnapshots
        self.recordedBytesPerChannel = recordedBytesPerChannel
    }

    /// What a recorded message counts: its bytes and what it takes to keep it, so that empty ones count too.
    static func bytes(_ payload: Payload) -> Int { payload.count + 32 }
}
