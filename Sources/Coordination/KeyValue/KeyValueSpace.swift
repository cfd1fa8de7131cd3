/// The multi-version key-value space: the state machine that commands of space `.keyValue` run on, with the
/// semantics of etcd's API version 3.
///
/// The value itself is small and restored from the store; everything else lives in the tables (see
/// `StoreTable`, and `Layout/`). A put costs one seek and one insertion in the index, and an append to
/// history.
public struct KeyValueSpace: Sendable {
    public struct Settings: Hashable, Sendable {
        public init() {}
    }

    /// Granted seconds beyond this are refused. (etcd's bound.)
    public static let longestLeaseSeconds: Int64 = 9_000_000_000

    /// That of the last change; a new store is at revision 1.
    public private(set) var revision: Int64
    var state: SpaceState
    /// Buffers that the writer uses anew for each command.
    private var scratch = VersionWriter.Scratch()
    /// What the command at hand may cost.
    private var allowance: Allowed?

    /// Only ever used by whoever applies the command at hand.
    private struct Allowed: @unchecked Sendable {
        let allowance: WorkAllowance
    }

    /// Reads revision, compaction and alarms from the store.
    public init(settings: Settings, from reader: any OrderedReader) throws {
        revision = try KeyValueReader(reader).revision()
        state = try SpaceState(from: reader)
    }

    /// -1 while nothing has been compacted.
    public var compactRevision: Int64 { state.compactRevision }
    /// By member, then kind.
    public var alarms: [Alarm] { state.alarms }

    /// Executes one command. Deterministic: the same commands in the same order give every member the same
    /// store, outcome and events. Throws only what the store throws, and `WorkAllowance.Spent`; the transaction
    /// is then to be rolled back and this value must be the copy from before.
    public mutating func apply(
        _ command: KeyValueCommand, in transaction: any OrderedTransaction, events: inout [KeyValueEvent],
        within allowance: WorkAllowance? = nil
    ) throws -> KeyValueOutcome {
        self.allowance = allowance.map(Allowed.init)
        defer { self.allowance = nil }
        if let refusal = command.refusal(under: state.alarms) { return .refused(refusal, revision: revision) }
        do {
            return try onCommand(command, in: transaction, events: &events)
        } catch let refusal as KeyValueRefusal {
            return .refused(refusal, revision: revision)
        }
    }

    private mutating func onCommand(
        _ command: KeyValueCommand, in transaction: any OrderedTransaction, events: inout [KeyValueEvent]
    ) throws -> KeyValueOutcome {
        switch command {
        case .put(let put): return try onPut(put, in: transaction, events: &events)
        case .delete(let delete): return try onDelete(delete, in: transaction, events: &events)
        case .transaction(let branches):
            return try writing(in: transaction, events: &events) { writer, events in
                let outcome = try branches.execute(by: &writer, events: &events)
                return .transaction(outcome, revision: writer.currentRevision)
            }
        case .compact(let revision): return try onCompact(revision, in: transaction)
        case .grantLease(let lease, let seconds): return try onGrantLease(lease, seconds, in: transaction)
        case .revokeLease(let lease):
            guard try end(lease, in: transaction, events: &events) else {
                throw KeyValueRefusal.leaseNotFound
            }
            return .leaseRevoked(revision: revision)
        case .expireLeases(let leases):
            for lease in leases { _ = try end(lease, in: transaction, events: &events) }
            return .done(revision: revision)
        case .setAlarm(let alarm, let raised): return try onSetAlarm(alarm, raised: raised, in: transaction)
        case .publishMember(let id, let name, let peerURLs, let clientURLs):
            let member = ServiceMember(
                id: id, name: name, peerURLs: peerURLs, clientURLs: clientURLs, isLearner: false)
            var key = MetaKey.member.bytes
            key.appendBigEndian(id)
            try transaction.put(member.tableValue, for: key, in: .meta)
            return .done(revision: revision)
        }
    }

    private mutating func onPut(
        _ put: PutOperation, in transaction: any OrderedTransaction, events: inout [KeyValueEvent]
    ) throws -> KeyValueOutcome {
        if let refusal = put.refusal { throw refusal }
        if put.lease != 0, try KeyValueReader(transaction).seconds(of: LeaseID(put.lease)) == nil {
            throw KeyValueRefusal.leaseNotFound
        }
        return try writing(in: transaction, events: &events) { writer, events in
            let previous = try writer.put(put, requiringPrevious: true, events: &events)
            return .put(previous: previous, revision: writer.currentRevision)
        }
    }

    private mutating func onDelete(
        _ delete: DeleteOperation, in transaction: any OrderedTransaction, events: inout [KeyValueEvent]
    ) throws -> KeyValueOutcome {
        if let refusal = delete.refusal { throw refusal }
        return try writing(in: transaction, events: &events) { writer, events in
            let (count, previous) = try writer.delete(delete, events: &events)
            return .deleted(count: count, previous: previous, revision: writer.currentRevision)
        }
    }

    private mutating func onSetAlarm(
        _ alarm: Alarm, raised: Bool, in transaction: any OrderedTransaction
    ) throws -> KeyValueOutcome {
        var alarms = state.alarms.filter { $0 != alarm }
        if raised { alarms.append(alarm) }
        alarms.sort { ($0.member, $0.kind.rawValue) < ($1.member, $1.kind.rawValue) }
        if alarms != state.alarms {
            state.alarms = alarms
            try state.write(to: transaction)
        }
        return .done(revision: revision)
    }

    /// Runs `body` with a writer at the next revision, which becomes the store's when anything was written.
    mutating func writing<R>(
        in transaction: any OrderedTransaction, events: inout [KeyValueEvent],
        _ body: (inout VersionWriter, inout [KeyValueEvent]) throws -> R
    ) throws -> R {
        var writer = VersionWriter(
            transaction: transaction, after: revision, scratch: scratch, within: allowance?.allowance)
        scratch = VersionWriter.Scratch()
        defer { scratch = writer.takeScratch() }
        let result = try body(&writer, &events)
        revision = writer.currentRevision
        return result
    }
}

extension KeyValueCommand {
    /// Why the alarms that are raised forbid the command.
    func refusal(under alarms: [Alarm]) -> KeyValueRefusal? {
        guard !alarms.isEmpty else { return nil }
        switch self {
        case .setAlarm, .publishMember: return nil
        default: break
        }
        if alarms.contains(where: { $0.kind == .corrupt }) { return .corrupt }
        switch self {
        case .put, .grantLease: return .noSpace
        case .transaction(let transaction): return transaction.mayPut ? .noSpace : nil
        default: return nil
        }
    }
}
