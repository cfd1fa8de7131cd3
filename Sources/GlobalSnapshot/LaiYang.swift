import Automata

/// The snapshot algorithm of Lai and Yang (On Distributed Snapshots, Information Processing Letters 25, 1987)
/// at one process, with the message counts of Mattern (Efficient Algorithms for Distributed Snapshots and
/// Global Virtual Time Approximation, JPDC 18, 1993) in place of message histories.
///
/// What it guarantees, where channels lose nothing but need not keep order:
/// - the recorded cut is consistent: a process records no later than it receives the first red message;
/// - the state of a channel is exactly the white messages sent and not received before the cut;
/// - completion is known: as many late white messages are in as are missing by the counts.
///
/// ```
///   p starts epoch 1                q
///   ──── white ──────┐
///   record p's state │
///   ──── red ────────┼────────────▶ record q's state first, then receive
///   ──── colour ─────┼────────────▶ the same on a channel that would be silent
///                    └────────────▶ white after q recorded: it was in p->q
///   ◀─── report ──────────────────  q's state, and how many white messages q has sent and received
///   ◀─── report ──────────────────  each late white message, as it arrives
/// ```
///
/// Every message carries its sender's epoch. Relative to the snapshot of epoch e it is white when that epoch
/// is below e, and red otherwise; so one number serves any count of snapshots under way, and a message that
/// overtook or was overtaken by several of them is late for each.
///
/// The paper waits for red messages of the application; here a process sends one message of its new colour
/// through each of its channels, so that a snapshot ends where the application is silent.
public struct LaiYang: SnapshotCore {
    public let process: ProcessID
    let limits: SnapshotLimits
    public private(set) var topology: SnapshotTopology
    /// The number of snapshots that this process has recorded.
    public private(set) var epoch: SnapshotEpoch = .zero
    /// Messages of the application so far, by channel from this process.
    private var sent: [ChannelCount]
    /// Messages of the application so far, by channel to this process.
    private var received: [ChannelCount]
    /// All messages of the application received so far.
    private var receipts: UInt64 = 0
    /// Recorded, but for the state that the host has not handed in yet; in ascending order of id.
    private var unstated: [Unstated] = []
    private var collection: SnapshotCollection

    /// A piece without the application's state.
    struct Unstated: Hashable, Sendable {
        let id: SnapshotID
        let isInitiator: Bool
        let sent: [ChannelCount]
        let received: [ChannelCount]
    }

    public enum Message: SnapshotMessage {
        case application(Payload, SnapshotEpoch)
        /// Says only which epoch the sender is in.
        case colour(SnapshotEpoch)
        case report(SnapshotReport)
    }
    public typealias Input = SnapshotInput<Message>
    public typealias Output = SnapshotOutput<Message>

    public init(_ settings: SnapshotSettings) {
        let (process, topology) = (settings.process, settings.topology)
        self.process = process
        self.topology = topology
        limits = settings.limits
        collection = SnapshotCollection(settings)
        sent = topology.channels.filter { $0.from == process }.map { ChannelCount(channel: $0, count: 0) }
        received = topology.channels.filter { $0.to == process }.map { ChannelCount(channel: $0, count: 0) }
    }

    public mutating func step(_ input: Input, at now: Instant, into outputs: inout [Output]) {
        switch input {
        case .sent(let payload, let receiver): onSent(payload, to: receiver, &outputs)
        case .received(.application(let payload, let colour), let sender):
            onApplication(payload, colour, from: sender, at: now, &outputs)
        case .received(.colour(let colour), _): onColour(colour, isInitiator: false, &outputs)
        case .received(.report(let report), let sender): onReport(report, from: sender, at: now, &outputs)
        case .snapshotRequested(let id): onSnapshotRequested(id, &outputs)
        case .stateRecorded(let id, let state): onStateRecorded(id, state, at: now, &outputs)
        case .departed(let other): onDeparted(other, at: now, &outputs)
        case .cancelled(let id): onCancelled(id, at: now, &outputs)
        case .aborted(let id, _): unstated.removeAll { $0.id == id }
        }
    }

    public var nextID: SnapshotID { .epoch(epoch.next) }

    // MARK: Colours

    private mutating func onSent(_ payload: Payload, to receiver: ProcessID, _ outputs: inout [Output]) {
        Self.count(ChannelID(from: process, to: receiver), in: &sent)
        outputs.append(.send(.application(payload, epoch), to: receiver))
    }

    private static func count(_ channel: ChannelID, in counts: inout [ChannelCount]) {
        if let index = counts.firstIndex(where: { $0.channel == channel }) { counts[index].count += 1 }
    }

