import Automata

/// A system as a graph: states, and the actions that lead from one to the next.
///
/// A checker calls a model from several threads at once, so a model is an immutable value. The same state
/// must give the same actions in the same order every time; that, and stable fingerprints, is what makes a
/// result the same for every number of workers.
public protocol Model: Sendable {
    associatedtype State: Hashable & Sendable
    associatedtype Action: Sendable

    func initialStates() -> [State]

    /// Appends every action that may be taken in `state`. The array is reused between states.
    func addActions(in state: State, to actions: inout [Action])

    /// The state after `action`, or `nil` when the action turns out to do nothing at all and is no step.
    func successor(of state: State, by action: Action) -> State?

    /// A name of the state that is the same in every run and on every machine.
    func fingerprint(of state: State) -> Fingerprint

    /// What must hold. Names must differ.
    var properties: [Property<State>] { get }

    /// Which actions are not put off for ever. Only properties about infinite runs depend on it.
    var fairness: [Fairness<Action>] { get }

    /// The one state that stands for all that differ from `state` only by a symmetry. What follows from two
    /// symmetric states must be symmetric, and properties must not tell them apart.
    func canonical(_ state: State) -> State

    /// Whether `state` is to be looked at; one that is not is neither counted nor checked nor expanded.
    func isWithinBoundary(_ state: State) -> Bool

    /// One sentence for a trace: what happens when `action` is taken in `state`.
    func describe(_ action: Action, in state: State) -> String

    /// One line for a trace.
    func describe(_ state: State) -> String

    /// The state in parts that have names, so that a trace can say what a step changed. The same parts in every
    /// state, where that is possible.
    func parts(of state: State) -> [StatePart]

    /// Who takes the step, where somebody does.
    func actor(of action: Action) -> String?
}

/// A part of a state in words.
public struct StatePart: Hashable, Sendable {
    /// The name of the one part of a state that has no others.
    public static let whole = "state"

    public let name: String
    public let text: String

    public init(name: String, text: String) {
        self.name = name
        self.text = text
    }
}

extension Model {
    @inlinable public var fairness: [Fairness<Action>] { [] }
    @inlinable public func canonical(_ state: State) -> State { state }
    @inlinable public func isWithinBoundary(_ state: State) -> Bool { true }
    public func describe(_ action: Action, in state: State) -> String { "\(action)" }
    public func describe(_ state: State) -> String { "\(state)" }
    public func parts(of state: State) -> [StatePart] {
        [StatePart(name: StatePart.whole, text: describe(state))]
    }
    public func actor(of action: Action) -> String? { nil }
}

extension Model where State: Fingerprinted {
    @inlinable public func fingerprint(of state: State) -> Fingerprint { Fingerprint(of: state) }
}
