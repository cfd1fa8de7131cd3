// Leases in the store: the table `lease` has the seconds granted. What a lease is attached to is each space's own.

extension Ledger {
    /// Granted seconds beyond this are refused. (etcd's bound.)
    public static let longestLeaseSeconds: Int64 = 9_000_000_000

    func grant(_ lease: LeaseID, _ seconds: Int64, in turn: inout Turn) throws -> LedgerOutcome {
        if lease.rawValue == 0 { return .refused(.leaseNotFound, revision: turn.revision) }
        if seconds > Self.longestLeaseSeconds { return .refused(.leaseTooLong, revision: turn.revision) }
        if try LedgerReader(turn.transaction).seconds(of: lease) != nil {
            return .refused(.leaseExists, revision: turn.revision)
        }
        var value: [UInt8] = []
        value.appendBigEndian(seconds)
        try turn.transaction.put(value, for: lease.tableKey, in: .lease)
        turn.consequences.leases.append(.granted(lease, seconds: seconds))
        return .leaseGranted(lease, seconds: seconds, revision: turn.revision)
    }
}

extension LeaseID {
    /// The key of the table `lease`, and what its attachments begin with.
    var tableKey: [UInt8] {
        var bytes: [UInt8] = []
        bytes.appendBigEndian(rawValue)
        return bytes
    }
}
