/// Writes versions of keys.
struct VersionWriter: Sendable {
    // Buffers that outlive the commands, so that writing allocates nothing.
    private var indexKey: [UInt8] = []
    private var record: [UInt8] = []
    var counts: KeyCounts

    init(_ counts: KeyCounts) { self.counts = counts }

    /// Returns the previous key-value pair where the operation asks for it. The lease is known to exist.
    /// Throws `.keyNotFound` where `ignore…` finds nothing and `requiringPrevious` says so: before writing.
    mutating func put(
        _ put: PutOperation, requiringPrevious: Bool, in turn: inout Turn
    ) throws -> KeyValue? {
        let current = try findNewest(put.key, in: turn.transaction)
        if current == nil, requiringPrevious, put.ignoreValue || put.ignoreLease {
            throw KeyValueRefusal.keyNotFound
        }
        var previous: KeyValue?
        if let current, put.previousKeyValue || put.ignoreValue {
            previous = try turn.reader.keyValue(at: current.position)
        }
        let position = turn.nextPosition
        let written = KeyValue(
            key: put.key, value: put.ignoreValue ? previous?.value ?? [] : put.value,
            createRevision: current?.createRevision ?? position.revision, modRevision: position.revision,
            version: (current?.version ?? 0) + 1, lease: put.ignoreLease ? current?.lease ?? 0 : put.lease)

        IndexKey.append(position, to: &indexKey)
        let version = Version(
            position: position, createRevision: written.createRevision, version: written.version,
            lease: written.lease)
        try indexKey.withUnsafeBytes { key in
            try version.withIndexValue { try turn.transaction.put($0, for: key, in: .index) }
        }
        record.removeAll(keepingCapacity: true)
        EventRecord.append(written, to: &record)
        try turn.append(record, KeyValueEvent(kind: .put, keyValue: written))
        if current == nil { try counts.onCreated(put.key, in: turn.transaction) }
        let leaseBefore = current?.lease ?? 0
        if leaseBefore != written.lease {
            try moveAttachment(of: put.key, from: leaseBefore, to: written.lease, in: turn.transaction)
        }
        return put.previousKeyValue ? previous : nil
    }

    /// How many keys were deleted, and their last pairs where the operation asks for them.
    mutating func delete(
        _ delete: DeleteOperation, in turn: inout Turn
    ) throws -> (count: Int64, previous: [KeyValue]) {
        guard delete.range.end != nil else {
            guard
                let previous = try self.delete(
                    delete.range.key, keepingPrevious: delete.previousKeyValue, in: &turn)
            else { return (0, []) }
            return (1, delete.previousKeyValue ? [previous] : [])
        }
        var keys: [[UInt8]] = []
        var walk = try VersionWalk(over: delete.range, at: .max, in: turn.transaction, within: turn.allowance)
        while try walk.next() != nil { keys.append(walk.userKey) }
        var previous: [KeyValue] = []
        for key in keys {
            let pair = try self.delete(key, keepingPrevious: delete.previousKeyValue, in: &turn)
            if delete.previousKeyValue, let pair { previous.append(pair) }
        }
        return (Int64(keys.count), previous)
    }

    /// Deletes one key; nil when there is none. The pair is filled in only where it is to be kept.
    mutating func delete(_ key: [UInt8], keepingPrevious: Bool, in turn: inout Turn) throws -> KeyValue? {
        guard let current = try findNewest(key, in: turn.transaction) else { return nil }
        try turn.allowance?.spend(10)
        let previous =
            try keepingPrevious ? turn.reader.keyValue(at: current.position) : KeyValue(key: key)
        let position = turn.nextPosition
        IndexKey.append(position, to: &indexKey)
        try indexKey.withUnsafeBytes { key in
            try Version(tombstoneAt: position).withIndexValue {
                try turn.transaction.put($0, for: key, in: .index)
            }
        }
        record.removeAll(keepingCapacity: true)
        EventRecord.append(deletionOf: key, to: &record)
        try turn.append(
            record, KeyValueEvent(kind: .delete, keyValue: KeyValue(key: key, modRevision: position.revision))
        )
        try counts.onDeleted(key, in: turn.transaction)
        if current.lease != 0 {
            try moveAttachment(of: key, from: current.lease, to: 0, in: turn.transaction)
        }
        return previous
    }

    /// The version of a key that lives; leaves what its versions begin with in `indexKey`.
    private mutating func findNewest(
        _ key: [UInt8], in transaction: any OrderedTransaction
    ) throws -> Version? {
        indexKey.removeAll(keepingCapacity: true)
        key.withUnsafeBytes { IndexKey.append(prefixOf: $0, to: &indexKey) }
        return try indexKey.withUnsafeBytes { prefix in
            let cursor = try transaction.sharedCursor(in: .index)
            guard try cursor.seek(atOrAfter: prefix) else { return nil }
            let found = cursor.key
            guard found.starts(withBytes: prefix) else { return nil }
            let version = try Version(indexKey: found, value: cursor.value)
            return version.isTombstone ? nil : version
        }
    }

    private mutating func moveAttachment(
        of key: [UInt8], from old: Int64, to new: Int64, in transaction: any OrderedTransaction
    ) throws {
        if old != 0 {
            indexKey.removeAll(keepingCapacity: true)
            AttachmentKey.append(old, key, to: &indexKey)
            try transaction.remove(indexKey, in: .attachment)
        }
        if new != 0 {
            indexKey.removeAll(keepingCapacity: true)
            AttachmentKey.append(new, key, to: &indexKey)
            try transaction.put([], for: indexKey, in: .attachment)
        }
    }
}

extension Turn {
    /// Sees what was written so far.
    var reader: KeyValueReader { KeyValueReader(transaction, revision: revision, within: allowance) }
}
