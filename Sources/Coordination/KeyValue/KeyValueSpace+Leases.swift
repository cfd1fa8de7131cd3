extension KeyValueSpace {
    mutating func onGrantLease(
        _ lease: LeaseID, _ seconds: Int64, in transaction: any OrderedTransaction
    ) throws -> KeyValueOutcome {
        if lease.rawValue == 0 { throw KeyValueRefusal.leaseNotFound }
        if seconds > Self.longestLeaseSeconds { throw KeyValueRefusal.leaseTooLong }
        if try KeyValueReader(transaction).seconds(of: lease) != nil { throw KeyValueRefusal.leaseExists }
        var value: [UInt8] = []
        value.appendBigEndian(seconds)
        try transaction.put(value, for: lease.tableKey, in: .lease)
        return .leaseGranted(lease, seconds: seconds, revision: revision)
    }

    /// Removes a lease, and the keys that it is attached to in one revision; false when there is none.
    mutating func end(
        _ lease: LeaseID, in transaction: any OrderedTransaction, events: inout [KeyValueEvent]
    ) throws -> Bool {
        guard try transaction.remove(lease.tableKey, in: .lease) else { return false }
        let keys = try KeyValueReader(transaction).keys(of: lease)
        guard !keys.isEmpty else { return true }
        try writing(in: transaction, events: &events) { writer, events in
            for key in keys { _ = try writer.delete(key, keepingPrevious: false, events: &events) }
        }
        return true
    }
}
