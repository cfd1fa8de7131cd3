/// What a model promises, in the words of temporal logic.
///
/// `always` is safety: a finite trace refutes it. `sometimes` is refuted only by having looked at every
/// state. The others are about infinite runs and are refuted by a lasso, a finite stem and a cycle, that the
/// model's fairness allows. (Lamport, Proving the Correctness of Multiprocess Programs, TSE 1977; Alpern,
/// Schneider, Defining Liveness, IPL 1985.)
public struct Property<State: Sendable>: Sendable {
    public typealias Predicate = @Sendable (State) -> Bool

    public enum Kind: String, Sendable {
        /// □p: in every reachable state.
        case always
        /// In at least one reachable state. It says that the model is able to do what it is about.
        case sometimes
        /// ◇p: on every fair run there is a state in which it holds.
        case eventually
        /// □◇p: on every fair run it holds again and again.
        case alwaysEventually
        /// ◇□p: on every fair run it holds from some point on.
        case eventuallyAlways
        /// p ⇝ q: on every fair run, whenever p holds, q holds then or later.
        case leadsTo
    }

    public let name: String
    public let kind: Kind
    /// What must hold; of `leadsTo`, what must follow.
    @usableFromInline let holds: Predicate
    /// Of `leadsTo`, what must be followed.
    let premise: Predicate?

    private init(_ kind: Kind, _ name: String, _ holds: @escaping Predicate, premise: Predicate? = nil) {
        self.kind = kind
        self.name = name
        self.holds = holds
        self.premise = premise
    }

    public static func always(_ name: String, _ p: @escaping Predicate) -> Property {
        Property(.always, name, p)
    }
    public static func sometimes(_ name: String, _ p: @escaping Predicate) -> Property {
        Property(.sometimes, name, p)
    }
    public static func eventually(_ name: String, _ p: @escaping Predicate) -> Property {
        Property(.eventually, name, p)
    }
    public static func alwaysEventually(_ name: String, _ p: @escaping Predicate) -> Property {
        Property(.alwaysEventually, name, p)
    }
    public static func eventuallyAlways(_ name: String, _ p: @escaping Predicate) -> Property {
        Property(.eventuallyAlways, name, p)
    }
    public static func leadsTo(
        _ name: String, from p: @escaping Predicate, to q: @escaping Predicate
    ) -> Property {
        Property(.leadsTo, name, q, premise: p)
    }

    /// Whether infinite runs have to be looked at.
    public var isLiveness: Bool { kind != .always && kind != .sometimes }
}
