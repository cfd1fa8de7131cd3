/// What the ledger remembers beside the tables of its spaces, under `MetaKey.ledgerState`. The revision is not among
/// it: it is that of the last change in history, which compaction never removes.
struct LedgerState: Hashable, Sendable {
    /// Of the key-value space; -1 while nothing has been compacted.
    var compactRevision: Int64 = -1
    /// By member, then kind.
    var alarms: [Alarm] = []

    init() {}

    init(from reader: any OrderedReader) throws {
        guard let bytes = try reader.value(of: MetaKey.ledgerState.bytes, in: .meta) else { return }
        try bytes.withUnsafeBytes { bytes in
            compactRevision = try Self.compactRevision(of: bytes)
            alarms = try stride(from: 8, to: bytes.count, by: 9).map { offset in
                guard let kind = Alarm.Kind(rawValue: bytes[offset + 8]) else { throw Self.damaged }
                return Alarm(member: bytes.bigEndian(UInt64.self, at: offset), kind: kind)
            }
        }
    }

    static func compactRevision(in reader: any OrderedReader) throws -> Int64 {
        let key = MetaKey.ledgerState.rawValue
        let bytes = try withUnsafeBytes(of: key) { try reader.value(of: $0, in: .meta) }
        return try bytes.map(compactRevision(of:)) ?? -1
    }

    private static func compactRevision(of bytes: UnsafeRawBufferPointer) throws -> Int64 {
        guard bytes.count >= 8, (bytes.count - 8) % 9 == 0 else { throw damaged }
        return bytes.bigEndian(Int64.self, at: 0)
    }

    mutating func set(_ alarm: Alarm, raised: Bool, in transaction: any OrderedTransaction) throws {
        var alarms = alarms.filter { $0 != alarm }
        if raised { alarms.append(alarm) }
        alarms.sort { ($0.member, $0.kind.rawValue) < ($1.member, $1.kind.rawValue) }
        guard alarms != self.alarms else { return }
        self.alarms = alarms
        try write(to: transaction)
    }

    /// Why the alarms that are raised forbid the command.
    func refusal(of command: some SpaceCommand) -> LedgerRefusal? {
        guard !alarms.isEmpty else { return nil }
        if alarms.contains(where: { $0.kind == .corrupt }) { return .corrupt }
        return command.takesRoom ? .noSpace : nil
    }

    func write(to transaction: any OrderedTransaction) throws {
        var bytes: [UInt8] = []
        bytes.appendBigEndian(compactRevision)
        for alarm in alarms {
            bytes.appendBigEndian(alarm.member)
            bytes.append(alarm.kind.rawValue)
        }
        try transaction.put(bytes, for: MetaKey.ledgerState.bytes, in: .meta)
    }

    private static var damaged: StoreError {
        StoreError(.damaged, "the state of the ledger is damaged")
    }
}
