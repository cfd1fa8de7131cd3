/// Everything that history holds of the key-value space, in order, also what is compacted and not removed yet: for
/// copies of the store. Used by one thread at a time, and not after the view that it reads.
public final class HistoryWalk {
    public struct Entry: Hashable, Sendable {
        public var revision: Int64
        /// The place among the events of that revision, from 0.
        public var sub: UInt32
        public var event: KeyValueEvent
    }

    private let cursor: any OrderedCursor
    private var hasStarted = false

    init(_ reader: any OrderedReader) throws { cursor = try reader.cursor(in: .history) }

    /// Nil at the end.
    public func next() throws -> Entry? {
        var isThere = hasStarted ? try cursor.next() : try cursor.seekToFirst()
        hasStarted = true
        while isThere, !EventRecord.isOfKeyValueSpace(cursor.value) { isThere = try cursor.next() }
        guard isThere else { return nil }
        let position = try HistoryPosition(historyKey: cursor.key)
        return Entry(
            revision: position.revision, sub: position.sub,
            event: KeyValueEvent(
                kind: try EventRecord.kind(of: cursor.value),
                keyValue: try EventRecord.keyValue(of: cursor.value, revision: position.revision)))
    }
}

extension KeyValueReader {
    public func history() throws -> HistoryWalk { try HistoryWalk(reader) }

    /// Whether everything that a compaction gave up is also physically gone.
    public func isCompactionFinished() throws -> Bool {
        let progress = try CompactionProgress(from: reader)
        return try progress.isFinished && progress.target == compactRevision()
    }
}
