/// What an object does when its operations come one at a time: the specification that a concurrent history is held
/// against.
public protocol SequentialObject: Hashable, Sendable {
    associatedtype Call: Hashable, Sendable
    associatedtype Answer: Hashable, Sendable

    /// As it is before the first operation.
    init()
    mutating func apply(_ call: Call) -> Answer

    /// Whether the call never changes the object, whatever its state.
    static func isObservation(_ call: Call) -> Bool

    /// Sets of operations, by index, of which each can be left out by itself such that a history that is
    /// linearizable stays so. Only what is proven for the type: see each type's comment. Observations need not be
    /// named.
    static func separable(_ operations: [Operation<Self>]) -> [[Int]]

    /// What the operations of a history look at, worked out once for a search of it.
    associatedtype Observed = Void
    static func observed(by operations: [Operation<Self>]) -> Observed

    /// The object without what none of the operations looks at, so that states that nobody can tell apart are one.
    /// Every answer that was given must come from it if and only if it comes from `object`, also later.
    static func simplified(_ object: Self, for observed: Observed) -> Self

    /// Whether the answer of the call says which state it found, so that the two functions below know something
    /// about it.
    static func tells(_ call: Call) -> Bool

    /// Whether `object` may become, without a call that makes it forget what it was, one that answers as `operation`
    /// did. Only what is certain may be denied.
    static func mayLead(from object: Self, to operation: Operation<Self>) -> Bool

    /// Whether an object that has forgotten by this call what it was may become one that answers as `operation` did.
    /// Only what is certain may be denied.
    static func mayLead(by call: Call, to operation: Operation<Self>) -> Bool

    /// The bytes that the state takes beside those of its type.
    var storedBytes: Int { get }
}

extension SequentialObject where Observed == Void {
    public static func observed(by operations: [Operation<Self>]) {}
    public static func simplified(_ object: Self, for observed: Void) -> Self { object }
}

extension SequentialObject {
    public static func tells(_ call: Call) -> Bool { false }
    public static func mayLead(from object: Self, to operation: Operation<Self>) -> Bool { true }
    public static func mayLead(by call: Call, to operation: Operation<Self>) -> Bool { true }
    public var storedBytes: Int { 0 }

    public static func separable(_ operations: [Operation<Self>]) -> [[Int]] { [] }
}

/// An operation on one object.
public struct Operation<Object: SequentialObject>: Hashable, Sendable {
    public var call: Object.Call
    /// Nil: whatever it was.
    public var answer: Object.Answer?
    /// Places in the order of events. An operation precedes another when it returned before that was invoked.
    public var invoked: Int
    /// Nil: it may take effect at any time after its invocation, or never.
    public var returned: Int?

    public init(_ call: Object.Call, answer: Object.Answer?, invoked: Int, returned: Int?) {
        self.call = call
        self.answer = answer
        self.invoked = invoked
        self.returned = returned
    }
}

/// An object that can be read from a recorded history.
protocol RecordedObject: SequentialObject {
    /// Throws `HistoryError` when the operation is none of the object's.
    static func operation(_ recorded: RecordedOperation) throws -> Operation<Self>
}

extension RecordedObject {
    static func operation(_ recorded: RecordedOperation, _ call: Call, _ answer: Answer?) -> Operation<Self> {
        Operation(
            call, answer: recorded.isOpen ? nil : answer, invoked: recorded.invoked,
            returned: recorded.returned)
    }

    static func refuse(_ recorded: RecordedOperation, _ known: String) -> HistoryError {
        HistoryError(line: recorded.line, "\(recorded.function) is not \(known)")
    }

    static func argument(_ recorded: RecordedOperation) throws -> String {
        guard let argument = recorded.argument else {
            throw HistoryError(line: recorded.line, "\(recorded.function) needs a value")
        }
        return argument
    }
}
