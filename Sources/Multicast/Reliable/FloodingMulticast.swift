import Automata

/// A multicast with its name, as it is flooded.
public struct FloodMessage: Hashable, Sendable, CustomStringConvertible {
    public let id: MulticastID
    public let payload: Payload

    public init(id: MulticastID, payload: Payload) {
        self.id = id
        self.payload = payload
    }

    public var description: String { "flood(\(id))" }
}

/// Multicast without numbers to ask for and without digests: everybody passes on what it receives for the first time
/// (Hadzilacos and Toueg, A Modular Approach to Fault-Tolerant Broadcasts, TR 94-1425, 1994, section 4).
///
/// - `.bestEffort` passes nothing on: a sender that crashes while it sends leaves some with its multicast and others
///   without.
/// - `.reliable`: whoever has it gives it to all before it delivers it. A square of the group's size in messages.
/// - `.uniform`: delivered once a majority has passed it on.
///
/// Channels are reliable (`ReliableChannels`) and keep their order, so that the multicasts of one sender come to each
/// process for the first time in the order in which they were sent: how many of each sender a process has, and others
/// are known to have, says everything.
public struct FloodingMulticast: MulticastMember {
    public enum Guarantee: Hashable, Sendable { case bestEffort, reliable, uniform }

    public typealias Frame = ChannelFrame<FloodMessage>

    public typealias Message = Frame
    public typealias Input = MulticastInput<Frame>
    public typealias Output = MulticastOutput<Frame>

    private struct Stream: Hashable, Sendable {
        /// By member: how many it is known to have.
        var known: [UInt64]
        var delivered: UInt64 = 0
        /// Received and not delivered.
        var waiting: [Payload] = []
    }

    public let process: ProcessID
    /// In ascending order, with those that departed.
    public let group: [ProcessID]
    private let guarantee: Guarantee
    private let window: Int
    private let interval: ClosedRange<TimeSpan>
    private var channels: ReliableChannels<FloodMessage>
    /// By member, in the order of the group.
    private var streams: [Stream]
    private var hasRefused = false

    /// `window`: how many messages to one member may be on their way before a multicast is refused.
    public init(
        process: ProcessID, group: [ProcessID], guarantee: Guarantee, window: Int = 64,
        interval: ClosedRange<TimeSpan> = .milliseconds(20) ... .milliseconds(40)
    ) {
        precondition(group.contains(process) && window > 0, "\(process) is not one of \(group)")
        self.process = process
        self.group = group.sorted()
        self.guarantee = guarantee
        self.window = window
        self.interval = interval
        channels = ReliableChannels(to: group.filter { $0 != process })
        streams = group.map { _ in Stream(known: group.map { _ in 0 }) }
    }

    /// What is kept to be sent again, or until it may be delivered.
    public var heldCount: Int { channels.heldCount + streams.reduce(0) { $0 + $1.waiting.count } }

    public mutating func step(_ input: Input, at now: Instant, into outputs: inout [Output]) {
        switch input {
        case .start: outputs.append(.setTimer(after: interval))
        case .timerFired:
            for (frame, peer) in channels.resend() { outputs.append(.send(frame, to: peer)) }
            outputs.append(.setTimer(after: interval))
        case .multicast(let payload): onMulticast(payload, &outputs)
        case .received(let frame, let sender):
            let (messages, answer) = channels.receive(frame, from: sender)
            if let answer { outputs.append(.send(answer, to: sender)) }
            for message in messages { take(message, from: sender, &outputs) }
        case .departed(let member): channels.forget(member)
        }
        if hasRefused, channels.backlog < window {
            hasRefused = false
            outputs.append(.ready)
        }
    }

    private mutating func onMulticast(_ payload: Payload, _ outputs: inout [Output]) {
        guard channels.backlog < window, let own = group.firstIndex(of: process) else {
            hasRefused = true
            return outputs.append(.refuse(payload))
        }
        let id = MulticastID(sender: process, number: streams[own].known[own] + 1)
        take(FloodMessage(id: id, payload: payload), from: process, &outputs)
    }

    private mutating func take(_ message: FloodMessage, from sender: ProcessID, _ outputs: inout [Output]) {
        guard let stream = group.firstIndex(of: message.id.sender), let own = group.firstIndex(of: process),
            let from = group.firstIndex(of: sender)
        else { return }
        let number = message.id.number
        // Nobody knows more of this process's own than it does.
        guard sender == process || stream != own || number <= streams[own].known[own] else { return }
        streams[stream].known[from] = max(streams[stream].known[from], number)
        // Whoever sent it had it, whether or not it passed it on.
        streams[stream].known[stream] = max(streams[stream].known[stream], number)
        if number == streams[stream].known[own] + 1 || sender == process {
            streams[stream].known[own] = number
            streams[stream].waiting.append(message.payload)
            for other in group where other != process {
                let passesOn = guarantee != .bestEffort || sender == process
                // Who passes on tells its own sender too that it has it.
                guard passesOn, guarantee == .uniform || other != message.id.sender && other != sender,
                    let frame = channels.send(message, to: other)
                else { continue }
                outputs.append(.send(frame, to: other))
            }
        }
        deliver(stream, &outputs)
    }

    private mutating func deliver(_ stream: Int, _ outputs: inout [Output]) {
        let quorum = guarantee == .uniform ? group.count / 2 + 1 : 1
        let deliverable = streams[stream].known.sorted(by: >)[quorum - 1]
        while streams[stream].delivered < deliverable, !streams[stream].waiting.isEmpty {
            streams[stream].delivered += 1
            let id = MulticastID(sender: group[stream], number: streams[stream].delivered)
            outputs.append(.deliver(id, streams[stream].waiting.removeFirst()))
        }
    }
}
