extension KeyRange {
    func encode(into encoder: inout CommandEncoder) {
        encoder.write(key)
        encoder.write(end == nil ? UInt8(0) : 1)
        if let end { encoder.write(end) }
    }

    init(from decoder: inout CommandDecoder) throws {
        self.init(key: try decoder.string())
        if try decoder.flags(below: 2) == 1 { end = try decoder.string() }
    }
}

extension PutOperation {
    private static var previousFlag: UInt8 { 1 }
    private static var ignoreValueFlag: UInt8 { 2 }
    private static var ignoreLeaseFlag: UInt8 { 4 }
    private static var leaseFlag: UInt8 { 8 }

    func encode(into encoder: inout CommandEncoder) {
        encoder.write(
            (previousKeyValue ? Self.previousFlag : 0) | (ignoreValue ? Self.ignoreValueFlag : 0)
                | (ignoreLease ? Self.ignoreLeaseFlag : 0) | (lease != 0 ? Self.leaseFlag : 0))
        encoder.write(key)
        encoder.write(value)
        if lease != 0 { encoder.write(lease) }
    }

    init(from decoder: inout CommandDecoder) throws {
        let flags = try decoder.flags(below: 16)
        self.init(key: try decoder.string(), value: try decoder.string())
        if flags & Self.leaseFlag != 0 { lease = try decoder.signedNumber() }
        previousKeyValue = flags & Self.previousFlag != 0
        ignoreValue = flags & Self.ignoreValueFlag != 0
        ignoreLease = flags & Self.ignoreLeaseFlag != 0
    }
}

extension DeleteOperation {
    func encode(into encoder: inout CommandEncoder) {
        encoder.write(previousKeyValue ? UInt8(1) : 0)
        range.encode(into: &encoder)
    }

    init(from decoder: inout CommandDecoder) throws {
        let flags = try decoder.flags(below: 2)
        self.init(range: try KeyRange(from: &decoder))
        previousKeyValue = flags == 1
    }
}

extension RangeQuery {
    func encode(into encoder: inout CommandEncoder) {
        range.encode(into: &encoder)
        encoder.write(limit)
        encoder.write(revision)
        let orderCode: UInt8 =
            switch order {
            case .none: 0
            case .ascending: 1
            case .descending: 2
            }
        let targetCode: UInt8 =
            switch target {
            case .key: 0
            case .version: 1
            case .createRevision: 2
            case .modRevision: 3
            case .value: 4
            }
        encoder.write(orderCode << 4 | targetCode)
        let bounds = [minModRevision, maxModRevision, minCreateRevision, maxCreateRevision]
        let hasBounds = bounds.contains { $0 != 0 }
        encoder.write((keysOnly ? UInt8(1) : 0) | (countOnly ? 2 : 0) | (hasBounds ? 4 : 0))
        if hasBounds { for bound in bounds { encoder.write(bound) } }
    }

    init(from decoder: inout CommandDecoder) throws {
        self.init(range: try KeyRange(from: &decoder))
        limit = try decoder.signedNumber()
        revision = try decoder.signedNumber()
        let orders: [Order] = [.none, .ascending, .descending]
        let targets: [Target] = [.key, .version, .createRevision, .modRevision, .value]
        let sort = try decoder.byte()
        guard sort >> 4 < orders.count, sort & 15 < targets.count else {
            throw CommandDecodingError.malformed
        }
        order = orders[Int(sort >> 4)]
        target = targets[Int(sort & 15)]
        let flags = try decoder.flags(below: 8)
        keysOnly = flags & 1 != 0
        countOnly = flags & 2 != 0
        guard flags & 4 != 0 else { return }
        minModRevision = try decoder.signedNumber()
        maxModRevision = try decoder.signedNumber()
        minCreateRevision = try decoder.signedNumber()
        maxCreateRevision = try decoder.signedNumber()
    }
}

extension Compare {
    func encode(into encoder: inout CommandEncoder) {
        range.encode(into: &encoder)
        encoder.write(relation.rawValue)
        switch operand {
        case .version(let number):
            encoder.write(UInt8(0))
            encoder.write(number)
        case .createRevision(let number):
            encoder.write(UInt8(1))
            encoder.write(number)
        case .modRevision(let number):
            encoder.write(UInt8(2))
            encoder.write(number)
        case .value(let value):
            encoder.write(UInt8(3))
            encoder.write(value)
        case .lease(let number):
            encoder.write(UInt8(4))
            encoder.write(number)
        }
    }

    init(from decoder: inout CommandDecoder) throws {
        let range = try KeyRange(from: &decoder)
        guard let relation = Relation(rawValue: try decoder.byte()) else {
            throw CommandDecodingError.malformed
        }
        let operand: Operand =
            switch try decoder.byte() {
            case 0: .version(try decoder.signedNumber())
            case 1: .createRevision(try decoder.signedNumber())
            case 2: .modRevision(try decoder.signedNumber())
            case 3: .value(try decoder.string())
            case 4: .lease(try decoder.signedNumber())
            default: throw CommandDecodingError.malformed
            }
        self.init(range: range, relation: relation, operand: operand)
    }
}

extension KeyValueTransaction {
    /// Transactions nested deeper are neither proposed nor decoded: a bound on the stack that they take.
    public static let maximumDepth = 128

    func encode(into encoder: inout CommandEncoder) {
        encoder.write(compares) { $1.encode(into: &$0) }
        encoder.write(success) { $1.encode(into: &$0) }
        encoder.write(failure) { $1.encode(into: &$0) }
    }

    init(from decoder: inout CommandDecoder, depth: Int) throws {
        guard depth <= Self.maximumDepth else { throw CommandDecodingError.tooDeep }
        self.init()
        compares = try decoder.elements { try Compare(from: &$0) }
        success = try decoder.elements { try Operation(from: &$0, depth: depth) }
        failure = try decoder.elements { try Operation(from: &$0, depth: depth) }
    }
}

extension KeyValueTransaction.Operation {
    func encode(into encoder: inout CommandEncoder) {
        switch self {
        case .range(let query):
            encoder.write(UInt8(0))
            query.encode(into: &encoder)
        case .put(let put):
            encoder.write(UInt8(1))
            put.encode(into: &encoder)
        case .delete(let delete):
            encoder.write(UInt8(2))
            delete.encode(into: &encoder)
        case .transaction(let transaction):
            encoder.write(UInt8(3))
            transaction.encode(into: &encoder)
        }
    }

    init(from decoder: inout CommandDecoder, depth: Int) throws {
        switch try decoder.byte() {
        case 0: self = .range(try RangeQuery(from: &decoder))
        case 1: self = .put(try PutOperation(from: &decoder))
        case 2: self = .delete(try DeleteOperation(from: &decoder))
        case 3: self = .transaction(try KeyValueTransaction(from: &decoder, depth: depth + 1))
        default: throw CommandDecodingError.malformed
        }
    }
}
