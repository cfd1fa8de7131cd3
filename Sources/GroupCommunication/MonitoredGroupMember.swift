import Automata
import Consensus
import Multicast

/// A member of a group that finds out by itself who has crashed: `GroupMember` told by an eventually perfect
/// `FailureDetector`, whose heartbeats are the members' signs of presence.
public struct MonitoredGroupMember: Automaton, Hashable, Sendable {
    public enum Timer: Hashable, Sendable {
        case group
        case detector(FailureDetector.Timer)
    }

    public enum Input: Hashable, Sendable {
        case start
        case multicast(Payload)
        case received(GroupMessage, from: ProcessID)
        case timerFired(Timer)
        case leave
    }

    public enum Output: Hashable, Sendable {
        case send(GroupMessage, to: ProcessID)
        case deliver(MulticastID, Payload)
        case install(View)
        /// Takes the place of one that is set under the same name.
        case setTimer(Timer, after: ClosedRange<TimeSpan>)
        case refuse(Payload)
        case ready
        case stop(GroupMember.Reason)
    }

    /// How long a member is not heard of before it is suspected; longer after each mistake.
    public struct Monitoring: Hashable, Sendable {
        public var heartbeat = TimeSpan.milliseconds(100)
        public var timeout = TimeSpan.milliseconds(500)
        public var growth = TimeSpan.milliseconds(250)

        public init() {}
    }

    public private(set) var member: GroupMember
    private let monitoring: Monitoring
    /// Has grown with each mistake.
    private var timeout: TimeSpan
    private var detector: FailureDetector?

    public init(_ member: GroupMember, monitoring: Monitoring = Monitoring()) {
        self.member = member
        self.monitoring = monitoring
        timeout = monitoring.timeout
    }

    public mutating func step(_ input: Input, at now: Instant, into outputs: inout [Output]) {
        switch input {
        case .start: pass(.start, at: now, &outputs)
        case .multicast(let payload): pass(.multicast(payload), at: now, &outputs)
        case .leave: pass(.leave, at: now, &outputs)
        case .timerFired(.group): pass(.timerFired, at: now, &outputs)
        case .timerFired(.detector(let timer)): detect(.timerFired(timer), at: now, &outputs)
        case .received(let message, let sender):
            // Whatever a member says shows that it is there.
            detect(.heartbeat(from: sender), at: now, &outputs)
            pass(.received(message, from: sender), at: now, &outputs)
        }
    }

    private mutating func pass(_ input: GroupMember.Input, at now: Instant, _ outputs: inout [Output]) {
        var wanted: [GroupMember.Output] = []
        member.step(input, at: now, into: &wanted)
        for output in wanted {
            switch output {
            case .send(let message, let receiver): outputs.append(.send(message, to: receiver))
            case .deliver(let id, let payload): outputs.append(.deliver(id, payload))
            case .setTimer(let range): outputs.append(.setTimer(.group, after: range))
            case .refuse(let payload): outputs.append(.refuse(payload))
            case .ready: outputs.append(.ready)
            case .install(let view):
                outputs.append(.install(view))
                detector = FailureDetector(
                    process: member.process, processes: view.members,
                    kind: .eventuallyPerfect(growth: monitoring.growth), interval: monitoring.heartbeat,
                    timeout: timeout)
                detect(.start, at: now, &outputs)
            case .stop(let reason):
                outputs.append(.stop(reason))
                detector = nil
            }
        }
    }

    private mutating func detect(_ input: FailureDetector.Input, at now: Instant, _ outputs: inout [Output]) {
        var wanted: [FailureDetector.Output] = []
        detector?.step(input, at: now, into: &wanted)
        for output in wanted {
            switch output {
            case .sendHeartbeat(let other):
                if let view = member.view { outputs.append(.send(.presence(view.number), to: other)) }
            case .setTimer(let timer, let span):
                outputs.append(.setTimer(.detector(timer), after: span...span))
            case .suspect(let other): pass(.suspected(other), at: now, &outputs)
            case .trust(let other):
                timeout = timeout + monitoring.growth
                pass(.trusted(other), at: now, &outputs)
            case .follow: break
            }
        }
    }
}
