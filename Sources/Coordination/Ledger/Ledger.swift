/// One order of changes for several families of state. It applies the commands of the log to the spaces that they
/// are for, and keeps what the spaces share: the revision, the history of changes, leases, and the cluster's own
/// matters, members and alarms.
///
/// The value itself is small and restored from the store; everything else lives in the tables (see `StoreTable`).
public struct Ledger: Sendable {
    /// The families that a server has, one line each.
    public static let families: [any Space.Type] = [
        KeyValueSpace.self
    ]

    /// That of the last change; a new store is at revision 1.
    public private(set) var revision: Int64
    private var state: LedgerState
    private var spaces: [any Space]
    /// Of each of them.
    private let ids: [SpaceID]
    private var isSettled = false

    /// Reads revision, compaction and alarms from the store.
    public init(_ families: [any Space.Type] = Ledger.families, from reader: any OrderedReader) throws {
        precondition(
            families.allSatisfy { $0.id == .keyValue || $0.id.rawValue > 1 },
            "in history the ids 0 and 1 stand for changes of the key-value space")
        revision = try LedgerReader(reader).revision()
        state = try LedgerState(from: reader)
        spaces = try families.map { try $0.init(from: reader) }
        ids = families.map { $0.id }
    }

    /// Of the key-value space; -1 while nothing has been compacted.
    public var compactRevision: Int64 { state.compactRevision }
    /// By member, then kind.
    public var alarms: [Alarm] { state.alarms }

    /// Makes what the store lacks because an earlier version of the program has written it; to be called once in a turn,
    /// before anything is applied. Throws as `apply` does.
    public mutating func settle(in turn: inout Turn) throws {
        guard !isSettled else { return }
        for index in spaces.indices { try spaces[index].settle(in: &turn) }
        isSettled = true
    }

    /// Executes one command. Deterministic: the same commands in the same order give every member the same store,
    /// outcome and consequences. Throws what the store throws, `UnknownCommand`, `CommandDecodingError` and
    /// `WorkAllowance.Spent`; the transaction is then to be rolled back and this value must be the copy from before.
    public mutating func apply(_ command: Command, in turn: inout Turn) throws -> any SpaceOutcome {
        try command.payload.withUnsafeBytes {
            try apply($0, version: command.version, of: command.space, in: &turn)
        }
    }

    public mutating func apply(
        _ payload: UnsafeRawBufferPointer, version: UInt8, of space: SpaceID, in turn: inout Turn
    ) throws -> any SpaceOutcome {
        turn.begin(after: revision, state)
        let outcome: any SpaceOutcome
        if LedgerCommand.isEncoded(in: payload, version: version, of: space) {
            outcome = try apply(try LedgerCommand(decoding: payload, version: version), in: &turn)
        } else {
            outcome = try spaces[index(of: space, version)].execute(payload, version: version, in: &turn)
        }
        revision = turn.revision
        state = turn.state
        return outcome
    }

    /// One command in a turn of its own.
    public mutating func apply(
        _ command: Command, in transaction: any OrderedTransaction, into consequences: inout Consequences,
        within allowance: WorkAllowance? = nil
    ) throws -> any SpaceOutcome {
        var turn = Turn(in: transaction, within: allowance)
        swap(&turn.consequences, &consequences)
        defer { swap(&turn.consequences, &consequences) }
        return try apply(command, in: &turn)
    }

    /// Whether the command may make the store grow; one that is unknown may.
    public func takesRoom(_ payload: UnsafeRawBufferPointer, version: UInt8, of space: SpaceID) -> Bool {
        if LedgerCommand.isEncoded(in: payload, version: version, of: space) {
            return (try? LedgerCommand(decoding: payload, version: version))?.takesRoom ?? true
        }
        guard let index = try? index(of: space, version) else { return true }
        return type(of: spaces[index]).takesRoom(payload, version: version)
    }

    /// What a command that is not proposed would have come to.
    public func refuse(
        _ payload: UnsafeRawBufferPointer, version: UInt8, of space: SpaceID, _ refusal: LedgerRefusal
    ) -> any SpaceOutcome {
        guard !LedgerCommand.isEncoded(in: payload, version: version, of: space),
            let index = try? index(of: space, version)
        else { return LedgerOutcome.refused(refusal, revision: revision) }
        return type(of: spaces[index]).refused(refusal, revision: revision)
    }

