/// Reads the key-value space in a view; has no state of its own.
public struct KeyValueReader {
    let reader: any OrderedReader
    /// The store's revision where the caller knows it better: within a transaction that has written.
    let knownRevision: Int64?
    /// What ranges may cost; nil: as much as they do.
    let allowance: WorkAllowance?

    public init(_ reader: any OrderedReader, within allowance: WorkAllowance? = nil) {
        self.reader = reader
        self.allowance = allowance
        knownRevision = nil
    }

    init(_ reader: any OrderedReader, revision: Int64, within allowance: WorkAllowance?) {
        self.reader = reader
        self.allowance = allowance
        knownRevision = revision
    }

    /// That of the last change of any family; a new store is at revision 1.
    public func revision() throws -> Int64 {
        try knownRevision ?? ledger.revision()
    }

    /// Below it no revision can be read any more; -1 while nothing has been compacted.
    public func compactRevision() throws -> Int64 { try LedgerState.compactRevision(in: reader) }

    /// The version of `key` that a mutation at `revision` replaced; nil when there was none, it was deleted,
    /// or it is compacted.
    public func previous(of key: [UInt8], before revision: Int64) throws -> KeyValue? {
        guard revision - 1 >= (try compactRevision()) else { return nil }
        guard let version = try version(of: key, at: revision - 1), !version.isTombstone else { return nil }
        return try keyValue(at: version.position)
    }

    /// The newest version of `key` that is not after `revision`.
    func version(of key: [UInt8], at revision: Int64) throws -> Version? {
        var indexKey = IndexKey.prefix(of: key)
        let prefixCount = indexKey.count
        if revision != .max { IndexKey.append(HistoryPosition(revision: revision, sub: .max), to: &indexKey) }
        return try indexKey.withUnsafeBytes { bytes in
            let cursor = try reader.sharedCursor(in: .index)
            guard try cursor.seek(atOrAfter: bytes) else { return nil }
            let found = cursor.key
            guard found.starts(withBytes: UnsafeRawBufferPointer(rebasing: bytes[..<prefixCount])) else {
                return nil
            }
            return try Version(indexKey: found, value: cursor.value)
        }
    }

    func keyValue(at position: HistoryPosition) throws -> KeyValue {
        try EventRecord.keyValue(of: try record(at: position), revision: position.revision)
    }

    func record(at position: HistoryPosition) throws -> UnsafeRawBufferPointer {
        guard let record = try position.withHistoryKey({ try reader.value(of: $0, in: .history) }) else {
            throw StoreError(.damaged, "the index names revision \(position.revision), which history lacks")
        }
        try allowance?.spend(bytes: record.count)
        return record
    }
}

extension KeyValueReader {
    /// What the families share.
    public var ledger: LedgerReader { LedgerReader(reader) }

    /// The keys that a lease is attached to, in order.
    public func keys(of lease: LeaseID) throws -> [[UInt8]] {
        var keys: [[UInt8]] = []
        let prefix = lease.tableKey
        try prefix.withUnsafeBytes { prefix in
            let cursor = try reader.cursor(in: .attachment)
            var stands = try cursor.seek(atOrAfter: prefix)
            while stands, cursor.key.starts(withBytes: prefix) {
                keys.append([UInt8](cursor.key[prefix.count...]))
                stands = try cursor.next()
            }
        }
        return keys
    }
}
