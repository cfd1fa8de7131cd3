import Automata

/// A global state as it was recorded: one state for every process and the messages in every channel.
///
/// It need not have occurred at any instant, but no process could tell that it did not: see
/// `SnapshotVerifier`, which constructs a run in which it occurs.
public struct RecordedSnapshot: Hashable, Sendable {
    public struct State: Hashable, Sendable {
        public let process: ProcessID
        public let state: Payload

        public init(process: ProcessID, state: Payload) {
            self.process = process
            self.state = state
        }
    }

    public let id: SnapshotID
    /// The processes that recorded without being told to by another, in ascending order.
    public var initiators: [ProcessID]
    /// In ascending order of process.
    public var states: [State]
    /// By ascending receiver, and for each receiver in the order of receipt over all its channels.
    public var messages: [RecordedMessage]
    /// The instant of the step that completed the collection, on the clock of the process that collected.
    public var completedAt: Instant

    public init(
        id: SnapshotID, initiators: [ProcessID], states: [State], messages: [RecordedMessage],
        completedAt: Instant
    ) {
        self.id = id
        self.initiators = initiators
        self.states = states
        self.messages = messages
        self.completedAt = completedAt
    }

    public func state(of process: ProcessID) -> Payload? {
        states.first { $0.process == process }?.state
    }

    /// The state of one channel: what was sent before the cut and not received before it. In the order of
    /// sending where the channel is FIFO.
    public func messages(in channel: ChannelID) -> [Payload] {
        messages.filter { $0.channel == channel }.map(\.payload)
    }
}
