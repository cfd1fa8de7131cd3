import Automata
import GlobalSnapshot

/// Chandy and Lamport's algorithm over the passing of single tokens, as a model that a checker explores: the
/// production `ChandyLamport` in every reachable situation, for one snapshot that any of the `initiators` may
/// start at any moment.
///
/// It is the model of the TLA+ module CLSnap: a state counts by its five variables, the tokens held, the
/// channels, who has recorded what, which channels are being recorded, and what was recorded in them.
public struct SnapshotModel: Sendable {
    public enum Topology: String, Hashable, Sendable, CaseIterable {
        /// A channel from every process to every other.
        case complete
        /// A channel from every process to the next.
        case ring
    }

    public enum Action: Hashable, Sendable {
        case start(ProcessID)
        /// A token is sent.
        case send(ChannelID)
        /// The message at this position arrives; only the first can where channels are FIFO.
        case receive(ChannelID, position: Int)
    }

    public let topology: SnapshotTopology
    public let tokens: [UInt64]
    public let initiators: [ProcessID]
    /// Messages of one channel may overtake each other, for which the algorithm is not made.
    public let nonFIFO: Bool

    private static let id = SnapshotID(initiator: ProcessID(1), sequence: 1)
    private static let token = Payload("t")

    /// Processes are 1 to the count of `tokens`, which says how many each holds at first.
    public init(topology: Topology, tokens: [UInt64], initiators: [Int], nonFIFO: Bool = false) {
        let processes = tokens.indices.map { ProcessID(UInt64($0) + 1) }
        self.topology = topology == .ring ? .ring(processes) : .complete(processes)
        self.tokens = tokens
        self.initiators = initiators.map { ProcessID(UInt64($0)) }
        self.nonFIFO = nonFIFO
    }

    /// Two states are the same when the five variables are. What they leave out, as who recorded without being
    /// told to, does not bear on what may happen next.
    public struct State: Hashable, Sendable {
        var cores: [ChandyLamport]
        var tokens: [UInt64]
        /// In the order of the topology's channels.
        var channels: [[ChandyLamport.Message]]
        /// What each process has recorded, once it has closed its channels.
        var pieces: [SnapshotPiece?]
        /// The five variables, as they were after the last step.
        public internal(set) var projection: Projection

        public static func == (a: State, b: State) -> Bool { a.projection == b.projection }
        public func hash(into hasher: inout Hasher) { hasher.combine(projection) }
    }

    public struct Projection: Hashable, Sendable {
        public enum ChannelStage: Hashable, Sendable { case idle, recording, done }

        public var tokens: [UInt64]
        /// True for a marker, false for a token.
        public var channels: [[Bool]]
        public var recorded: [UInt64?]
        public var stages: [ChannelStage]
        /// Tokens recorded in each channel.
        public var channelStates: [Int]
    }

    // MARK: What a checker asks

    public func initialStates() -> [State] {
        let cores = topology.processes.map {
            ChandyLamport(SnapshotSettings(process: $0, topology: topology, collection: .byHost))
        }
        var state = State(
            cores: cores, tokens: tokens, channels: topology.channels.map { _ in [] },
            pieces: cores.map { _ in nil },
            projection: Projection(tokens: [], channels: [], recorded: [], stages: [], channelStates: []))
        state.projection = projection(of: state)
        return [state]
    }

    public func actions(in state: State) -> [Action] {
        var actions: [Action] = []
        for process in initiators where state.projection.recorded[index(of: process)] == nil {
            actions.append(.start(process))
        }
        for (number, channel) in topology.channels.enumerated() {
            if state.tokens[index(of: channel.from)] > 0 { actions.append(.send(channel)) }
            let messages = state.channels[number]
            for position in messages.indices.prefix(nonFIFO ? messages.count : 1) {
                // Of equal messages in a row it makes no difference which arrives.
                if position > 0, messages[position] == messages[position - 1] { continue }
                actions.append(.receive(channel, position: position))
            }
        }
        return actions
    }

    public func apply(_ action: Action, to state: State) -> State {
        var next = state
        switch action {
        case .start(let process):
            step(.snapshotRequested(Self.id), at: process, &next)
        case .send(let channel):
            next.tokens[index(of: channel.from)] -= 1
            step(.sent(Self.token, to: channel.to), at: channel.from, &next)
        case .receive(let channel, let position):
            let message = next.channels[index(of: channel)].remove(at: position)
            step(.received(message, from: channel.from), at: channel.to, &next)
        }
        next.projection = projection(of: next)
        return next
    }

