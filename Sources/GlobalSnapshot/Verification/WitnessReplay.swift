import Automata

/// The application of one process, as far as replaying its events needs it: deterministic, so that the same
/// events lead to the same state.
public protocol ReplayedApplication {
    /// The state as the process would record it.
    var state: Payload { get }
    /// Lets the event happen. Returns false when it cannot happen in this state.
    mutating func replay(_ event: RunEvent) -> Bool
}

extension SnapshotWitness {
    /// Replays the witness on applications in their first states, and proves that it is a run which passes
    /// through the recorded state: every event is possible where it stands, and after `cutPosition` events
    /// every process and every channel is as the snapshot says. Returns the states at the end of the run,
    /// which are those of the run that happened.
    @discardableResult
    public func replay<Application: ReplayedApplication>(
        _ snapshot: RecordedSnapshot, topology: SnapshotTopology, order: ChannelOrder,
        from initial: (ProcessID) -> Application
    ) throws(SnapshotViolation) -> [RecordedSnapshot.State] {
        var world = ReplayedWorld(topology, order, initial)
        for event in run.prefix(cutPosition) { try world.perform(event) }
        try world.compare(with: snapshot)
        for event in run.dropFirst(cutPosition) { try world.perform(event) }
        return world.states
    }
}

/// Applications and channels between them, without markers.
private struct ReplayedWorld<Application: ReplayedApplication> {
    let topology: SnapshotTopology
    let order: ChannelOrder
    private var applications: [Application]
    private var channels: [[(id: MessageID, payload: Payload)]]

    init(_ topology: SnapshotTopology, _ order: ChannelOrder, _ initial: (ProcessID) -> Application) {
        self.topology = topology
        self.order = order
        applications = topology.processes.map(initial)
        channels = topology.channels.map { _ in [] }
    }

    var states: [RecordedSnapshot.State] {
        zip(topology.processes, applications).map { .init(process: $0, state: $1.state) }
    }

    mutating func perform(_ event: RunEvent) throws(SnapshotViolation) {
        switch event.kind {
        case .recorded: return
        case .changed: break
        case .sent(let message, let payload):
            channels[try index(of: message, event)].append((message, payload))
        case .received(let message, let payload):
            let channel = try index(of: message, event)
            guard let place = channels[channel].firstIndex(where: { $0.id == message }),
                order == .any || place == 0, channels[channel][place].payload == payload
            else { throw SnapshotViolation(.impossibleEvent, "\(event): it cannot arrive now") }
            channels[channel].remove(at: place)
        }
        guard let process = topology.processes.firstIndex(of: event.process),
            applications[process].replay(event)
        else { throw SnapshotViolation(.impossibleEvent, "\(event): its state does not allow it") }
    }

    private func index(of message: MessageID, _ event: RunEvent) throws(SnapshotViolation) -> Int {
        guard let index = topology.channels.firstIndex(of: message.channel) else {
            throw SnapshotViolation(.impossibleEvent, "\(event): there is no such channel")
        }
        return index
    }

    func compare(with snapshot: RecordedSnapshot) throws(SnapshotViolation) {
        for state in states where snapshot.state(of: state.process) != state.state {
            let recorded = snapshot.state(of: state.process)?.description ?? "nothing"
            throw SnapshotViolation(
                .processState, "\(snapshot.id): \(state.process) is \(state.state), recorded is \(recorded)")
        }
        for (channel, contents) in zip(topology.channels, channels) {
            let (held, recorded) = (contents.map(\.payload), snapshot.messages(in: channel))
            guard order.isSame(held, recorded) else {
                throw SnapshotViolation(
                    .channelState, "\(snapshot.id): \(channel) holds \(held), recorded is \(recorded)")
            }
        }
    }
}
