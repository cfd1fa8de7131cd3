import Automata

/// What may happen between the processes of a system, and to them.
public struct SystemOptions: Sendable {
    public enum Network: Sendable, Hashable, CaseIterable {
        /// Each channel delivers in the order of sending.
        case fifo
        /// Each channel remembers the order of sending and delivers in any.
        case overtaking
        /// A message is on its way or it is not; there is no order.
        case unordered
        /// What was sent may be received any number of times, in any order, or never: it is a set that only
        /// grows, so that loss, repetition and every order are all covered at once.
        case everSent
    }

    public enum Durability: Sendable, Hashable, CaseIterable {
        /// Together with the step that hands the state over. There is no crash between the two.
        case withStep
        /// Before anything else happens, unless the process crashes first. What others do meanwhile neither
        /// sees nor changes it, so that leaving it out loses nothing where a process never acts on what it has
        /// handed over before it is durable.
        case beforeAnythingElse
        /// Whenever it may be, while everything else goes on.
        case atAnyTime
    }

    public var network = Network.fifo
    public var durability = Durability.atAnyTime
    /// How many crashes there may be, each followed at once by a restart; `nil` for any number.
    public var crashes: Int? = 0
    /// The processes that may crash; `nil` for all.
    public var mayCrash: [ProcessID]?
    /// How many messages may be lost, of those that would be delivered next.
    public var losses: Int? = 0
    /// How many deliveries may leave the message where it is, to be delivered once more.
    public var duplicates: Int? = 0
    /// Groups of processes that start alike and whose names no state and no message holds: states that differ
    /// by a permutation of a group are one. Only senders and receivers are renamed.
    public var interchangeable: [[ProcessID]] = []

    public init() {}

    static let mostFaults = 200
}

/// What must hold of a whole system.
public struct SystemProperty<P: CheckedProcess>: Sendable {
    public typealias Predicate = @Sendable (SystemView<P>) -> Bool

    let kind: Property<SystemState>.Kind
    let name: String
    let holds: Predicate
    var premise: Predicate?

    public static func always(_ name: String, _ p: @escaping Predicate) -> Self {
        Self(kind: .always, name: name, holds: p)
    }
    public static func sometimes(_ name: String, _ p: @escaping Predicate) -> Self {
        Self(kind: .sometimes, name: name, holds: p)
    }
    public static func eventually(_ name: String, _ p: @escaping Predicate) -> Self {
        Self(kind: .eventually, name: name, holds: p)
    }
    public static func alwaysEventually(_ name: String, _ p: @escaping Predicate) -> Self {
        Self(kind: .alwaysEventually, name: name, holds: p)
    }
    public static func eventuallyAlways(_ name: String, _ p: @escaping Predicate) -> Self {
        Self(kind: .eventuallyAlways, name: name, holds: p)
    }
    public static func leadsTo(
        _ name: String, from p: @escaping Predicate, to q: @escaping Predicate
    ) -> Self {
        Self(kind: .leadsTo, name: name, holds: q, premise: p)
    }
}

extension SystemProperty {
    func property(_ store: SystemStore<P>) -> Property<SystemState> {
        let predicate = self.holds
        let holds: @Sendable (SystemState) -> Bool = { predicate(SystemView(store, $0)) }
        switch kind {
        case .always: return .always(name, holds)
        case .sometimes: return .sometimes(name, holds)
        case .eventually: return .eventually(name, holds)
        case .alwaysEventually: return .alwaysEventually(name, holds)
        case .eventuallyAlways: return .eventuallyAlways(name, holds)
        case .leadsTo:
            let premise = premise
            return .leadsTo(name, from: { premise?(SystemView(store, $0)) ?? true }, to: holds)
        }
    }
}

/// How a system is written in a trace.
public struct SystemWords<P: CheckedProcess>: Sendable {
    public var name: @Sendable (ProcessID) -> String = { "\($0)" }
    public var message: @Sendable (P.Message) -> String = { "\($0)" }
    /// What a process does when it is asked, as "starts".
    public var request: @Sendable (P.Request) -> String = { "is asked: \($0)" }
    public var timer: @Sendable (P.Timer) -> String = { "timer \($0) fires" }
    public var process: @Sendable (P) -> String = { "\($0)" }

    public init() {}
}