    /// A red message makes the process record before it is received; a white one that comes after the process
    /// recorded was in the channel.
    private mutating func onApplication(
        _ payload: Payload, _ colour: SnapshotEpoch, from sender: ProcessID, at now: Instant,
        _ outputs: inout [Output]
    ) {
        onColour(colour, isInitiator: false, &outputs)
        let channel = ChannelID(from: sender, to: process)
        receipts += 1
        Self.count(channel, in: &received)
        outputs.append(.deliver(payload, from: sender))
        var late = colour.next
        while late <= epoch {
            let message = LateMessage(
                message: RecordedMessage(channel: channel, payload: payload), receipt: receipts)
            onReport(SnapshotReport(id: .epoch(late), .late(message)), from: nil, at: now, &outputs)
            late = late.next
        }
    }

    /// Records every epoch up to this one. What this process has received until now came from senders of
    /// lower epochs, so that the counts are of white messages.
    private mutating func onColour(
        _ colour: SnapshotEpoch, isInitiator: Bool, _ outputs: inout [Output]
    ) {
        guard colour > epoch else { return }
        while epoch < colour {
            epoch = epoch.next
            let id = SnapshotID.epoch(epoch)
            outputs.append(.recordState(id))
            if !collection.hasEnded(id) {
                unstated.append(Unstated(id: id, isInitiator: isInitiator, sent: sent, received: received))
            }
        }
        for destination in topology.destinations(of: process) {
            outputs.append(.send(.colour(epoch), to: destination))
        }
    }

    // MARK: Requests and reports

    /// Somebody here wants the snapshot of that epoch. Where it has begun already, this process only waits.
    private mutating func onSnapshotRequested(_ id: SnapshotID, _ outputs: inout [Output]) {
        precondition(id.initiator == nil, "\(id) is not named by an epoch")
        if collection.hasEnded(id) {
            outputs.append(.refuse(id, .ended))
        } else if id.sequence <= epoch.number {
            collection.ask(for: id)
        } else if max(unstated.count, collection.open.count) >= limits.concurrentSnapshots {
            outputs.append(.refuse(id, .tooManySnapshots))
        } else if collection.method == .flooding, !topology.isStronglyConnected {
            outputs.append(.refuse(id, .notStronglyConnected))
        } else {
            collection.ask(for: id)
            onColour(SnapshotEpoch(id.sequence), isInitiator: true, &outputs)
        }
    }

    /// The snapshot may have been aborted since the host was asked for the state; then it is not wanted.
    private mutating func onStateRecorded(
        _ id: SnapshotID, _ state: Payload, at now: Instant, _ outputs: inout [Output]
    ) {
        guard let index = unstated.firstIndex(where: { $0.id == id }) else { return }
        let recorded = unstated.remove(at: index)
        var piece = SnapshotPiece(
            process: process, isInitiator: recorded.isInitiator, state: state,
            sources: recorded.received.map(\.channel.from))
        piece.whiteSent = recorded.sent
        piece.whiteReceived = recorded.received
        onReport(SnapshotReport(id: id, .piece(piece)), from: nil, at: now, &outputs)
    }

    private mutating func onReport(
        _ report: SnapshotReport, from sender: ProcessID?, at now: Instant, _ outputs: inout [Output]
    ) {
        let abortion = collection.onReport(report, from: sender, at: now, into: &outputs)
        if abortion != nil { unstated.removeAll { $0.id == report.id } }
    }

    /// Every snapshot under way may wait for something of the process that is gone.
    private mutating func onDeparted(_ other: ProcessID, at now: Instant, _ outputs: inout [Output]) {
        guard other != process, topology.contains(other) else { return }
        topology.remove(other)
        collection.topology.remove(other)
        sent.removeAll { $0.channel.to == other }
        received.removeAll { $0.channel.from == other }
        let ids =
            unstated.map(\.id)
            + collection.open.map(\.id).filter { id in
                !unstated.contains { $0.id == id }
            }
        for id in ids { abort(id, because: .departed(other), at: now, &outputs) }
    }

    private mutating func onCancelled(_ id: SnapshotID, at now: Instant, _ outputs: inout [Output]) {
        // A snapshot that has ended stays as it ended, and one that has not begun here is not known.
        guard id.initiator == nil, id.sequence <= epoch.number else { return }
        abort(id, because: .cancelled(by: process), at: now, &outputs)
    }

    /// A state that still comes is not wanted.
    private mutating func abort(
        _ id: SnapshotID, because reason: SnapshotAbortion, at now: Instant, _ outputs: inout [Output]
    ) {
        unstated.removeAll { $0.id == id }
        onReport(SnapshotReport(id: id, .aborted(reason)), from: nil, at: now, &outputs)
    }
}
