/// The objects that a recorded history can be held against.
public enum ObjectModel: String, CaseIterable, Sendable {
    case register
    case compareAndSetRegister = "cas-register"
    case keyValue = "kv"
    case queue
    case lock

    /// Whether an operation of a history in plain lines names a key.
    public var hasKeys: Bool { self == .keyValue }

    /// Throws `HistoryError` when an operation is none of the object's. `known` is told the verdict before the time
    /// begins that is spent on showing why a history has no explanation.
    public func check(
        _ history: History, limits: HistoryLimits = HistoryLimits(),
        known: (HistoryVerdict) throws -> Void = { _ in }
    ) throws -> HistoryVerdict {
        func check<Object: RecordedObject>(_: Object.Type) throws -> HistoryVerdict {
            let check = try HistoryCheck<Object>(history, limits)
            var verdict = check.verdict()
            try known(verdict)
            check.explain(&verdict)
            return verdict
        }
        switch self {
        case .register:
            if let operation = history.operations.first(where: { $0.function == "cas" }) {
                throw HistoryError(
                    line: operation.line,
                    "cas is not read or write; there is \(Self.compareAndSetRegister.rawValue)")
            }
            return try check(Register.self)
        case .compareAndSetRegister: return try check(Register.self)
        case .keyValue: return try check(KeyValueCell.self)
        case .queue: return try check(Queue.self)
        case .lock: return try check(Lock.self)
        }
    }
}

public struct HistoryLimits: Hashable, Sendable {
    /// What a configuration takes on average, where the object's state is small.
    static let bytesOfConfiguration = 200

    /// Configurations that the searches of all keys remember together. One with a large state counts for several.
    public var configurations: Int
    /// How long is spent at most, once the verdict is known, on how far a history without an explanation can be
    /// explained and on making it smaller.
    public var cutDownTime: Duration

    public init(configurations: Int = 10_000_000, cutDownTime: Duration = .seconds(2)) {
        self.configurations = configurations
        self.cutDownTime = cutDownTime
    }

    /// As many as fit into so much memory, by what one takes on average.
    public init(bytes: Int, cutDownTime: Duration = .seconds(2)) {
        self.init(configurations: max(1, bytes / Self.bytesOfConfiguration), cutDownTime: cutDownTime)
    }
}