    /// Once everybody has recorded and closed its channels, as many tokens are recorded as there are.
    public func isConsistent(_ state: State) -> Bool {
        guard isDone(state) else { return true }
        let held = state.projection.recorded.reduce(0) { $0 + ($1 ?? 0) }
        let passing = state.projection.channelStates.reduce(0, +)
        return held + UInt64(passing) == tokens.reduce(0, +)
    }

    public func isDone(_ state: State) -> Bool { !state.pieces.contains(nil) }

    /// Tokens are neither made nor lost.
    public func isConserved(_ state: State) -> Bool {
        let passing = state.channels.joined().count { $0 == .application(Self.token) }
        return state.tokens.reduce(0, +) + UInt64(passing) == tokens.reduce(0, +)
    }

    /// A state with all that the five variables leave out, for the test that leaving it out is sound.
    public func everything(in state: State) -> some Hashable & Sendable {
        Everything(
            cores: state.cores, tokens: state.tokens, channels: state.channels, pieces: state.pieces)
    }

    private struct Everything: Hashable, Sendable {
        let cores: [ChandyLamport]
        let tokens: [UInt64]
        let channels: [[ChandyLamport.Message]]
        let pieces: [SnapshotPiece?]
    }

    public func describe(_ action: Action, in state: State) -> String {
        switch action {
        case .start(let process): return "\(process) starts the snapshot"
        case .send(let channel): return "\(channel.from) sends a token to \(channel.to)"
        case .receive(let channel, let position):
            let isMarker = state.projection.channels[index(of: channel)][position]
            let what = isMarker ? "the marker" : "a token"
            let how = position > 0 ? ", which overtakes what was sent before it" : ""
            return "\(channel.to) receives \(what) from \(channel.from)\(how)"
        }
    }

    // MARK: Carrying out what the cores want

    private func index(of process: ProcessID) -> Int { Int(process.rawValue) - 1 }

    private func index(of channel: ChannelID) -> Int {
        guard let index = topology.channels.firstIndex(of: channel) else {
            preconditionFailure("there is no channel \(channel) in \(topology.channels)")
        }
        return index
    }

    private func step(_ input: ChandyLamport.Input, at process: ProcessID, _ state: inout State) {
        var outputs: [ChandyLamport.Output] = []
        state.cores[index(of: process)].step(input, at: .zero, into: &outputs)
        var recorded: [ChandyLamport.Input] = []
        for output in outputs {
            switch output {
            case .send(let message, let to):
                state.channels[index(of: ChannelID(from: process, to: to))].append(message)
            case .deliver: state.tokens[index(of: process)] += 1
            case .recordState(let id):
                recorded.append(.stateRecorded(id, Payload(String(state.tokens[index(of: process)]))))
            case .publish(let report):
                if case .piece(let piece) = report.content { state.pieces[index(of: process)] = piece }
            case .complete, .abort, .refuse: preconditionFailure("\(output) where the host collects")
            }
        }
        for input in recorded { step(input, at: process, &state) }
    }

    private func projection(of state: State) -> Projection {
        let recorded = topology.processes.map { process -> UInt64? in
            let at = index(of: process)
            let payload = state.pieces[at]?.state ?? state.cores[at].recordedState(for: Self.id)
            return payload.flatMap { UInt64($0.description) }
        }
        let stages = topology.channels.map { channel -> Projection.ChannelStage in
            let at = index(of: channel.to)
            if recorded[at] == nil { return .idle }
            return state.cores[at].isOpen(from: channel.from, for: Self.id) ? .recording : .done
        }
        let channelStates = topology.channels.map { channel in
            let at = index(of: channel.to)
            let closed = state.pieces[at]?.messages.count { $0.channel == channel }
            return closed ?? state.cores[at].recordedMessages(in: channel, for: Self.id)?.count ?? 0
        }
        return Projection(
            tokens: state.tokens, channels: state.channels.map { $0.map { $0 != .application(Self.token) } },
            recorded: recorded, stages: stages, channelStates: channelStates)
    }
}
