import Coordination

/// The keys that a transaction writes, to find out whether any is written twice: put by two operations, or
/// put by one and deleted by another. The branches of one nested transaction may share keys, as only one of
/// them is taken.
struct TransactionKeys {
    private var puts: Set<[UInt8]> = []
    private var deletes: [KeyRange] = []

    static func check(_ transaction: KeyValueTransaction) throws(EtcdFault) {
        if writesAtMostOnce(transaction.success) && writesAtMostOnce(transaction.failure) { return }
        _ = try TransactionKeys(transaction.success)
        _ = try TransactionKeys(transaction.failure)
    }

    /// The common case, which needs no look at any key.
    private static func writesAtMostOnce(_ operations: [KeyValueTransaction.Operation]) -> Bool {
        var writes = 0
        for operation in operations {
            switch operation {
            case .range: break
            case .put, .delete: writes += 1
            case .transaction: return false
            }
        }
        return writes <= 1
    }

    private init(_ operations: [KeyValueTransaction.Operation]) throws(EtcdFault) {
        for case .delete(let delete) in operations { deletes.append(delete.range) }
        for case .transaction(let nested) in operations {
            let success = try TransactionKeys(nested.success)
            let failure = try TransactionKeys(nested.failure)
            for key in success.puts { try add(key) }
            for key in failure.puts {
                // Shared with the other branch of the same transaction: only one of them happens.
                if success.puts.contains(key) { continue }
                try add(key)
            }
            deletes += success.deletes
            deletes += failure.deletes
        }
        for case .put(let put) in operations { try add(put.key) }
    }

    private mutating func add(_ key: [UInt8]) throws(EtcdFault) {
        guard !deletes.contains(where: { $0.overlaps(key) }) else { throw .duplicateKey }
        guard puts.insert(key).inserted else { throw .duplicateKey }
    }
}

extension KeyRange {
    /// Whether the key is in the range, in etcd's view of a transaction: a range without an upper end is not
    /// held against puts.
    fileprivate func overlaps(_ other: [UInt8]) -> Bool {
        guard let end else { return key == other }
        return !other.lexicographicallyPrecedes(key) && other.lexicographicallyPrecedes(end)
    }
}
