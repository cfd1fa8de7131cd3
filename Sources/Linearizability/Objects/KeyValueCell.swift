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

    /// Nil: something that is the beginning of no answer, until the next put.
    private var value: String? = ""

    public init() {}

    public mutating func apply(_ call: Call) -> Answer {
        switch call {
        case .get: return value.map { .value($0) } ?? .done
        case .put(let new): value = new
        case .append(let more): value? += more
        }
        return .done
    }

    /// The answers of gets, in the order of their bytes.
    public static func observed(by operations: [Operation<KeyValueCell>]) -> [String] {
        let answers = operations.compactMap { operation in
            if case .value(let value)? = operation.answer { value } else { nil }
        }
        return Set(answers).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    public static func simplified(_ cell: KeyValueCell, for observed: [String]) -> KeyValueCell {
        guard let value = cell.value else { return cell }
        // The answers that begin with the value, if there are any, are the first that do not precede it.
        var low = 0
        var high = observed.count
        while low < high {
            let middle = (low + high) / 2
            if observed[middle].utf8.lexicographicallyPrecedes(value.utf8) {
                low = middle + 1
            } else {
                high = middle
            }
        }
        if low < observed.count, observed[low] == value || observed[low].beginsByBytes(with: value) {
            return cell
        }
        var forgotten = cell
        forgotten.value = nil
        return forgotten
    }

    public static func isObservation(_ call: Call) -> Bool { call == .get }

    public static func separable(_ operations: [Operation<KeyValueCell>]) -> [[Int]] {
        let hasAppends = operations.contains { if case .append = $0.call { true } else { false } }
        guard !hasAppends else { return [] }
        var named: [String: Int] = [:]
        for operation in operations {
            if case .put(let value) = operation.call { named[value, default: 0] += 1 }
            if case .value(let value) = operation.answer { named[value, default: 0] += 1 }
        }
        return operations.indices.filter { index in
            guard case .put(let value) = operations[index].call else { return false }
            return named[value] == 1
        }.map { [$0] }
    }

    public static func tells(_ call: Call) -> Bool { call == .get }

    /// Until the next put a value only grows at its end.
    public static func mayLead(from object: KeyValueCell, to operation: Operation<KeyValueCell>) -> Bool {
        object.value.map { mayGrow($0, into: operation) } ?? false
    }

    public static func mayLead(by call: Call, to operation: Operation<KeyValueCell>) -> Bool {
        guard case .put(let value) = call else { return false }
        return mayGrow(value, into: operation)
    }

    private static func mayGrow(_ value: String, into operation: Operation<KeyValueCell>) -> Bool {
        guard case .value(let observed) = operation.answer else { return true }
        return observed == value || observed.beginsByBytes(with: value)
    }

    public var storedBytes: Int { value?.utf8.count ?? 0 }

    static func operation(_ recorded: RecordedOperation) throws -> Operation<KeyValueCell> {
        switch recorded.function {
        case "get", "read": operation(recorded, .get, .value(recorded.answer ?? ""))
        case "put", "write": operation(recorded, .put(try argument(recorded)), .done)
        case "append": operation(recorded, .append(try argument(recorded)), .done)
        default: throw refuse(recorded, "get, put or append")
        }
    }
}

extension String {
    /// Two appended texts may make one character together, so that characters would say no where bytes say yes.
    fileprivate func beginsByBytes(with other: String) -> Bool {
        guard other.utf8.count <= utf8.count else { return false }
        let quick = utf8.withContiguousStorageIfAvailable { mine in
            other.utf8.withContiguousStorageIfAvailable { mine.prefix($0.count).elementsEqual($0) }
        }
        return (quick ?? nil) ?? utf8.starts(with: other.utf8)
    }
}
