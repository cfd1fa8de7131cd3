/// A register with `read`, `write V` and `cas [OLD NEW]`; nil at first. A `cas` that is recorded as `ok` found the
/// old value.
///
/// A write of a value that nothing else names can be left out: in a linearization nothing that depends on the
/// value stands between it and the next write.
public struct Register: RecordedObject {
    public enum Call: Hashable, Sendable {
        case read
        case write(String)
        /// nil stands for no value, as the register has at first.
        case compareAndSet(old: String?, new: String?)
    }

    public enum Answer: Hashable, Sendable {
        case value(String?)
        case written
        case isSet(Bool)
    }

    private enum Content: Hashable {
        case known(String?)
        /// Something that no operation looks at.
        case other
    }

    private var content = Content.known(nil)

    public init() {}

    public mutating func apply(_ call: Call) -> Answer {
        switch call {
        case .read:
            guard case .known(let value) = content else { return .written }
            return .value(value)
        case .write(let new):
            content = .known(new)
            return .written
        case .compareAndSet(let old, let new):
            guard content == .known(old) else { return .isSet(false) }
            content = .known(new)
            return .isSet(true)
        }
    }

    /// What reads answered and what a compare-and-set looks for; nil when nothing else is ever in the register.
    public static func observed(by operations: [Operation<Register>]) -> Set<String?>? {
        var values: Set<String?> = []
        var written: Set<String?> = []
        for operation in operations {
            if case .value(let value)? = operation.answer { values.insert(value) }
            switch operation.call {
            case .read: break
            case .write(let value): written.insert(value)
            case .compareAndSet(let old, let new):
                values.insert(old)
                written.insert(new)
            }
        }
        return written.isSubset(of: values) ? nil : values
    }

    public static func simplified(_ register: Register, for observed: Set<String?>?) -> Register {
        guard let observed, case .known(let value) = register.content, !observed.contains(value) else {
            return register
        }
        var other = register
        other.content = .other
        return other
    }

    public static func isObservation(_ call: Call) -> Bool { call == .read }

    public static func separable(_ operations: [Operation<Register>]) -> [[Int]] {
        var named: [String: Int] = [:]
        for operation in operations {
            for value in values(operation) { named[value, default: 0] += 1 }
        }
        return operations.indices.filter { index in
            guard case .write(let value) = operations[index].call else { return false }
            return named[value] == 1
        }.map { [$0] }
    }

    private static func values(_ operation: Operation<Register>) -> [String] {
        switch operation.call {
        case .read:
            if case .value(let value?) = operation.answer { [value] } else { [] }
        case .write(let value): [value]
        case .compareAndSet(let old, let new): [old, new].compactMap(\.self)
        }
    }

    public static func tells(_ call: Call) -> Bool {
        if case .write = call { false } else { true }
    }

    public static func mayLead(from object: Register, to operation: Operation<Register>) -> Bool {
        isFound(object.content, by: operation)
    }

    public static func mayLead(by call: Call, to operation: Operation<Register>) -> Bool {
        switch call {
        case .read: false
        case .write(let value): isFound(.known(value), by: operation)
        case .compareAndSet(_, let new): isFound(.known(new), by: operation)
        }
    }

    private static func isFound(_ content: Content, by operation: Operation<Register>) -> Bool {
        switch (operation.call, operation.answer) {
        case (.read, .value(let observed)?): content == .known(observed)
        case (.compareAndSet(let old, _), .isSet(let isSet)?): (content == .known(old)) == isSet
        default: true
        }
    }

    public var storedBytes: Int {
        if case .known(let value?) = content, value.utf8.count > 15 { value.utf8.count } else { 0 }
    }

    static func operation(_ recorded: RecordedOperation) throws -> Operation<Register> {
        switch recorded.function {
        case "read": return operation(recorded, .read, .value(recorded.answer))
        case "write": return operation(recorded, .write(try argument(recorded)), .written)
        case "cas":
            guard let parts = Form.parts(of: try argument(recorded)), parts.count == 2 else {
                throw HistoryError(line: recorded.line, "cas needs [OLD NEW]")
            }
            return operation(recorded, .compareAndSet(old: parts[0], new: parts[1]), .isSet(true))
        default: throw refuse(recorded, "read, write or cas")
        }
    }
}
