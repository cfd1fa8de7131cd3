/// What the key-value space remembers beside its versions, under `MetaKey.keyValueState`. The revision is
/// not among it: it is that of the last event in history, which compaction never removes.
struct SpaceState: Hashable, Sendable {
    /// -1 while nothing has been compacted.
    var compactRevision: Int64 = -1
    /// By member, then kind.
    var alarms: [Alarm] = []

    init() {}

    init(from reader: any OrderedReader) throws {
        guard let bytes = try reader.value(of: MetaKey.keyValueState.bytes, in: .meta) else { return }
        try bytes.withUnsafeBytes { bytes in
            compactRevision = try Self.compactRevision(of: bytes)
            alarms = try stride(from: 8, to: bytes.count, by: 9).map { offset in
                guard let kind = Alarm.Kind(rawValue: bytes[offset + 8]) else { throw Self.damaged }
                return Alarm(member: bytes.bigEndian(UInt64.self, at: offset), kind: kind)
            }
        }
    }

    static func compactRevision(in reader: any OrderedReader) throws -> Int64 {
        let key = MetaKey.keyValueState.rawValue
        let bytes = try withUnsafeBytes(of: key) { try reader.value(of: $0, in: .meta) }
        return try bytes.map(compactRevision(of:)) ?? -1
    }

    private static func compactRevision(of bytes: UnsafeRawBufferPointer) throws -> Int64 {
        guard bytes.count >= 8, (bytes.count - 8) % 9 == 0 else { throw damaged }
        return bytes.bigEndian(Int64.self, at: 0)
    }

    func write(to transaction: any OrderedTransaction) throws {
        var bytes: [UInt8] = []
        bytes.appendBigEndian(compactRevision)
        for alarm in alarms {
            bytes.appendBigEndian(alarm.member)
            bytes.append(alarm.kind.rawValue)
        }
        try transaction.put(bytes, for: MetaKey.keyValueState.bytes, in: .meta)
    }

    private static var damaged: StoreError {
        StoreError(.damaged, "the state of the key-value space is damaged")
    }
}

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
