import Automata
import Coordination
import Paxos

/// Executes chosen entries on a store, a batch in one transaction together with the slot that it reaches.
///
/// Whoever has the store gives the transaction: `batch` writes and changes nothing here, and `adopt` follows when the
/// transaction is committed.
public struct Applier: Sendable {
    /// Of one transaction.
    private static let batchEntries = 4096
    private static let batchBytes = 8 << 20

    public private(set) var ledger: Ledger
    public private(set) var applied: Slot
    /// As members have published themselves, by id.
    public private(set) var members: [ServiceMember]
    private var queue: [(first: Slot, entries: [Entry])] = []
    /// How many entries of `queue[0]` are applied.
    private var offset = 0
    public private(set) var queuedEntries = 0

    public init(_ families: [any Space.Type] = Ledger.families, from reader: any OrderedReader) throws {
        ledger = try Ledger(families, from: reader)
        applied = Slot(try AppliedState.slot(in: reader))
        members = try LedgerReader(reader).members()
    }

    public var hasWork: Bool { !queue.isEmpty }

    public mutating func enqueue(first: Slot, _ entries: [Entry]) {
        guard !entries.isEmpty else { return }
        queue.append((first, entries))
        queuedEntries += entries.count
    }

    /// Forgets what is not applied.
    public mutating func dropQueue() {
        queue = []
        offset = 0
        queuedEntries = 0
    }

    /// Another store has taken the place of the one that is applied to: what is queued and lies within it is passed
    /// over.
    mutating func enter(_ other: Applier) {
        ledger = other.ledger
        applied = other.applied
        members = other.members
    }

    // MARK: batches

    /// Writes the next batch. When it throws, the transaction is to be rolled back, and the batch can be tried again.
    public func batch(
        in transaction: any OrderedTransaction, within allowance: WorkAllowance? = nil
    ) throws -> AppliedBatch {
        var batch = AppliedBatch(self, position: offset)
        var turn = Turn(in: transaction, within: allowance)
        try batch.ledger.settle(in: &turn)
        filling: while batch.queueIndex < queue.count {
            let (first, entries) = queue[batch.queueIndex]
            while batch.position < entries.count {
                if batch.entries >= Applier.batchEntries || batch.bytes >= Applier.batchBytes {
                    break filling
                }
                let slot = first.advanced(by: batch.position)
                let entry = entries[batch.position]
                batch.position += 1
                // What a checkpoint has brought is not applied again.
                guard applied < slot else { continue }
                precondition(slot == batch.reached.next, "slot \(slot) follows \(batch.reached)")
                try execute(entry, at: slot, in: &turn, &batch)
                batch.reached = slot
                batch.entries += 1
            }
            batch.queueIndex += 1
            batch.position = 0
        }
        batch.consequences = turn.consequences
        if turn.consequences.hasChangedMembers { batch.members = try LedgerReader(transaction).members() }
        try AppliedState.setSlot(batch.reached.rawValue, in: transaction)
        if let configuration = batch.configuration {
            try AppliedState.setConfiguration(ConfigurationCodec.encode(configuration), in: transaction)
        }
        return batch
    }

    private func execute(
        _ entry: Entry, at slot: Slot, in turn: inout Turn, _ batch: inout AppliedBatch
    ) throws {
        switch entry {
        case .noop: break
        case .configuration(let id, let configuration):
            batch.configuration = configuration
            batch.changes.append(.init(id: id, slot: slot))
        case .payload(let id, let payload):
            let outcome = try EntryPayload.withCommand(in: payload) { command, version, space in
                try batch.ledger.apply(command, version: version, of: space, in: &turn)
            }
            batch.results.append(.init(id: id, slot: slot, outcome: outcome))
            batch.bytes += payload.count
        }
    }

    /// The batch is in the store. The queue may have grown since it was made.
    public mutating func adopt(_ batch: AppliedBatch) {
        ledger = batch.ledger
        applied = batch.reached
        if let members = batch.members { self.members = members }
        queuedEntries -=
            queue[..<batch.queueIndex].reduce(0) { $0 + $1.entries.count } + batch.position - offset
        queue.removeFirst(batch.queueIndex)
        offset = batch.position
    }

    // MARK: compaction

    /// Physically removes some of what was compacted; when it throws, the transaction is to be rolled back.
    func compaction(in transaction: any OrderedTransaction, limit: Int) throws -> CompactionStep {
        var ledger = ledger
        var removed = 0
        let isLeft = try ledger.removeCompacted(limit: limit, in: transaction, removed: &removed)
        return CompactionStep(isLeft: isLeft, removed: removed, ledger: ledger)
    }

    mutating func adopt(_ step: CompactionStep) { ledger = step.ledger }
}

/// What applying a batch has come to.
public struct AppliedBatch: Sendable {
    public struct Result: Sendable {
        public let id: ProposalID
        public let slot: Slot
        public let outcome: any SpaceOutcome
    }

    /// The members are others from the slot behind this one on.
    public struct Change: Sendable {
        public let id: ProposalID
        public let slot: Slot
    }

    /// Of every command, whoever proposed it.
    public fileprivate(set) var results: [Result] = []
    public fileprivate(set) var changes: [Change] = []
    public fileprivate(set) var consequences = Consequences()
    public let revisionBefore: Int64
    public fileprivate(set) var entries = 0
    public fileprivate(set) var configuration: Configuration?
    fileprivate var members: [ServiceMember]?
    fileprivate var bytes = 0

    // Where it leaves the applier.
    fileprivate var ledger: Ledger
    fileprivate var reached: Slot
    fileprivate var queueIndex = 0
    fileprivate var position: Int

    fileprivate init(_ applier: Applier, position: Int) {
        revisionBefore = applier.ledger.revision
        ledger = applier.ledger
        reached = applier.applied
        self.position = position
    }

    var hasChangedMembers: Bool { configuration != nil || members != nil }
}

/// What removing a little of what was compacted has come to.
public struct CompactionStep: Sendable {
    public let isLeft: Bool
    public let removed: Int
    fileprivate let ledger: Ledger
}
