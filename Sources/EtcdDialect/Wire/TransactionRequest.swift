import Coordination

/// Reads a transaction from the wire. What is wrong with it is told in etcd's order: number of operations,
/// keys of the compares, operations of both branches, then keys that are written twice.
extension KeyValueRequestDecoder {
    static func transaction(
        _ message: UnsafeRawBufferPointer, operationLimit: Int
    ) throws(EtcdFault) -> (KeyValueTransaction, TransactionTraits) {
        var traits = TransactionTraits()
        let raw: RawTransaction
        do { raw = try RawTransaction(message) } catch { throw .malformed(error) }
        let transaction = try build(raw, budget: operationLimit, isNested: false, traits: &traits)
        try TransactionKeys.check(transaction)
        return (transaction, traits)
    }

    /// The parts of a transaction, not yet read themselves: how many there are is checked before what they say.
    private struct RawTransaction {
        var compares: [UnsafeRawBufferPointer] = []
        var success: [UnsafeRawBufferPointer] = []
        var failure: [UnsafeRawBufferPointer] = []

        init(_ message: UnsafeRawBufferPointer) throws(MalformedMessage) {
            var reader = ProtobufReader(message)
            while let field = try reader.nextField() {
                switch field {
                case 1: compares.append(try reader.content())
                case 2: success.append(try reader.content())
                case 3: failure.append(try reader.content())
                default: try reader.skip()
                }
            }
        }
    }

    private static func build(
        _ raw: RawTransaction, budget: Int, isNested: Bool, traits: inout TransactionTraits
    ) throws(EtcdFault) -> KeyValueTransaction {
        let size = max(raw.compares.count, raw.success.count, raw.failure.count)
        guard size <= budget else { throw .tooManyOperations }
        var transaction = KeyValueTransaction()
        transaction.compares.reserveCapacity(raw.compares.count)
        for part in raw.compares {
            // A comparison with a relation that is not known holds, as it does in etcd.
            if let compare = try compare(part) { transaction.compares.append(compare) }
        }
        transaction.success.reserveCapacity(raw.success.count)
        for part in raw.success {
            transaction.success.append(
                try operation(part, budget: budget - size, isNested: isNested, traits: &traits))
        }
        transaction.failure.reserveCapacity(raw.failure.count)
        for part in raw.failure {
            transaction.failure.append(
                try operation(part, budget: budget - size, isNested: isNested, traits: &traits))
        }
        return transaction
    }

    private static func operation(
        _ message: UnsafeRawBufferPointer, budget: Int, isNested: Bool, traits: inout TransactionTraits
    ) throws(EtcdFault) -> KeyValueTransaction.Operation {
        do {
            var reader = ProtobufReader(message)
            var chosen: (field: Int, content: UnsafeRawBufferPointer)?
            while let field = try reader.nextField() {
                if 1...4 ~= field { chosen = (field, try reader.content()) } else { try reader.skip() }
            }
            guard let chosen else { throw EtcdFault.keyNotFound }
            var content = ProtobufReader(chosen.content)
            switch chosen.field {
            case 1:
                let parsed = try parseRange(&content)
                try check(parsed.query, parsed.sortIsKnown)
                traits.serializable = traits.serializable && parsed.serializable
                return .range(parsed.query)
            case 2:
                let put = try parsePut(&content)
                try check(put)
                traits.readsOnly = false
                traits.puts = true
                return .put(put)
            case 3:
                let delete = try parseDelete(&content)
                guard !delete.range.key.isEmpty else { throw EtcdFault.keyNotProvided }
                traits.readsOnly = false
                return .delete(delete)
            default:
                traits.readsOnly = false
                let raw = try RawTransaction(chosen.content)
                return .transaction(try build(raw, budget: budget, isNested: true, traits: &traits))
            }
        } catch let error as MalformedMessage {
            throw .malformed(error)
        } catch let fault as EtcdFault {
            throw fault
        } catch {
            preconditionFailure("reading an operation threw \(error)")
        }
    }

    private static func compare(_ message: UnsafeRawBufferPointer) throws(EtcdFault) -> Compare? {
        var reader = ProtobufReader(message)
        var relation: Compare.Relation? = .equal
        var target: Int32 = 0
        var key: [UInt8] = []
        var end: [UInt8] = []
        // The operand counts only when it is of the target's kind; otherwise it is zero or empty.
        var operandField = 0
        var number: Int64 = 0
        var value: [UInt8] = []
        do {
            while let field = try reader.nextField() {
                switch field {
                case 1: relation = Compare.Relation(wire: try reader.enumeration())
                case 2: target = try reader.enumeration()
                case 3: key = try reader.bytes()
                case 4, 5, 6, 8:
                    number = try reader.int64()
                    operandField = field
                case 7:
                    value = try reader.bytes()
                    operandField = field
                case 64: end = try reader.bytes()
                default: try reader.skip()
                }
            }
        } catch { throw .malformed(error) }
        guard !key.isEmpty else { throw .keyNotProvided }
        let operand: Compare.Operand
        switch target {
        case 0: operand = .version(operandField == 4 ? number : 0)
        case 1: operand = .createRevision(operandField == 5 ? number : 0)
        case 2: operand = .modRevision(operandField == 6 ? number : 0)
        case 3: operand = .value(operandField == 7 ? value : [])
        case 4: operand = .lease(operandField == 8 ? number : 0)
        default: throw EtcdFault(.invalidArgument, "etcdserver: unknown compare target")
        }
        guard let relation else { return nil }
        return Compare(range: KeyRange(key: key, wireEnd: end), relation: relation, operand: operand)
    }
}

extension Compare.Relation {
    init?(wire: Int32) {
        switch wire {
        case 0: self = .equal
        case 1: self = .greater
        case 2: self = .less
        case 3: self = .notEqual
        default: return nil
        }
    }
}
