import Coordination
import Member
import Synchronization

/// What other threads tell the watch thread.
enum WatchMessage: Sendable {
    case requests(Port, [WatchRequest])
    case portClosed(Port)
    /// Events, and what they count for in the backlog.
    case applied(AppliedEvents, bytes: Int)
    /// Events of one batch or more were not published because the backlog is full.
    case passedOver
    /// The store was replaced by a checkpoint whose revision is this.
    case storeReplaced(revision: Int64)
    case stop

    var isStop: Bool {
        if case .stop = self { return true }
        return false
    }
}

/// Where the replica thread leaves the events of what it has applied. It publishes nothing while nobody
/// watches; while the watch thread is too far behind it says only that there was more, which is then read
/// from the store.
final class WatchFeed: Sendable {
    let mailbox = Mailbox<WatchMessage>(capacity: .max)
    private static let backlogLimitBytes = 32 << 20

    private let head: Atomic<Int64>
    private let watchers = Atomic<Int>(0)
    private let backlogBytes = Atomic<Int>(0)
    private let backlogEvents = Atomic<Int>(0)
    private let hasPassedOver = Atomic<Bool>(false)

    init(revision: Int64) { head = Atomic(revision) }

    // MARK: the replica thread's side

    /// To be called after every commit that moved the revision; `bytes` is what its events hold.
    func publish(_ applied: AppliedEvents, bytes: Int) {
        head.store(applied.through, ordering: .sequentiallyConsistent)
        guard watchers.load(ordering: .sequentiallyConsistent) > 0 else { return }
        guard backlogBytes.load(ordering: .relaxed) < WatchFeed.backlogLimitBytes else {
            let isSaid = hasPassedOver.exchange(true, ordering: .sequentiallyConsistent)
            if !isSaid { mailbox.send(.passedOver) }
            return
        }
        backlogBytes.add(bytes, ordering: .relaxed)
        backlogEvents.add(applied.events.count, ordering: .relaxed)
        mailbox.send(.applied(applied, bytes: bytes))
    }

    var isWatched: Bool { watchers.load(ordering: .relaxed) > 0 }

    func storeReplaced(revision: Int64) {
        head.store(revision, ordering: .sequentiallyConsistent)
        mailbox.send(.storeReplaced(revision: revision))
    }

    // MARK: the watch thread's side

    /// The revision that was applied last. A watcher that was counted before reads here where it begins: the
    /// events of everything later are published.
    var revision: Int64 { head.load(ordering: .sequentiallyConsistent) }

    func count(watchers change: Int) { watchers.add(change, ordering: .sequentiallyConsistent) }

    func taken(_ applied: AppliedEvents, bytes: Int) {
        backlogBytes.subtract(bytes, ordering: .relaxed)
        backlogEvents.subtract(applied.events.count, ordering: .relaxed)
    }

    /// The revision up to which events may have been passed over; what is passed over from now on is said anew.
    func takePassedOver() -> Int64 {
        hasPassedOver.store(false, ordering: .sequentiallyConsistent)
        return revision
    }

    /// Events that the watch thread has not looked at. Any thread.
    var pendingEvents: Int { backlogEvents.load(ordering: .relaxed) }
}
