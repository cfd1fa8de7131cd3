import Automata
import Multicast

/// Multicasts in groups whose members are given once and for all, with what they promise.
enum StaticKind: String, CaseIterable {
    case bestEffort = "best-effort"
    case flooding
    case uniformFlooding = "uniform-flooding"
    case reliable, uniform, causal

    var isReliable: Bool { self != .bestEffort }
    var isUniform: Bool { self == .uniform || self == .uniformFlooding }
    var isCausal: Bool { self == .causal }
}

/// A member of any of these groups, for a host that need not know of which.
enum StaticMember {
    enum Message: CustomStringConvertible {
        case numbered(MulticastMessage)
        case flooded(FloodingMulticast.Frame)

        var description: String {
            switch self {
            case .numbered(let message): "\(message)"
            case .flooded(.data(let number, let message)): "\(number): \(message)"
            case .flooded(.acknowledged(let number)): "acknowledged(\(number))"
            }
        }
    }

    enum Input {
        case start, timerFired
        case multicast(Payload)
        case received(Message, from: ProcessID)
        case departed(ProcessID)
    }

    enum Output {
        case send(Message, to: ProcessID)
        case deliver(MulticastID, Payload)
        case setTimer(after: ClosedRange<TimeSpan>)
        case refuse(Payload)
        case ready
    }

    case plain(ReliableMulticast)
    case causal(CausalMulticast)
    case flooding(FloodingMulticast)

    init(_ kind: StaticKind, _ name: ProcessID, _ names: [ProcessID], window: Int) {
        switch kind {
        case .causal: self = .causal(CausalMulticast(process: name, group: names, window: window))
        case .reliable: self = .plain(ReliableMulticast(process: name, group: names, window: window))
        case .uniform:
            self = .plain(
                ReliableMulticast(process: name, group: names, guarantee: .uniform, window: window))
        case .bestEffort, .flooding, .uniformFlooding:
            let guarantee: FloodingMulticast.Guarantee =
                kind == .bestEffort ? .bestEffort : kind == .flooding ? .reliable : .uniform
            self = .flooding(
                FloodingMulticast(process: name, group: names, guarantee: guarantee, window: window))
        }
    }

    var heldCount: Int {
        switch self {
        case .plain(let core): core.heldCount
        case .causal(let core): core.heldCount
        case .flooding(let core): core.heldCount
        }
    }

    mutating func step(_ input: Input, at now: Instant) -> [Output] {
        switch self {
        case .plain(var core):
            var outputs: [ReliableMulticast.Output] = []
            if let input = Self.numbered(input) { core.step(input, at: now, into: &outputs) }
            self = .plain(core)
            return outputs.map(Self.output)
        case .causal(var core):
            var outputs: [ReliableMulticast.Output] = []
            if let input = Self.numbered(input) { core.step(input, at: now, into: &outputs) }
            self = .causal(core)
            return outputs.map(Self.output)
        case .flooding(var core):
            var outputs: [FloodingMulticast.Output] = []
            if let input = Self.flooded(input) { core.step(input, at: now, into: &outputs) }
            self = .flooding(core)
            return outputs.map(Self.output)
        }
    }

    private static func numbered(_ input: Input) -> ReliableMulticast.Input? {
        switch input {
        case .start: .start
        case .timerFired: .timerFired
        case .multicast(let payload): .multicast(payload)
        case .received(.numbered(let message), let sender): .received(message, from: sender)
        case .received(.flooded, _): nil
        case .departed(let member): .departed(member)
        }
    }

    private static func flooded(_ input: Input) -> FloodingMulticast.Input? {
        switch input {
        case .start: .start
        case .timerFired: .timerFired
        case .multicast(let payload): .multicast(payload)
        case .received(.flooded(let frame), let sender): .received(frame, from: sender)
        case .received(.numbered, _): nil
        case .departed(let member): .departed(member)
        }
    }

    private static func output(_ output: ReliableMulticast.Output) -> Output {
        switch output {
        case .send(let message, let receiver): .send(.numbered(message), to: receiver)
        case .deliver(let id, let payload): .deliver(id, payload)
        case .setTimer(let range): .setTimer(after: range)
        case .refuse(let payload): .refuse(payload)
        case .ready: .ready
        }
    }

    private static func output(_ output: FloodingMulticast.Output) -> Output {
        switch output {
        case .send(let frame, let receiver): .send(.flooded(frame), to: receiver)
        case .deliver(let id, let payload): .deliver(id, payload)
        case .setTimer(let range): .setTimer(after: range)
        case .refuse(let payload): .refuse(payload)
        case .ready: .ready
        }
    }
}
