import Automata

/// The snapshot algorithm of Chandy and Lamport (Distributed Snapshots: Determining Global States of
/// Distributed Systems, TOCS 3(1), 1985, section 3) at one process.
///
/// What it guarantees, where channels lose nothing and keep their order:
/// - the recorded cut is consistent: no message is received before it and sent after it;
/// - the state of a channel is exactly what was sent before the cut and not received before it;
/// - where every process is reached from one that starts, every process records, and each snapshot ends:
///   complete, or aborted with a reason that names who;
/// - the application is never held up, and snapshots under way at once do not touch each other.
///
/// ```
///   p starts                        q                               r
///   record p's state
///   ──── marker ──────────────────▶ record q's state, p->q empty
///   ──── marker ───────────────────────────────────────────────────▶ record r's state, p->r empty
///                                   ──── marker ───────────────────▶ q->r: what came since r recorded
///   q->p: what came since  ◀─marker─
///   ◀─────────────── report ─────── ◀─────────────── report ───────  once all channels are closed
/// ```
///
/// Any process may start, and several may start the same snapshot: a process that has recorded takes a marker
/// as the end of a channel, whoever started. The host must hand everything that the application sends and
/// receives through the core, which is how a marker comes before all that is sent after it.
///
/// What happens when a process departs in the middle is not in the paper, where processes do not fail: here
/// the snapshot is aborted, everywhere.
public struct ChandyLamport: SnapshotCore {
    public let process: ProcessID
    let limits: SnapshotLimits
    /// Without those that departed.
    public internal(set) var topology: SnapshotTopology
    /// What is being recorded, in ascending order of id.
    var recordings: [Recording] = []
    /// The snapshots for which this process has nothing left to record.
    var finished = EndedSnapshots()
    var collection: SnapshotCollection
    /// The highest number that this process has given to a snapshot.
    var lastSequence: UInt64 = 0

    public enum Message: SnapshotMessage {
        case application(Payload)
        case marker(SnapshotID)
        case report(SnapshotReport)
    }
    public typealias Input = SnapshotInput<Message>
    public typealias Output = SnapshotOutput<Message>

    public init(_ settings: SnapshotSettings) {
        process = settings.process
        limits = settings.limits
        topology = settings.topology
        collection = SnapshotCollection(settings)
    }

    public mutating func step(_ input: Input, at now: Instant, into outputs: inout [Output]) {
        switch input {
        case .sent(let payload, let receiver): outputs.append(.send(.application(payload), to: receiver))
        case .received(.application(let payload), let sender):
            onApplication(payload, from: sender, at: now, &outputs)
        case .received(.marker(let id), let sender): onMarker(id, from: sender, at: now, &outputs)
        case .received(.report(let report), let sender): onReport(report, from: sender, at: now, &outputs)
        case .snapshotRequested(let id): onSnapshotRequested(id, &outputs)
        case .stateRecorded(let id, let state): onStateRecorded(id, state, at: now, &outputs)
        case .departed(let other): onDeparted(other, at: now, &outputs)
        case .cancelled(let id): onCancelled(id, at: now, &outputs)
        case .aborted(let id, _): stopRecording(id)
        }
    }

    public var nextID: SnapshotID { SnapshotID(initiator: process, sequence: lastSequence + 1) }
}

// MARK: What a host may look at

extension ChandyLamport {
    /// The snapshots that this process is recording, in ascending order.
    public var recordingIDs: [SnapshotID] { recordings.map(\.id) }

    /// The messages that the process has recorded in the channel so far, while it records that snapshot.
    public func recordedMessages(in channel: ChannelID, for id: SnapshotID) -> [Payload]? {
        recordings.first { $0.id == id }?.messages.filter { $0.channel == channel }.map(\.payload)
    }

    /// Whether the process, while it records that snapshot, waits for the marker of the channel from `source`.
    public func isOpen(from source: ProcessID, for id: SnapshotID) -> Bool {
        let recording = recordings.first { $0.id == id }
        return recording?.sources.contains { $0.process == source && $0.isOpen } ?? false
    }

    /// The state that the process has recorded for that snapshot, while it records.
    public func recordedState(for id: SnapshotID) -> Payload? { recordings.first { $0.id == id }?.state }
}
