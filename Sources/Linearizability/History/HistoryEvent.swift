/// One line of a history: a process began an operation, or learned how it ended.
public struct HistoryEvent: Hashable, Sendable {
    public enum Kind: String, Hashable, Sendable {
        case invoke
        /// The operation took effect, with this answer.
        case ok
        /// The operation did not take effect and never will.
        case fail
        /// Nobody knows: it may take effect at any later time, or never.
        case info
    }

    public var process: Int
    public var kind: Kind
    /// What was called, such as `read`, `write`, `enqueue`.
    public var function: String
    /// What the operation is about, where a history speaks of several objects.
    public var key: String?
    /// The argument at an `invoke`, the answer at an `ok`; nil for none.
    public var value: String?

    public init(process: Int, kind: Kind, function: String, key: String? = nil, value: String? = nil) {
        self.process = process
        self.kind = kind
        self.function = function
        self.key = key
        self.value = value
    }
}

/// Why a text is not a history, or not one of that object.
public struct HistoryError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Counted from 1; nil where the fault is in no single line.
    public var line: Int?
    public var message: String

    public init(line: Int?, _ message: String) {
        self.line = line
        self.message = message
    }

    public var description: String { line.map { "line \($0): \(message)" } ?? message }
}
