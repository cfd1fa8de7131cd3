/// Reads what the families share in a view; has no state of its own.
public struct LedgerReader {
    private let reader: any OrderedReader

    public init(_ reader: any OrderedReader) { self.reader = reader }

    /// That of the last change; a new store is at revision 1.
    public func revision() throws -> Int64 {
        let cursor = try reader.sharedCursor(in: .history)
        guard try cursor.seekToLast() else { return 1 }
        return try HistoryPosition(historyKey: cursor.key).revision
    }

    public func alarms() throws -> [Alarm] { try LedgerState(from: reader).alarms }

    /// Below it no change of the family can be read any more; -1 while none has been given up.
    public func compactRevision(of space: SpaceID) throws -> Int64 {
        space == .keyValue ? try LedgerState.compactRevision(in: reader) : -1
    }

    /// Changes with `from <= revision <= through` in order, whole revisions, until about `byteLimit` bytes are
    /// gathered; returns the last revision that was looked at completely, at least `from`. A change that does
    /// not match counts as a few bytes, so that a long search can be continued by another call. Those of a family are
    /// complete only from its compact revision on.
    public func changes(
        from: Int64, through: Int64, byteLimit: Int,
        matching: (_ space: SpaceID, _ key: UnsafeRawBufferPointer) -> Bool,
        into changes: inout [KeyValueEvent]
    ) throws -> Int64 {
        let cursor = try reader.cursor(in: .history)
        var bytes = 0
        var complete = from - 1
        var stands = try HistoryPosition(revision: from).withHistoryKey { try cursor.seek(atOrAfter: $0) }
        while stands {
            let position = try HistoryPosition(historyKey: cursor.key)
            if position.revision > through { break }
            if position.revision > complete + 1 {
                complete = position.revision - 1
                if bytes >= byteLimit, complete >= from { return complete }
            }
            let (space, record) = EventRecord.split(cursor.value)
            if matching(space, try EventRecord.key(of: record)) {
                changes.append(
                    KeyValueEvent(
                        kind: try EventRecord.kind(of: record),
                        keyValue: try EventRecord.keyValue(of: record, revision: position.revision), of: space
                    ))
                bytes += record.count
            }
            bytes += Self.bytesPerStep
            stands = try cursor.next()
        }
        return through
    }

    private static var bytesPerStep: Int { 32 }

    /// All leases, by id.
    public func leases() throws -> [(id: LeaseID, seconds: Int64)] {
        var leases: [(LeaseID, Int64)] = []
        let cursor = try reader.cursor(in: .lease)
        var stands = try cursor.seekToFirst()
        while stands {
            guard cursor.key.count == 8, cursor.value.count == 8 else {
                throw StoreError(.damaged, "a lease is not stored as 8 and 8 bytes")
            }
            leases.append(
                (LeaseID(cursor.key.bigEndian(Int64.self, at: 0)), cursor.value.bigEndian(Int64.self, at: 0)))
            stands = try cursor.next()
        }
        return leases
    }

    /// The granted time of a lease in seconds; nil when there is no such lease.
    public func seconds(of lease: LeaseID) throws -> Int64? {
        try withUnsafeBytes(of: lease.rawValue.bigEndian) { try reader.value(of: $0, in: .lease) }
            .map { $0.bigEndian(Int64.self, at: 0) }
    }

    /// Members as they have published themselves, by id. `isLearner` is not known here and false.
    public func members() throws -> [ServiceMember] {
        var members: [ServiceMember] = []
        let prefix = MetaKey.member.bytes
        let cursor = try reader.cursor(in: .meta)
        var stands = try cursor.seek(atOrAfter: prefix)
        while stands, prefix.withUnsafeBytes({ cursor.key.starts(withBytes: $0) }) {
            members.append(try ServiceMember(tableValue: cursor.value))
            stands = try cursor.next()
        }
        return members
    }
}
