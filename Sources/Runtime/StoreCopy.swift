import Automata
import Coordination
import Member
import Paxos
import Replica

/// A store that is made anew beside the one in use, and brought up to date from the log until it can take its
/// place. Used by the store thread and the replica thread in turn.
final class StoreCopy: @unchecked Sendable {
    /// What one transaction writes, and what is written before it is made durable: the log shares the disk, and a
    /// sync of the log waits for what else is on its way there.
    private static let transactionBytes = 2 << 20
    private static let syncBytes = 8 << 20

    let folder: StoreFolders.Folder
    let store: any ServerStore
    /// Brings the copy up to date.
    private var applier: Applier
    /// The copy is durable up to here.
    private var durable: Slot

    /// Copies everything that `view` sees, without the room that the store in use has to spare.
    init(of view: any OrderedView, in folders: StoreFolders, isStopping: () -> Bool) throws {
        folder = try folders.makeIncoming()
        do {
            store = try folders.open(folder)
            try StoreCopy.copy(view, to: store, isStopping: isStopping)
            applier = try store.read { try Applier(from: $0) }
            durable = try store.durableSlot()
        } catch {
            folders.discard(folder)
            throw error
        }
    }

    var standing: StoreCopyStanding {
        StoreCopyStanding(applied: applier.applied, durable: durable, revision: applier.ledger.revision)
    }

    private static func copy(
        _ view: any OrderedView, to store: any ServerStore, isStopping: () -> Bool
    ) throws {
        var sinceSync = 0
        for table in StoreTable.allCases {
            let cursor = try view.cursor(in: table)
            var stands = try cursor.seekToFirst()
            while stands {
                if isStopping() { throw StoreError(.failed, "the process is stopping") }
                try store.write { transaction in
                    var bytes = 0
                    while stands, bytes < transactionBytes {
                        try transaction.append(cursor.value, for: cursor.key, in: table)
                        bytes += cursor.key.count + cursor.value.count
                        stands = try cursor.next()
                    }
                    sinceSync += bytes
                }
                if sinceSync >= syncBytes {
                    try store.synchronize()
                    sinceSync = 0
                }
            }
        }
        try store.synchronize()
    }

    /// Applies what follows. The outcomes are known already, from the store in use.
    func apply(_ entries: [Entry], within allowance: WorkAllowance? = nil) throws {
        applier.enqueue(first: applier.applied.next, entries)
        defer { applier.dropQueue() }
        while applier.hasWork {
            applier.adopt(try store.write { try applier.batch(in: $0, within: allowance) })
        }
    }

    func synchronize() throws {
        try store.synchronize()
        durable = try store.durableSlot()
    }
}
