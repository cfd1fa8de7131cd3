import Automata

/// What happens to a member of a group that is given once and for all. Names are in the past tense.
public enum MulticastInput<Message: Hashable & Sendable>: Hashable, Sendable {
    case start
    case multicast(Payload)
    case received(Message, from: ProcessID)
    case timerFired
    /// The member crashed or left, and does not come back under this name.
    case departed(ProcessID)
}

/// What a member wants its host to do, in order. Names are imperatives.
public enum MulticastOutput<Message: Hashable & Sendable>: Hashable, Sendable {
    case send(Message, to: ProcessID)
    case deliver(MulticastID, Payload)
    case setTimer(after: ClosedRange<TimeSpan>)
    /// So much of this process's is on its way that it must wait; nothing was sent.
    case refuse(Payload)
    /// There is room again after a refusal.
    case ready
}

/// A member of a group that is given once and for all, whatever its multicasts promise.
public protocol MulticastMember: Automaton, Hashable, Sendable
where Input == MulticastInput<Message>, Output == MulticastOutput<Message> {
    /// What members say to each other.
    associatedtype Message: Hashable & Sendable & CustomStringConvertible

    var process: ProcessID { get }
    /// Multicasts that are held here for whatever reason.
    var heldCount: Int { get }
}
