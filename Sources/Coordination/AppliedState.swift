/// What the host keeps beside the spaces, in the same transaction as what it applied: how far it has applied
/// the log, and the configuration of the cluster at that slot as bytes that only the host understands.
public struct AppliedState: Hashable, Sendable {
    /// The last slot whose command is in the store; 0 when none is.
    public var slot: UInt64
    public var configuration: [UInt8]

    public init(slot: UInt64 = 0, configuration: [UInt8] = []) {
        self.slot = slot
        self.configuration = configuration
    }

    /// As it was last written; slot 0 and no bytes in a new store.
    public init(from reader: any OrderedReader) throws {
        slot = try Self.slot(in: reader)
        configuration = try reader.value(of: MetaKey.configuration.bytes, in: .meta) ?? []
    }

    public static func slot(in reader: any OrderedReader) throws -> UInt64 {
        try slot(under: .appliedSlot, in: reader)
    }

    /// Whether a program that keeps `KeyCounts` has written every slot of the store: it writes the slot twice, and one
    /// that does not leaves the second behind.
    static func isCounted(in reader: any OrderedReader) throws -> Bool {
        try slot(under: .countedSlot, in: reader) == slot(in: reader)
    }

    /// The counts are made anew.
    static func setCounted(in transaction: any OrderedTransaction) throws {
        try set(try slot(in: transaction), under: .countedSlot, in: transaction)
    }

    private static func slot(under key: MetaKey, in reader: any OrderedReader) throws -> UInt64 {
        let slot = try withUnsafeBytes(of: key.rawValue) { key in
            try reader.value(of: key, in: .meta).map { value in
                guard value.count == 8 else {
                    throw StoreError(.damaged, "the applied slot is not 8 bytes long")
                }
                return value.bigEndian(UInt64.self, at: 0)
            }
        }
        return slot ?? 0
    }

    public static func setSlot(_ slot: UInt64, in transaction: any OrderedTransaction) throws {
        let isCounted = try isCounted(in: transaction)
        try set(slot, under: .appliedSlot, in: transaction)
        if isCounted { try set(slot, under: .countedSlot, in: transaction) }
    }

    private static func set(
        _ slot: UInt64, under key: MetaKey, in transaction: any OrderedTransaction
    ) throws {
        try withUnsafeBytes(of: slot.bigEndian) { value in
            try withUnsafeBytes(of: key.rawValue) { try transaction.put(value, for: $0, in: .meta) }
        }
    }

    public static func setConfiguration(_ bytes: [UInt8], in transaction: any OrderedTransaction) throws {
        try transaction.put(bytes, for: MetaKey.configuration.bytes, in: .meta)
    }
}

/// The keys of the table `meta`.
enum MetaKey: UInt8 {
    case appliedSlot = 1
    case configuration = 2
    /// What the ledger must remember beside the tables of its spaces.
    case ledgerState = 3
    /// How far compacted versions are physically removed.
    case compactionProgress = 4
    /// Followed by the member's id.
    case member = 5
    /// See `AppliedState.isCounted`.
    case countedSlot = 6

    var bytes: [UInt8] { [rawValue] }
}
