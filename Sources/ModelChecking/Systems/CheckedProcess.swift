import Automata

/// A process as a checker drives it: an automaton with just enough of a host around it. Each core conforms
/// where it is studied, by translating between its own inputs and outputs and these.
///
/// A value must hold all that the process's next steps depend on, and need not hold more: two processes that
/// are equal are taken for the same, so that `==` may leave out what bears on nothing. A process that is not
/// `Fingerprinted` is named by its structure, field by field; one that leaves something out of `==` must be
/// `Fingerprinted` and leave out the same.
public protocol CheckedProcess: Automaton, Hashable, Sendable
where
    Input == CheckedInput<Message, Request, Timer>, Output == CheckedOutput<Message, Timer, Durable>
{
    /// What processes say to each other.
    associatedtype Message: Hashable & Sendable
    /// What the environment may ask of a process.
    associatedtype Request: Hashable & Sendable = Never
    associatedtype Timer: Hashable & Sendable = Never
    /// What a crash leaves.
    associatedtype Durable: Hashable & Sendable = NothingDurable

    /// What the environment may ask for now; the checker tries each.
    var requests: [Request] { get }

    /// Whether `requests(in:)` has anything to say. It is the same for equal processes.
    var looksIntoInbox: Bool { get }

    /// Further requests that depend on the messages on their way to this process, as where it waits for a
    /// quorum of answers and takes them all in one step.
    func requests(in inbox: [CheckedMessage<Message>]) -> [Request]

    /// What is durable before anything was made so.
    var initiallyDurable: Durable { get }

    /// The process that starts after a crash. It is asked of the value that the process had at first.
    func recovered(from durable: Durable) -> Self
}

/// What a process keeps that keeps nothing.
public struct NothingDurable: Hashable, Sendable, Fingerprinted {
    public init() {}
    public func combine(into hash: inout StableHash) {}
}

extension CheckedProcess {
    public var requests: [Request] { [] }
    public var looksIntoInbox: Bool { false }
    public func requests(in inbox: [CheckedMessage<Message>]) -> [Request] { [] }
}

extension CheckedProcess where Durable == NothingDurable {
    public var initiallyDurable: NothingDurable { NothingDurable() }
    public func recovered(from durable: NothingDurable) -> Self { self }
}

/// What happens to a process. Names are in the past tense.
public enum CheckedInput<Message, Request, Timer> {
    /// The first input, and again after every crash.
    case started
    case received(Message, from: ProcessID)
    case requested(Request)
    /// The checker fires a timer that is set at any moment, once.
    case timerFired(Timer)
    /// So many more states have become durable, in the order in which they were handed over.
    case durable(count: Int)
}

/// What a process wants its host to do, in order. Names are imperatives.
public enum CheckedOutput<Message, Timer, Durable> {
    case send(Message, to: ProcessID)
    /// Send once everything handed over so far is durable.
    case sendWhenDurable(Message, to: ProcessID)
    /// This is what shall be left by a crash, all of it; it takes the place of what was.
    case persist(Durable)
    case setTimer(Timer)
    case cancelTimer(Timer)
}

/// A message on its way.
public struct CheckedMessage<Message: Hashable & Sendable>: Hashable, Sendable {
    public let message: Message
    public let from: ProcessID
    public let to: ProcessID

    public init(_ message: Message, from: ProcessID, to: ProcessID) {
        self.message = message
        self.from = from
        self.to = to
    }
}
