/// What commands may do to the ledger: their transaction, the revisions and places in history of the one that is
/// applied, and what follows from all of them for those who watch, count time or keep members.
///
/// One turn serves the commands of one transaction, one after the other.
public struct Turn {
    public let transaction: any OrderedTransaction
    /// What all of them may cost.
    public let allowance: WorkAllowance?
    public internal(set) var consequences = Consequences()
    var state = LedgerState()
    private var revisionBefore: Int64 = 0
    private var sub: UInt32 = 0

    public init(in transaction: any OrderedTransaction, within allowance: WorkAllowance? = nil) {
        self.transaction = transaction
        self.allowance = allowance
    }

    /// The next command begins, on a ledger at this revision.
    mutating func begin(after revision: Int64, _ state: LedgerState) {
        self.state = state
        revisionBefore = revision
        sub = 0
    }

    /// That of the store with what was written so far.
    public var revision: Int64 { sub == 0 ? revisionBefore : revisionBefore + 1 }

    /// Where the next change goes.
    var nextPosition: HistoryPosition { HistoryPosition(revision: revisionBefore + 1, sub: sub) }

    /// Appends a change of a family other than the key-value space to history; `keyValue.modRevision` is the turn's to
    /// set, and returned.
    @discardableResult
    public mutating func record(
        _ kind: KeyValueEvent.Kind, _ keyValue: KeyValue, of space: SpaceID
    ) throws -> Int64 {
        precondition(space != .keyValue, "the key-value space has an index of its own to keep")
        var record = [space.rawValue]
        switch kind {
        case .put: EventRecord.append(keyValue, to: &record)
        case .delete: EventRecord.append(deletionOf: keyValue.key, to: &record)
        }
        var written = keyValue
        written.modRevision = nextPosition.revision
        try appendRecord(record)
        consequences.events.append(KeyValueEvent(kind: kind, keyValue: written, of: space))
        return revision
    }

    /// Appends a change to history at `nextPosition`, and tells of it.
    mutating func append(_ record: [UInt8], _ event: @autoclosure () -> KeyValueEvent) throws {
        try appendRecord(record)
        consequences.events.append(event())
    }

    private mutating func appendRecord(_ record: [UInt8]) throws {
        try record.withUnsafeBytes { record in
            try nextPosition.withHistoryKey { try transaction.append(record, for: $0, in: .history) }
        }
        sub += 1
    }

    /// What is written from now on belongs to a revision of its own.
    mutating func closeRevision() {
        revisionBefore = revision
        sub = 0
    }

    /// Below it no revision of the key-value space can be read any more; -1 while nothing has been compacted.
    public var compactRevision: Int64 { state.compactRevision }

    /// From now on nothing below `revision` can be read. What cannot be read is removed later, by each member at its
    /// own pace.
    mutating func compact(at revision: Int64) throws {
        state.compactRevision = revision
        try state.write(to: transaction)
        consequences.hasCompacted = true
    }
}

/// What follows from applied commands beyond the store and the outcome: the same on every member.
public struct Consequences: Sendable {
    public enum LeaseChange: Hashable, Sendable {
        case granted(LeaseID, seconds: Int64)
        case revoked(LeaseID)
        case expired(LeaseID)
    }

    /// Every change, in order.
    public var events: [KeyValueEvent] = []
    public var leases: [LeaseChange] = []
    /// A member has published itself.
    public var hasChangedMembers = false
    /// There may be something to remove physically.
    public var hasCompacted = false

    public init() {}
}