    public func takesRoom(_ command: Command) -> Bool {
        command.payload.withUnsafeBytes { takesRoom($0, version: command.version, of: command.space) }
    }

    public func refuse(_ command: Command, _ refusal: LedgerRefusal) -> any SpaceOutcome {
        command.payload.withUnsafeBytes {
            refuse($0, version: command.version, of: command.space, refusal)
        }
    }

    private func index(of space: SpaceID, _ version: UInt8) throws -> Int {
        guard let index = ids.firstIndex(of: space) else {
            throw UnknownCommand(space: space, version: version)
        }
        return index
    }

    private mutating func apply(_ command: LedgerCommand, in turn: inout Turn) throws -> LedgerOutcome {
        if !command.isExempt, let refusal = turn.state.refusal(of: command) {
            return .refused(refusal, revision: turn.revision)
        }
        switch command {
        case .grantLease(let lease, let seconds): return try grant(lease, seconds, in: &turn)
        case .revokeLease(let lease):
            guard try end(lease, in: &turn) else {
                return .refused(.leaseNotFound, revision: turn.revision)
            }
            turn.consequences.leases.append(.revoked(lease))
            return .leaseRevoked(revision: turn.revision)
        case .expireLeases(let leases):
            for lease in leases where try end(lease, in: &turn) {
                turn.consequences.leases.append(.expired(lease))
            }
        case .setAlarm(let alarm, let raised): try turn.state.set(alarm, raised: raised, in: turn.transaction)
        case .publishMember(let id, let name, let peerURLs, let clientURLs):
            let member = ServiceMember(
                id: id, name: name, peerURLs: peerURLs, clientURLs: clientURLs, isLearner: false)
            var key = MetaKey.member.bytes
            key.appendBigEndian(id)
            try turn.transaction.put(member.tableValue, for: key, in: .meta)
            turn.consequences.hasChangedMembers = true
        }
        return .done(revision: turn.revision)
    }

    /// Takes a lease away, and what of every family is attached to it in a revision of its own; false when there is
    /// none.
    private mutating func end(_ lease: LeaseID, in turn: inout Turn) throws -> Bool {
        guard try turn.transaction.remove(lease.tableKey, in: .lease) else { return false }
        for index in spaces.indices { try spaces[index].ended(lease, in: &turn) }
        turn.closeRevision()
        return true
    }

    /// Physically removes up to `limit` records that compaction has made unreachable, and adds to `removed` how many
    /// have gone; false when none is left. Does not change what any read returns. The host calls it in transactions
    /// of its own between batches.
    public mutating func removeCompacted(
        limit: Int, in transaction: any OrderedTransaction, removed: inout Int
    ) throws -> Bool {
        var isLeft = false
        for index in spaces.indices {
            let isMore = try spaces[index].removeCompacted(
                at: state.compactRevision, limit: limit, in: transaction, removed: &removed)
            isLeft = isLeft || isMore
        }
        return isLeft
    }
}

extension Space {
    public mutating func settle(in turn: inout Turn) throws {}

    public mutating func execute(
        _ payload: UnsafeRawBufferPointer, version: UInt8, in turn: inout Turn
    ) throws -> any SpaceOutcome {
        let command = try decode(payload, version: version)
        if let refusal = turn.state.refusal(of: command) {
            return Outcome(refused: refusal, revision: turn.revision)
        }
        return try apply(command, in: &turn)
    }

    private func decode(_ payload: UnsafeRawBufferPointer, version: UInt8) throws -> Command {
        guard version <= Command.currentVersion else {
            throw UnknownCommand(space: Self.id, version: version)
        }
        return try Command(decoding: payload, version: version)
    }

    fileprivate static func takesRoom(_ payload: UnsafeRawBufferPointer, version: UInt8) -> Bool {
        (try? Command(decoding: payload, version: version))?.takesRoom ?? true
    }

    fileprivate static func refused(_ refusal: LedgerRefusal, revision: Int64) -> any SpaceOutcome {
        Outcome(refused: refusal, revision: revision)
    }
}
