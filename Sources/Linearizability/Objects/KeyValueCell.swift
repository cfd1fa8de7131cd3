/// What a key-value store holds under one key: `get`, `put V`, `append V`; empty at first.
///
/// Keys do not touch each other, so that a history is linearizable when it is for each key by itself (Herlihy and
/// Wing 1990, theorem 1: locality). A put of a value that is no part of any answer, in a history without appends, can
/// be left out for the same reason as a write of a register.
public struct KeyValueCell: RecordedObject {
    public enum Call: Hashable, Sendable {
        case get
        case put(String)
        case append(String)
    }

    public enum Answer: Hashable, Sendable {
        case value(String)
        case done
    }

    private var value = ""

    public init() {}

    public mutating func apply(_ call: Call) -> Answer {
        switch call {
        case .get: return .value(value)
        case .put(let new): value = new
        case .append(let more): value += more
        }
        return .done
    }

    public static func isObservation(_ call: Call) -> Bool { call == .get }

    public static func separable(_ operations: [Operation<KeyValueCell>]) -> [[Int]] {
        let hasAppends = operations.contains { if case .append = $0.call { true } else { false } }
        guard !hasAppends else { return [] }
        return operations.indices.filter { index in
            guard case .put(let value) = operations[index].call else { return false }
            return !operations.indices.contains {
                $0 != index && (operations[$0].answer == .value(value) || operations[$0].call == .put(value))
            }
        }.map { [$0] }
    }

    static func operation(_ recorded: RecordedOperation) throws -> Operation<KeyValueCell> {
        switch recorded.function {
        case "get", "read": operation(recorded, .get, .value(recorded.answer ?? ""))
        case "put", "write": operation(recorded, .put(try argument(recorded)), .done)
        case "append": operation(recorded, .append(try argument(recorded)), .done)
        default: throw refuse(recorded, "get, put or append")
        }
    }
}
