import Coordination
import LMDBStore
import Paxos

/// A store as a server needs it, beyond what the applied state needs.
protocol ServerStore: OrderedStore {
    /// About how many bytes have changed since the last `synchronize`.
    var bytesWrittenSincePoint: Int { get }
    /// Whether what makes the store grow should be refused, so that what makes it shrink still finds room.
    var isSpaceLow: Bool { get }
    /// Whether so much has been written since the last `synchronize` that it should come to an end before more is.
    var isBehind: Bool { get }
    /// What a sync has failed with: what is read may be wrong since, and no later `synchronize` passes.
    var syncFailure: StoreError? { get }
    /// What a restart would find, to be read by one thread at a time, and only while nobody synchronises.
    func openPoint() throws -> any OrderedView
}

extension LMDBStore: ServerStore {}

extension ServerStore {
    /// Up to where a restart finds everything. While nobody synchronises.
    func durableSlot() throws -> Slot {
        let view = try openPoint()
        defer { view.close() }
        return Slot(try AppliedState.slot(in: view))
    }
}

func openLMDBStore(_ path: String, _ options: ServerOptions) throws -> any ServerStore {
    var storeOptions = LMDBStore.Options()
    storeOptions.synchronises = options.synchronises
    return try LMDBStore.open(path, options: storeOptions)
}
