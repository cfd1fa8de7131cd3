/// A register with `read`, `write V` and `cas [OLD NEW]`; nil at first. A `cas` that is recorded as `ok` found the
/// old value.
///
/// A write of a value that no other operation names can be left out: in a linearization nothing that depends on the
/// value stands between it and the next write.
public struct Register: RecordedObject {
    public enum Call: Hashable, Sendable {
        case read
        case write(String)
        case compareAndSet(old: String, new: String)
    }

    public enum Answer: Hashable, Sendable {
        case value(String?)
        case written
        case isSet(Bool)
    }

    private var value: String?

    public init() {}

    public mutating func apply(_ call: Call) -> Answer {
        switch call {
        case .read: return .value(value)
        case .write(let new):
            value = new
            return .written
        case .compareAndSet(let old, let new):
            guard value == old else { return .isSet(false) }
            value = new
            return .isSet(true)
        }
    }

    public static func isObservation(_ call: Call) -> Bool { call == .read }

    public static func separable(_ operations: [Operation<Register>]) -> [[Int]] {
        operations.indices.filter { index in
            guard case .write(let value) = operations[index].call else { return false }
            return !operations.indices.contains { $0 != index && names(operations[$0], value) }
        }.map { [$0] }
    }

    private static func names(_ operation: Operation<Register>, _ value: String) -> Bool {
        switch operation.call {
        case .read: operation.answer == .value(value)
        case .write(let other): other == value
        case .compareAndSet(let old, let new): old == value || new == value
        }
    }

    static func operation(_ recorded: RecordedOperation) throws -> Operation<Register> {
        switch recorded.function {
        case "read": return operation(recorded, .read, .value(recorded.answer))
        case "write": return operation(recorded, .write(try argument(recorded)), .written)
        case "cas":
            let parts = try argument(recorded).split { "[] ".contains($0) }
            guard parts.count == 2 else {
                throw HistoryError(line: recorded.line, "cas needs [OLD NEW]")
            }
            return operation(
                recorded, .compareAndSet(old: String(parts[0]), new: String(parts[1])), .isSet(true))
        default: throw refuse(recorded, "read, write or cas")
        }
    }
}
