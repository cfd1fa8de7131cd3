import Automata
import GroupCommunication
import Multicast

/// A member as a soak drives it, whatever core it is made of.
struct SoakedMember {
    enum Message {
        case numbered(MulticastMessage)
        case flooded(FloodingMulticast.Frame)
        case viewed(GroupMessage)
        case agreed(SkeenMulticast.Frame)
    }

    enum Input {
        case multicast, tick
        case received(Message, from: ProcessID)
    }

    enum Effect {
        case send(Message, to: ProcessID)
        case deliver(MulticastID)
        case refuse
    }

    private enum Core {
        case plain(ReliableMulticast)
        case causal(CausalMulticast)
        case flooding(FloodingMulticast)
        case views(GroupMember)
        case skeen(SkeenMulticast)
    }

    private static let payload = Payload([7])
    private var core: Core

    /// All members of one group; with `skeen` three groups of all.
    init(_ kind: MulticastKind, _ name: ProcessID, _ names: [ProcessID], window: Int) {
        switch kind {
        case .members(.reliable):
            core = .plain(ReliableMulticast(process: name, group: names, window: window))
        case .members(.uniform):
            core = .plain(
                ReliableMulticast(process: name, group: names, guarantee: .uniform, window: window))
        case .members(.causal): core = .causal(CausalMulticast(process: name, group: names, window: window))
        case .members(let kind):
            core = .flooding(
                FloodingMulticast(process: name, group: names, guarantee: kind.flooding, window: window))
        case .views(let kind):
            core = .views(
                GroupMember(process: name, founders: names, settings: kind.settings(window: window)))
        case .groups:
            core = .skeen(SkeenMulticast(process: name, groups: [names, names, names], window: window))
        }
    }

    var heldCount: Int {
        switch core {
        case .plain(let core): core.heldCount
        case .causal(let core): core.heldCount
        case .flooding(let core): core.heldCount
        case .views(let core): core.heldCount
        case .skeen(let core): core.heldCount
        }
    }

    mutating func step(_ input: Input) -> [Effect] {
        switch core {
        case .plain(var member):
            let effects = Self.step(&member, input, Message.numbered) {
                if case .numbered(let message) = $0 { message } else { nil }
            }
            core = .plain(member)
            return effects
        case .causal(var member):
            let effects = Self.step(&member, input, Message.numbered) {
                if case .numbered(let message) = $0 { message } else { nil }
            }
            core = .causal(member)
            return effects
        case .flooding(var member):
            let effects = Self.step(&member, input, Message.flooded) {
                if case .flooded(let frame) = $0 { frame } else { nil }
            }
            core = .flooding(member)
            return effects
        case .views(var member):
            let effects = Self.step(&member, input)
            core = .views(member)
            return effects
        case .skeen(var member):
            let effects = Self.step(&member, input)
            core = .skeen(member)
            return effects
        }
    }

    private static func step<Member: MulticastMember>(
        _ member: inout Member, _ input: Input, _ wrap: (Member.Message) -> Message,
        _ unwrap: (Message) -> Member.Message?
    ) -> [Effect] {
        var outputs: [Member.Output] = []
        switch input {
        case .multicast: member.step(.multicast(payload), at: .zero, into: &outputs)
        case .tick: member.step(.timerFired, at: .zero, into: &outputs)
        case .received(let message, let sender):
            guard let message = unwrap(message) else { return [] }
            member.step(.received(message, from: sender), at: .zero, into: &outputs)
        }
        return outputs.compactMap { output in
            switch output {
            case .send(let message, let receiver): .send(wrap(message), to: receiver)
            case .deliver(let id, _): .deliver(id)
            case .refuse: .refuse
            case .setTimer, .ready: nil
            }
        }
    }

    private static func step(_ member: inout GroupMember, _ input: Input) -> [Effect] {
        var outputs: [GroupMember.Output] = []
        switch input {
        case .multicast: member.step(.multicast(payload), at: .zero, into: &outputs)
        case .tick: member.step(.timerFired, at: .zero, into: &outputs)
        case .received(.viewed(let message), let sender):
            member.step(.received(message, from: sender), at: .zero, into: &outputs)
        case .received: return []
        }
        return outputs.compactMap { output in
            switch output {
            case .send(let message, let receiver): .send(.viewed(message), to: receiver)
            case .deliver(let id, _): .deliver(id)
            case .refuse: .refuse
            case .install, .setTimer, .ready, .stop: nil
            }
        }
    }

    private static func step(_ member: inout SkeenMulticast, _ input: Input) -> [Effect] {
        var outputs: [SkeenMulticast.Output] = []
        switch input {
        case .multicast: member.step(.multicast(payload, to: [0]), at: .zero, into: &outputs)
        case .tick: member.step(.timerFired, at: .zero, into: &outputs)
        case .received(.agreed(let frame), let sender):
            member.step(.received(frame, from: sender), at: .zero, into: &outputs)
        case .received: return []
        }
        return outputs.compactMap { output in
            switch output {
            case .send(let frame, let receiver): .send(.agreed(frame), to: receiver)
            case .deliver(let id, _): .deliver(id)
            case .refuse: .refuse
            case .setTimer, .ready: nil
            }
        }
    }
}
