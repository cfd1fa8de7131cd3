import Automata
import Coordination
import Paxos
import Replica

/// Executes chosen entries on the store, a batch in one transaction together with the slot that it reaches.
struct Applier {
    /// Of one transaction.
    static let batchEntries = 4096
    static let batchBytes = 8 << 20

    struct Result {
        var id: ProposalID
        var slot: Slot
        var command: KeyValueCommand
        var outcome: KeyValueOutcome
    }

    struct Batch {
        /// Of every command, whoever proposed it.
        var results: [Result] = []
        var events: [KeyValueEvent] = []
        var revisionBefore: Int64
        var configuration: Configuration?
        var bytes = 0
        var entries = 0
    }

    private let store: StoreBox
    private(set) var space: KeyValueSpace
    private(set) var applied: Slot
    private var queue: [(first: Slot, entries: [Entry])] = []
    /// How many entries of `queue[0]` are applied.
    private var offset = 0
    private(set) var queuedEntries = 0

    init(store: StoreBox) throws {
        self.store = store
        (space, applied) = try store.read { reader in
            (
                try KeyValueSpace(settings: .init(), from: reader),
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

    /// Applies the next batch. On an error nothing has changed and the batch can be tried again.
    mutating func applyBatch() throws -> Batch {
        var batch = Batch(revisionBefore: space.revision)
        let before = space
        var queueIndex = 0
        var position = offset
        var reached = applied
        do {
            try store.store.write { transaction in
                filling: while queueIndex < queue.count {
                    let (first, entries) = queue[queueIndex]
                    while position < entries.count {
                        if batch.entries >= Applier.batchEntries || batch.bytes >= Applier.batchBytes {
                            break filling
                        }
                        let slot = first.advanced(by: position)
                        let entry = entries[position]
                        position += 1
                        // What a checkpoint has brought is not applied again.
                        guard applied < slot else { continue }
                        precondition(slot == reached.next, "slot \(slot) follows \(reached)")
                        try execute(entry, at: slot, in: transaction, &batch)
                        reached = slot
                        batch.entries += 1
                    }
                    queueIndex += 1
                    position = 0
                }
                try AppliedState.setSlot(reached.rawValue, in: transaction)
                if let configuration = batch.configuration {
                    try AppliedState.setConfiguration(
                        ConfigurationCodec.encode(configuration), in: transaction)
                }
            }
        } catch {
            space = before
            throw error
        }
        queuedEntries -= queue[..<queueIndex].reduce(0) { $0 + $1.entries.count } + position - offset
        queue.removeFirst(queueIndex)
        offset = position
        applied = reached
        return batch
    }

    private mutating func execute(
        _ entry: Entry, at slot: Slot, in transaction: any OrderedTransaction, _ batch: inout Batch
    ) throws {
        switch entry {
        case .noop: break
        case .configuration(_, let configuration): batch.configuration = configuration
        case .payload(let id, let payload):
            let command = try EntryPayload.decode(payload)
            let outcome = try space.apply(command, in: transaction, events: &batch.events)
            batch.results.append(Result(id: id, slot: slot, command: command, outcome: outcome))
            batch.bytes += payload.count
        }
    }

    /// Physically removes some of what was compacted; false when there is no more.
    mutating func removeCompacted(limit: Int) throws -> Bool {
        let before = space
        do {
            return try store.store.write { transaction in
                try space.removeCompacted(limit: limit, in: transaction)
            }
        } catch {
            space = before
            throw error
        }
    }

    /// The store was replaced: what is queued and lies within it is passed over.
    mutating func reload() throws {
        let fresh = try Applier(store: store)
        space = fresh.space
        applied = fresh.applied
    }
}
