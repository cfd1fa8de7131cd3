/// How far compacted versions are physically removed, under `MetaKey.compactionProgress`.
struct CompactionProgress: Hashable, Sendable {
    /// The compaction that this is progress of; -1: none.
    var target: Int64 = -1
    /// All events before this position are dealt with.
    var next = HistoryPosition(revision: 0)
    var isFinished = true

    init() {}

    init(from reader: any OrderedReader) throws {
        guard let bytes = try reader.value(of: MetaKey.compactionProgress.bytes, in: .meta) else { return }
        try bytes.withUnsafeBytes { bytes in
            guard bytes.count == 21 else {
                throw StoreError(.damaged, "the progress of compaction is damaged")
            }
            target = bytes.bigEndian(Int64.self, at: 0)
            next.revision = bytes.bigEndian(Int64.self, at: 8)
            next.sub = bytes.bigEndian(UInt32.self, at: 16)
            isFinished = bytes[20] != 0
        }
    }

    func write(to transaction: any OrderedTransaction) throws {
        var bytes: [UInt8] = []
        bytes.appendBigEndian(target)
        bytes.appendBigEndian(next.revision)
        bytes.appendBigEndian(next.sub)
        bytes.append(isFinished ? 1 : 0)
        try transaction.put(bytes, for: MetaKey.compactionProgress.bytes, in: .meta)
    }
}
