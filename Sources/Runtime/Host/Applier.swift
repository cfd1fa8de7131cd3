import Automata
import Coordination
import Paxos
import Replica

/// Executes chosen entries on the store, a batch in one transaction together with the slot that it reaches.
struct Applier {
    /// Of one transaction.
    static let batchEntries = 4096
    static let batchBytes = 8 << 20
    /// What ranges and deletions of a batch may cost on the replica thread; see `WorkAllowance`.
    static let unitsHere = 5_000

    struct Result {
        var id: ProposalID
        var slot: Slot
        var outcome: any SpaceOutcome
    }

    struct Batch {
        /// Of every command, whoever proposed it.
        var results: [Result] = []
        var consequences = Consequences()
        var revisionBefore: Int64
        var configuration: Configuration?
        var bytes = 0
        var entries = 0
    }

    private let store: StoreBox
    private(set) var ledger: Ledger
    private(set) var applied: Slot
    private var queue: [(first: Slot, entries: [Entry])] = []
    /// How many entries of `queue[0]` are applied.
    private var offset = 0
    private(set) var queuedEntries = 0
    /// A batch is being applied by another thread, from a copy of this value; until it is back nothing may be
    /// written to the store.
    private(set) var isAway = false

    init(store: StoreBox) throws {
        self.store = store
        (ledger, applied) = try store.read { reader in
            (
                try Ledger(from: reader),
                Slot(try AppliedState.slot(in: reader))
            )
        }
    }

    var hasWork: Bool { !queue.isEmpty }

    mutating func enqueue(first: Slot, _ entries: [Entry]) {
        guard !entries.isEmpty else { return }
        queue.append((first, entries))
        queuedEntries += entries.count
    }

    /// A batch that was applied, and where that leaves the applier.
    struct Step {
        var batch: Batch
        fileprivate var ledger: Ledger
        fileprivate var reached: Slot
        fileprivate var queueIndex: Int
        fileprivate var position: Int
    }

    /// Applies the next batch. On an error nothing has changed and the batch can be tried again.
    mutating func applyBatch(within allowance: WorkAllowance? = nil) throws -> Batch {
        let step = try perform(within: allowance)
        adopt(step)
        return step.batch
    }

    /// Hands the next batch to another thread, which is the one to write until `adopt` or `abandon`.
    mutating func goAway() -> Applier {
        precondition(!isAway, "two batches at once")
        isAway = true
        return self
    }

    mutating func abandon() { isAway = false }

    /// The queue may have grown since the step was made from a copy of this value.
    mutating func adopt(_ step: Step) {
        isAway = false
        ledger = step.ledger
        applied = step.reached
        queuedEntries -=
            queue[..<step.queueIndex].reduce(0) { $0 + $1.entries.count } + step.position - offset
        queue.removeFirst(step.queueIndex)
        offset = step.position
    }

    /// Forgets what is not applied.
    mutating func dropQueue() {
        queue = []
        offset = 0
        queuedEntries = 0
    }

    /// Writes the next batch to the store.
    func perform(within allowance: WorkAllowance? = nil) throws -> Step {
        var step = Step(
            batch: Batch(revisionBefore: ledger.revision), ledger: ledger, reached: applied, queueIndex: 0,
            position: offset)
        try store.store.write { transaction in
            var turn = Turn(in: transaction, within: allowance)
            filling: while step.queueIndex < queue.count {
                let (first, entries) = queue[step.queueIndex]
                while step.position < entries.count {
                    if step.batch.entries >= Applier.batchEntries || step.batch.bytes >= Applier.batchBytes {
                        break filling
                    }
                    let slot = first.advanced(by: step.position)
                    let entry = entries[step.position]
                    step.position += 1
                    // What a checkpoint has brought is not applied again.
                    guard applied < slot else { continue }
                    precondition(slot == step.reached.next, "slot \(slot) follows \(step.reached)")
                    try execute(entry, at: slot, in: &turn, &step)
                    step.reached = slot
                    step.batch.entries += 1
                }
                step.queueIndex += 1
                step.position = 0
            }
            step.batch.consequences = turn.consequences
            try AppliedState.setSlot(step.reached.rawValue, in: transaction)
            if let configuration = step.batch.configuration {
                try AppliedState.setConfiguration(ConfigurationCodec.encode(configuration), in: transaction)
            }
        }
        return step
    }

    private func execute(
        _ entry: Entry, at slot: Slot, in turn: inout Turn, _ step: inout Step
    ) throws {
        switch entry {
        case .noop: break
        case .configuration(_, let configuration): step.batch.configuration = configuration
        case .payload(let id, let payload):
            let outcome = try EntryPayload.withCommand(in: payload) { command, version, space in
                try step.ledger.apply(command, version: version, of: space, in: &turn)
            }
            step.batch.results.append(Result(id: id, slot: slot, outcome: outcome))
            step.batch.bytes += payload.count
        }
    }

    /// Physically removes some of what was compacted; false when there is no more.
    mutating func removeCompacted(limit: Int) throws -> (isLeft: Bool, removed: Int) {
        let before = ledger
        do {
            return try store.store.write { transaction in
                var removed = 0
                let isLeft = try ledger.removeCompacted(limit: limit, in: transaction, removed: &removed)
                return (isLeft, removed)
            }
        } catch {
            ledger = before
            throw error
        }
    }

    /// The store was replaced: what is queued and lies within it is passed over.
    mutating func reload() throws {
        let fresh = try Applier(store: store)
        ledger = fresh.ledger
        applied = fresh.applied
    }
}
