import Automata
import LogicalTime

/// Judges recorded snapshots by the run that they were taken from.
///
/// The run is looked at from outside, with the order in which everything happened, which no process knows. A
/// snapshot is good when its cut is closed under happens-before, by vector time and by the identity of every
/// message; when each channel holds exactly what was sent before the cut and not received before it; and when
/// the run can be rearranged, without any process noticing, so that the snapshot's state occurs in it: that
/// rearrangement is the witness (Chandy, Lamport 1985, Theorem 1).
public struct SnapshotVerifier: Sendable {
    public let topology: SnapshotTopology
    public let run: [RunEvent]
    public let order: ChannelOrder
    /// The run with vector timestamps; it numbers the events of each process from 1.
    private let computation: Computation

    /// A run in which something is received that was not sent is refused.
    public init(topology: SnapshotTopology, run: [RunEvent], order: ChannelOrder)
        throws(SnapshotViolation)
    {
        self.topology = topology
        self.run = run
        self.order = order
        var clocks = topology.processes.map { VectorClock(process: $0) }
        var stamps: [MessageID: VectorTimestamp] = [:]
        var computation = Computation()
        for event in run {
            guard let index = topology.processes.firstIndex(of: event.process) else {
                throw SnapshotViolation(.impossibleEvent, "\(event), which takes no part")
            }
            let stamp: VectorTimestamp
            switch event.kind {
            case .changed, .recorded: stamp = clocks[index].tick()
            case .sent(let message, _):
                stamp = clocks[index].tick()
                stamps[message] = stamp
            case .received(let message, _):
                guard let sent = stamps[message] else {
                    throw SnapshotViolation(.impossibleEvent, "\(event) before it is sent")
                }
                stamp = clocks[index].receive(sent)
            }
            computation.append(stamp, at: event.process)
        }
        self.computation = computation
    }

    /// Checks the cut and the channels, and returns the cut. States are checked by replaying the witness.
    @discardableResult
    public func check(_ snapshot: RecordedSnapshot) throws(SnapshotViolation) -> Cut {
        let cut = try cut(of: snapshot)
        if let violation = cut.violation(in: computation) {
            throw SnapshotViolation(.inconsistentCut, "\(snapshot.id): \(violation)")
        }
        try checkMessages(of: snapshot)
        return cut
    }

    /// For every process, its events before it recorded.
    public func cut(of snapshot: RecordedSnapshot) throws(SnapshotViolation) -> Cut {
        var counts: [(ProcessID, UInt64)] = []
        for process in snapshot.states.map(\.process) {
            let history = run.filter { $0.process == process }
            let places = history.indices.filter { history[$0].kind == .recorded(snapshot.id) }
            guard places.count == 1 else {
                throw SnapshotViolation(
                    .recordings, "\(process) recorded \(places.count) times for \(snapshot.id)")
            }
            counts.append((process, UInt64(places[0])))
        }
        let missing = topology.processes.filter { process in !counts.contains { $0.0 == process } }
        guard missing.isEmpty else {
            throw SnapshotViolation(.recordings, "\(snapshot.id) has no state of \(missing)")
        }
        return Cut(counts)
    }

    /// Follows every message across the cut by its identity.
    private func checkMessages(of snapshot: RecordedSnapshot) throws(SnapshotViolation) {
        var inChannels: [(id: MessageID, payload: Payload)] = []
        for (event, isPre) in marked(snapshot.id) {
            switch event.kind {
            case .sent(let message, let payload) where isPre: inChannels.append((message, payload))
            case .received(let message, _) where isPre:
                guard let index = inChannels.firstIndex(where: { $0.id == message }) else {
                    throw SnapshotViolation(
                        .inconsistentCut,
                        "\(snapshot.id): \(message) is received before the cut and sent after it")
                }
                inChannels.remove(at: index)
            default: break
            }
        }
        for channel in topology.channels {
            let expected = inChannels.filter { $0.id.channel == channel }.map(\.payload)
            let recorded = snapshot.messages(in: channel)
            guard order.isSame(expected, recorded) else {
                throw SnapshotViolation(
                    .channelState,
                    "\(snapshot.id): \(channel) holds \(expected) across the cut, and \(recorded) is recorded"
                )
            }
        }
        let strangers = snapshot.messages.filter { !topology.contains($0.channel) }
        guard strangers.isEmpty else {
            throw SnapshotViolation(.channelState, "\(snapshot.id): there is no \(strangers[0].channel)")
        }
    }

    /// The run, with whether each event is pre-recording: before its process records.
    func marked(_ id: SnapshotID) -> [(event: RunEvent, isPre: Bool)] {
        var recorded: [ProcessID] = []
        return run.map { event in
            if event.kind == .recorded(id) { recorded.append(event.process) }
            return (event, !recorded.contains(event.process))
        }
    }
}
