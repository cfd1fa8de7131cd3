/// The objects that a recorded history can be held against.
public enum ObjectModel: String, CaseIterable, Sendable {
    case register
    case compareAndSetRegister = "cas-register"
    case keyValue = "kv"
    case queue
    case lock

    /// Whether an operation of a history in plain lines names a key.
    public var hasKeys: Bool { self == .keyValue }

    /// Throws `HistoryError` when an operation is none of the object's.
    public func check(_ history: History, limits: HistoryLimits = HistoryLimits()) throws -> HistoryVerdict {
        switch self {
        case .register:
            if let operation = history.operations.first(where: { $0.function == "cas" }) {
                throw HistoryError(
                    line: operation.line,
                    "cas is not read or write; there is \(Self.compareAndSetRegister.rawValue)")
            }
            return try HistoryVerdict(history, as: Register.self, limits)
        case .compareAndSetRegister: return try HistoryVerdict(history, as: Register.self, limits)
        case .keyValue: return try HistoryVerdict(history, as: KeyValueCell.self, limits)
        case .queue: return try HistoryVerdict(history, as: Queue.self, limits)
        case .lock: return try HistoryVerdict(history, as: Lock.self, limits)
        }
    }
}

public struct HistoryLimits: Hashable, Sendable {
    /// Configurations that a search remembers, over all keys one after another.
    public var configurations: Int

    public init(configurations: Int = 10_000_000) { self.configurations = configurations }

    /// As many as fit into so much memory, by what one takes on average.
    public init(bytes: Int) { configurations = max(1, bytes / 200) }
}
