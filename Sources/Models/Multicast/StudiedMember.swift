import Automata
import GroupCommunication
import Multicast

/// A member of a group as the checker drives it, whatever core it is made of.
protocol StudiedMember: Hashable, Sendable {
    associatedtype Message: Hashable & Sendable & CustomStringConvertible

    mutating func start() -> [MemberEffect<Message>]
    /// The next multicast of this process; to which groups is a matter of the member.
    mutating func multicast() -> [MemberEffect<Message>]
    mutating func receive(_ message: Message, from sender: ProcessID) -> [MemberEffect<Message>]
    /// Time passes: what is sent from time to time is sent.
    mutating func tick() -> [MemberEffect<Message>]
    /// Whether the message only asks for another that was sent already. As long as nobody has crashed that one comes in
    /// any case, so that nothing bears on who asks for it.
    static func isRequest(_ message: Message) -> Bool
    /// Whether, once somebody has crashed, it may wait for something that only time brings.
    var needsTime: Bool { get }
    /// The process has crashed, or is taken to have.
    mutating func missed(_ process: ProcessID) -> [MemberEffect<Message>]
}

enum MemberEffect<Message: Hashable & Sendable>: Hashable, Sendable {
    case send(Message, to: ProcessID)
    case deliver(MulticastID)
    case install(View)
    /// It is no member any more; whether by its own wish.
    case stop(hasLeft: Bool)
    /// The multicast was not taken.
    case refuse
}

/// A member of a group that is given once and for all.
struct StaticStudy<Core: MulticastMember>: StudiedMember {
    typealias Message = Core.Message
    private var core: Core
    /// As it was at first.
    private let pristine: Core
    private let name: ProcessID
    private let flaw: MulticastSystem.Flaw?
    var needsTime: Bool { true }

    static func isRequest(_ message: Message) -> Bool {
        if case .missing? = message as? MulticastMessage { true } else { false }
    }

    init(_ core: Core, of name: ProcessID, _ flaw: MulticastSystem.Flaw? = nil) {
        self.core = core
        pristine = core
        self.name = name
        self.flaw = flaw
    }

    mutating func start() -> [MemberEffect<Message>] { [] }
    mutating func multicast() -> [MemberEffect<Message>] { step(.multicast(Payload([]))) }
    mutating func tick() -> [MemberEffect<Message>] { step(.timerFired) }
    mutating func missed(_ process: ProcessID) -> [MemberEffect<Message>] { step(.departed(process)) }
    mutating func receive(_ message: Message, from sender: ProcessID) -> [MemberEffect<Message>] {
        if flaw == .forgets { core = pristine }
        return step(.received(message, from: sender))
    }

    private mutating func step(_ input: Core.Input) -> [MemberEffect<Message>] {
        var outputs: [Core.Output] = []
        core.step(input, at: .zero, into: &outputs)
        return outputs.compactMap { output in
            switch output {
            case .send(let message, let receiver):
                Self.isAcknowledgement(message) || flaw == .onlySenderRepeats && isOfAnother(message)
                    ? nil : .send(message, to: receiver)
            case .deliver(let id, _): .deliver(id)
            case .refuse: .refuse
            case .setTimer, .ready: nil
            }
        }
    }

    private func isOfAnother(_ message: Message) -> Bool {
        if case .data(let id, _)? = message as? MulticastMessage { id.sender != name } else { false }
    }

    /// What was sent comes in the end, so that nothing bears on what was acknowledged.
    private static func isAcknowledgement(_ message: Message) -> Bool {
        if case .acknowledged? = message as? FloodingMulticast.Frame { true } else { false }
    }
}

/// A member of a group with views.
struct ViewStudy: StudiedMember {
    typealias Message = GroupMessage
    private var core: GroupMember
    /// In a view that does not change nothing is missing that a change would not bring.
    var needsTime: Bool { core.isChanging }

    static func isRequest(_ message: Message) -> Bool {
        if case .multicast(_, .missing) = message { true } else { false }
    }

    init(_ core: GroupMember) { self.core = core }

    mutating func start() -> [MemberEffect<Message>] { step(.start) }
    mutating func multicast() -> [MemberEffect<Message>] { step(.multicast(Payload([]))) }
    mutating func tick() -> [MemberEffect<Message>] { step(.timerFired) }
    mutating func missed(_ process: ProcessID) -> [MemberEffect<Message>] { step(.suspected(process)) }
    mutating func receive(_ message: Message, from sender: ProcessID) -> [MemberEffect<Message>] {
        step(.received(message, from: sender))
    }

    private mutating func step(_ input: GroupMember.Input) -> [MemberEffect<Message>] {
        var outputs: [GroupMember.Output] = []
        core.step(input, at: .zero, into: &outputs)
        return outputs.compactMap { output in
            switch output {
            case .send(let message, let receiver): .send(message, to: receiver)
            case .deliver(let id, _): .deliver(id)
            case .install(let view): .install(view)
            case .stop(let reason): .stop(hasLeft: reason == .left)
            case .refuse: .refuse
            case .setTimer, .ready: nil
            }
        }
    }
}

/// A process in groups that overlap: the first of its multicasts goes to all groups, the next to the first group, then
/// to the second and so on.
struct SkeenStudy: StudiedMember {
    typealias Message = SkeenMulticast.Frame
    private var core: SkeenMulticast
    private var sent = 0
    var needsTime: Bool { false }

    static func isRequest(_ message: Message) -> Bool { false }

    init(_ core: SkeenMulticast) { self.core = core }

    mutating func start() -> [MemberEffect<Message>] { [] }
    mutating func tick() -> [MemberEffect<Message>] { [] }
    mutating func missed(_ process: ProcessID) -> [MemberEffect<Message>] { [] }
    mutating func multicast() -> [MemberEffect<Message>] {
        let all = Array(core.groups.indices)
        let groups = sent == 0 ? all : [all[(sent - 1) % all.count]]
        sent += 1
        return step(.multicast(Payload([]), to: groups))
    }
    mutating func receive(_ message: Message, from sender: ProcessID) -> [MemberEffect<Message>] {
        step(.received(message, from: sender))
    }

    private mutating func step(_ input: SkeenMulticast.Input) -> [MemberEffect<Message>] {
        var outputs: [SkeenMulticast.Output] = []
        core.step(input, at: .zero, into: &outputs)
        return outputs.compactMap { output in
            switch output {
            // What was sent comes in the end, so that nothing bears on what was acknowledged.
            case .send(.acknowledged, _): nil
            case .send(let message, let receiver): .send(message, to: receiver)
            case .deliver(let id, _): .deliver(id)
            case .refuse: .refuse
            case .setTimer, .ready: nil
            }
        }
    }
}
