import Automata

extension KeyValueReader {
    /// Events of the key-value space; as `LedgerReader.changes`. Throws `KeyValueRefusal.compacted` when `from` is
    /// below the compact revision.
    public func events(
        from: Int64, through: Int64, byteLimit: Int, matching: (_ key: UnsafeRawBufferPointer) -> Bool,
        into events: inout [KeyValueEvent]
    ) throws -> Int64 {
        if from < (try compactRevision()) { throw KeyValueRefusal.compacted }
        return try ledger.changes(
            from: from, through: through, byteLimit: byteLimit,
            matching: { $0 == .keyValue && matching($1) }, into: &events)
    }

    /// The hash of all that a read could return at `revision` (0: the latest), the same on all members that
    /// have the same history and compaction, however far each has physically removed what is compacted; and
    /// the compact revision, and the revision of the hash. Throws `KeyValueRefusal` or `StoreError`.
    public func hash(at revision: Int64) throws -> (hash: UInt32, compactRevision: Int64, revision: Int64) {
        let current = try self.revision()
        let compacted = try compactRevision()
        if revision > current { throw KeyValueRefusal.futureRevision }
        if revision > 0, revision < compacted { throw KeyValueRefusal.compacted }
        let last = revision > 0 ? revision : current

        let progress = try CompactionProgress(from: reader)
        let isClean = progress.isFinished && progress.target == compacted
        var checksum = CRC32C()
        let cursor = try reader.cursor(in: .history)
        var stands = try cursor.seekToFirst()
        while stands {
            let position = try HistoryPosition(historyKey: cursor.key)
            if position.revision > last { break }
            let record = cursor.value
            if EventRecord.isOfKeyValueSpace(record),
                try isClean || position.revision >= compacted
                    || survives(record, at: position, compaction: compacted)
            {
                checksum.update(cursor.key)
                checksum.update(record)
            }
            stands = try cursor.next()
        }
        return (checksum.value, compacted, last)
    }

    /// Whether an event before the compact revision is what a read at that revision returns.
    private func survives(
        _ record: UnsafeRawBufferPointer, at position: HistoryPosition, compaction: Int64
    ) throws -> Bool {
        guard try EventRecord.kind(of: record) == .put else { return false }
        return try version(of: [UInt8](EventRecord.key(of: record)), at: compaction)?.position == position
    }
}
