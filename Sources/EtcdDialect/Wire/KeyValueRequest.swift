import Coordination

/// What decides how a transaction is carried out.
struct TransactionTraits: Hashable {
    /// Every operation is a range of the outermost level: nothing needs to be ordered.
    var readsOnly = true
    /// Every range allows an answer from what this member has.
    var serializable = true
    /// Some put stands in some branch.
    var puts = false
}

/// Reads the requests of the service KV from the wire. Checks come in etcd's order, as clients are told about
/// the first that fails.
enum KeyValueRequestDecoder {
    static func range(_ message: UnsafeRawBufferPointer) throws(EtcdFault) -> (RangeQuery, serializable: Bool)
    {
        let parsed = try parse(message, parseRange)
        try check(parsed.query, parsed.sortIsKnown)
        return (parsed.query, parsed.serializable)
    }

    static func put(_ message: UnsafeRawBufferPointer) throws(EtcdFault) -> PutOperation {
        let operation = try parse(message, parsePut)
        try check(operation)
        return operation
    }

    static func delete(_ message: UnsafeRawBufferPointer) throws(EtcdFault) -> DeleteOperation {
        let operation = try parse(message, parseDelete)
        guard !operation.range.key.isEmpty else { throw .keyNotProvided }
        return operation
    }

    static func compact(_ message: UnsafeRawBufferPointer) throws(EtcdFault) -> (
        revision: Int64, physical: Bool
    ) {
        try parse(message) { (reader) throws(MalformedMessage) in
            var revision: Int64 = 0
            var physical = false
            while let field = try reader.nextField() {
                switch field {
                case 1: revision = try reader.int64()
                case 2: physical = try reader.bool()
                default: try reader.skip()
                }
            }
            return (revision, physical)
        }
    }

    static func check(_ query: RangeQuery, _ sortIsKnown: Bool) throws(EtcdFault) {
        guard !query.range.key.isEmpty else { throw .keyNotProvided }
        guard sortIsKnown else { throw .invalidSortOption }
    }

    static func check(_ operation: PutOperation) throws(EtcdFault) {
        guard !operation.key.isEmpty else { throw .keyNotProvided }
        guard !operation.ignoreValue || operation.value.isEmpty else { throw .valueProvided }
        guard !operation.ignoreLease || operation.lease == 0 else { throw .leaseProvided }
    }

    private static func parse<Value>(
        _ message: UnsafeRawBufferPointer, _ body: (inout ProtobufReader) throws(MalformedMessage) -> Value
    ) throws(EtcdFault) -> Value {
        var reader = ProtobufReader(message)
        do { return try body(&reader) } catch { throw .malformed(error) }
    }

    // MARK: Messages

    struct ParsedRange {
        var query: RangeQuery
        var serializable = false
        var sortIsKnown = true
    }

    static func parseRange(_ reader: inout ProtobufReader) throws(MalformedMessage) -> ParsedRange {
        var key: [UInt8] = []
        var end: [UInt8] = []
        var parsed = ParsedRange(query: RangeQuery(range: KeyRange(key: [])))
        while let field = try reader.nextField() {
            switch field {
            case 1: key = try reader.bytes()
            case 2: end = try reader.bytes()
            case 3: parsed.query.limit = max(0, try reader.int64())
            case 4: parsed.query.revision = try reader.int64()
            case 5:
                switch try reader.enumeration() {
                case 0: parsed.query.order = .none
                case 1: parsed.query.order = .ascending
                case 2: parsed.query.order = .descending
                default: parsed.sortIsKnown = false
                }
            case 6:
                switch try reader.enumeration() {
                case 0: parsed.query.target = .key
                case 1: parsed.query.target = .version
                case 2: parsed.query.target = .createRevision
                case 3: parsed.query.target = .modRevision
                case 4: parsed.query.target = .value
                default: parsed.sortIsKnown = false
                }
            case 7: parsed.serializable = try reader.bool()
            case 8: parsed.query.keysOnly = try reader.bool()
            case 9: parsed.query.countOnly = try reader.bool()
            case 10: parsed.query.minModRevision = try reader.int64()
            case 11: parsed.query.maxModRevision = try reader.int64()
            case 12: parsed.query.minCreateRevision = try reader.int64()
            case 13: parsed.query.maxCreateRevision = try reader.int64()
            default: try reader.skip()
            }
        }
        parsed.query.range = KeyRange(key: key, wireEnd: end)
        return parsed
    }

    static func parsePut(_ reader: inout ProtobufReader) throws(MalformedMessage) -> PutOperation {
        var operation = PutOperation(key: [], value: [])
        while let field = try reader.nextField() {
            switch field {
            case 1: operation.key = try reader.bytes()
            case 2: operation.value = try reader.bytes()
            case 3: operation.lease = try reader.int64()
            case 4: operation.previousKeyValue = try reader.bool()
            case 5: operation.ignoreValue = try reader.bool()
            case 6: operation.ignoreLease = try reader.bool()
            default: try reader.skip()
            }
        }
        return operation
    }

    static func parseDelete(_ reader: inout ProtobufReader) throws(MalformedMessage) -> DeleteOperation {
        var key: [UInt8] = []
        var end: [UInt8] = []
        var previous = false
        while let field = try reader.nextField() {
            switch field {
            case 1: key = try reader.bytes()
            case 2: end = try reader.bytes()
            case 3: previous = try reader.bool()
            default: try reader.skip()
            }
        }
        var operation = DeleteOperation(range: KeyRange(key: key, wireEnd: end))
        operation.previousKeyValue = previous
        return operation
    }
}

extension KeyRange {
    /// The wire says "only the key" by an empty end and "everything from the key on" by one zero byte.
    init(key: [UInt8], wireEnd end: [UInt8]) {
        if end.isEmpty {
            self.init(key: key)
        } else if end.count == 1, end[0] == 0 {
            self.init(key: key, end: [])
        } else {
            self.init(key: key, end: end)
        }
    }
}
