import Coordination

/// The watchers that are behind: whom a key of history concerns, and whose turn it is.
struct CatchUpQueue: Sendable {
    private(set) var index = WatcherIndex()
    /// The one that was served longest ago first.
    private(set) var order: [WatcherIndex.Handle] = []
    /// How many have ever entered. A slice of history was not read for those who entered since.
    private(set) var entries: UInt64 = 0

    var isEmpty: Bool { order.isEmpty }

    mutating func enter(_ handle: WatcherIndex.Handle, _ specification: WatchSpecification) {
        index.add(handle, range: specification.range, of: specification.space)
        order.append(handle)
        entries += 1
    }

    mutating func leave(_ handle: WatcherIndex.Handle, _ specification: WatchSpecification) {
        index.remove(handle, range: specification.range, of: specification.space)
        order.removeAll { $0 == handle }
    }

    /// After a slice: those that it did not serve come first, and those that have caught up are here no more.
    mutating func settle(
        waiting: [WatcherIndex.Handle], served: [WatcherIndex.Handle],
        leaving: [(handle: WatcherIndex.Handle, specification: WatchSpecification)]
    ) {
        order = waiting + served
        for (handle, specification) in leaving {
            index.remove(handle, range: specification.range, of: specification.space)
        }
    }
}

/// A piece of history for watchers that are behind, as read from one view of the store.
public struct HistorySlice: Sendable {
    /// `CatchUpQueue.entries` when it was read.
    let entries: UInt64
    /// Below it the changes of a family cannot be read any more; of each family that one of them watches.
    let compacted: [(space: SpaceID, revision: Int64)]
    /// Holds every change with `from <= revision <= last` that concerns one of them.
    var from: Int64 = 0
    var last: Int64 = -1
    var events: [KeyValueEvent] = []
    var previous = PreviousVersions()

    func compactRevision(of space: SpaceID) -> Int64 {
        compacted.first { $0.space == space }?.revision ?? -1
    }
}
