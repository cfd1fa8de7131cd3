import Automata

/// The place of a multicast in the order of all: agreed among its receivers.
public struct Priority: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let number: UInt64
    /// Who proposed it, so that no two are equal.
    public let process: ProcessID

    public init(_ number: UInt64, _ process: ProcessID) {
        self.number = number
        self.process = process
    }

    public static func < (a: Priority, b: Priority) -> Bool { (a.number, a.process) < (b.number, b.process) }
    public var description: String { "\(number)@\(process)" }
}

/// What the processes of `SkeenMulticast` say to each other.
public enum SkeenMessage: Hashable, Sendable, CustomStringConvertible {
    case data(MulticastID, Payload)
    /// To the sender.
    case proposal(MulticastID, Priority)
    /// The greatest proposal, to all receivers.
    case final(MulticastID, Priority)

    public var description: String {
        switch self {
        case .data(let id, _): "data(\(id))"
        case .proposal(let id, let priority): "proposal(\(id), \(priority))"
        case .final(let id, let priority): "final(\(id), \(priority))"
        }
    }
}

/// Atomic multicast to several groups that may overlap, by Skeen's algorithm (unpublished, 1985; described by Birman
/// and Joseph, TOCS 5(1), 1987, and by Guerraoui and Schiper, Genuine Atomic Multicast, TCS 254, 2001).
///
/// ```
///   sender             each receiver
///   ── data ─────────▶ proposes a priority above all that it has seen
///   ◀── proposal ─────
///   ── the greatest ─▶ delivers by priority, once nothing that waits could come before
/// ```
///
/// Any two processes deliver what both receive in the same order, over all groups, and there is no cycle over several
/// processes either. Only the sender and the receivers of a multicast take part in it: the algorithm is genuine. A
/// receiver or sender that crashes leaves its multicasts, and those behind them, undelivered, and breaks nothing;
/// inside one group `GroupMember` goes on.
///
/// Channels are reliable and keep their order (`ReliableChannels`). What one sender multicasts to the same groups is
/// delivered in the order of sending; to different groups it need not be.
public struct SkeenMulticast: Automaton, Hashable, Sendable {
    public typealias Frame = ChannelFrame<SkeenMessage>

    public enum Input: Hashable, Sendable {
        case start
        /// To all members of these groups, by their places among all groups.
        case multicast(Payload, to: [Int])
        case received(Frame, from: ProcessID)
        case timerFired
    }

    public enum Output: Hashable, Sendable {
        case send(Frame, to: ProcessID)
        case deliver(MulticastID, Payload)
        case setTimer(after: ClosedRange<TimeSpan>)
        /// Too many of this process's multicasts are on their way; nothing was sent.
        case refuse(Payload)
        case ready
    }

    /// Of this process, with proposals still to come.
    private struct Proposed: Hashable, Sendable {
        let id: MulticastID
        let receivers: [ProcessID]
        var missing: [ProcessID]
        var greatest: Priority
    }

    private struct Waiting: Hashable, Sendable {
        let id: MulticastID
        let payload: Payload
        var priority: Priority
        var isFinal = false
    }

    public let process: ProcessID
    public let groups: [[ProcessID]]
    private let window: Int
    private let interval: ClosedRange<TimeSpan>
    private var channels: ReliableChannels<SkeenMessage>
    private var lastNumber: UInt64 = 0
    private var clock: UInt64 = 0
    private var proposed: [Proposed] = []
    private var waiting: [Waiting] = []
    private var hasRefused = false

    /// `window`: how many of this process's multicasts may wait for their priority.
    public init(
        process: ProcessID, groups: [[ProcessID]], others: [ProcessID] = [], window: Int = 64,
        interval: ClosedRange<TimeSpan> = .milliseconds(20) ... .milliseconds(40)
    ) {
        self.process = process
        self.groups = groups
        self.window = window
        self.interval = interval
        channels = ReliableChannels(to: Self.union(groups + [others]).filter { $0 != process })
    }

    /// What waits for its turn here, and what is kept to be sent again.
    public var heldCount: Int { waiting.count + channels.heldCount }
    public var heldBack: [MulticastID] { waiting.map(\.id) }

    public mutating func step(_ input: Input, at now: Instant, into outputs: inout [Output]) {
        switch input {
        case .start: outputs.append(.setTimer(after: interval))
        case .timerFired:
            for (frame, peer) in channels.resend() { outputs.append(.send(frame, to: peer)) }
            outputs.append(.setTimer(after: interval))
        case .multicast(let payload, let groups): onMulticast(payload, groups, &outputs)
        case .received(let frame, let sender):
            let (messages, answer) = channels.receive(frame, from: sender)
            if let answer { outputs.append(.send(answer, to: sender)) }
            for message in messages { take(message, from: sender, &outputs) }
        }
        if hasRefused, proposed.count < window {
            hasRefused = false
            outputs.append(.ready)
        }
    }

    private mutating func onMulticast(_ payload: Payload, _ groups: [Int], _ outputs: inout [Output]) {
        let receivers = Self.union(groups.filter(self.groups.indices.contains).map { self.groups[$0] })
        guard proposed.count < window, !receivers.isEmpty else {
            hasRefused = true
            return outputs.append(.refuse(payload))
        }
        lastNumber += 1
        let id = MulticastID(sender: process, number: lastNumber)
        proposed.append(
            Proposed(id: id, receivers: receivers, missing: receivers, greatest: Priority(0, process)))
        for receiver in receivers { send(.data(id, payload), to: receiver, &outputs) }
    }

    private mutating func take(_ message: SkeenMessage, from sender: ProcessID, _ outputs: inout [Output]) {
        switch message {
        case .data(let id, let payload):
            clock += 1
            let priority = Priority(clock, process)
            waiting.append(Waiting(id: id, payload: payload, priority: priority))
            send(.proposal(id, priority), to: sender, &outputs)
        case .proposal(let id, let priority):
            guard let place = proposed.firstIndex(where: { $0.id == id }) else { return }
            proposed[place].missing.removeAll { $0 == sender }
            proposed[place].greatest = max(proposed[place].greatest, priority)
            guard proposed[place].missing.isEmpty else { return }
            let agreed = proposed.remove(at: place)
            for receiver in agreed.receivers { send(.final(id, agreed.greatest), to: receiver, &outputs) }
        case .final(let id, let priority):
            guard let place = waiting.firstIndex(where: { $0.id == id }),
                priority.number < AgreedOrder.priorityLimit
            else { return }
            clock = max(clock, priority.number)
            waiting[place].priority = priority
            waiting[place].isFinal = true
            deliver(&outputs)
        }
    }

    private mutating func deliver(_ outputs: inout [Output]) {
        while let first = waiting.indices.min(by: { waiting[$0].priority < waiting[$1].priority }),
            waiting[first].isFinal
        {
            let next = waiting.remove(at: first)
            outputs.append(.deliver(next.id, next.payload))
        }
    }

    /// What a process has to say to itself it takes at once.
    private mutating func send(_ message: SkeenMessage, to receiver: ProcessID, _ outputs: inout [Output]) {
        if receiver == process {
            take(message, from: process, &outputs)
        } else if let frame = channels.send(message, to: receiver) {
            outputs.append(.send(frame, to: receiver))
        }
    }

    private static func union(_ groups: [[ProcessID]]) -> [ProcessID] {
        Array(Set(groups.joined())).sorted()
    }
}
