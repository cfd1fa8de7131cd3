import Coordination
import Synchronization

/// What other threads tell the watch thread.
enum WatchInput: Sendable {
    case requests(Port, [WatchRequest])
    case portClosed(Port)
    case applied(AppliedEvents)
    /// The store was replaced by a checkpoint whose revision is this.
    case storeReplaced(revision: Int64)
    case stop
}

enum WatchRequest: Sendable {
    case watch(WatchSpecification, WatcherID)
    case cancel(WatcherID)
    case consumed(Int, WatcherID)
    case progress([WatcherID], UInt64)
}

/// The events of one applied batch, of all revisions after `after` up to `through`, in order.
struct AppliedEvents: Sendable {
    var after: Int64
    var through: Int64
    var events: [KeyValueEvent]
    var bytes: Int
}

/// Where the replica thread leaves the events of what it has applied. It publishes nothing while nobody
/// watches, and nothing while the watch thread is too far behind; the watch thread notices the gap and reads
/// what it has missed from the store.
final class WatchFeed: Sendable {
    let mailbox = Mailbox<WatchInput>(capacity: .max)
    private static let backlogLimitBytes = 32 << 20

    private let head: Atomic<Int64>
    private let watchers = Atomic<Int>(0)
    private let backlogBytes = Atomic<Int>(0)
    private let backlogEvents = Atomic<Int>(0)

    init(revision: Int64) { head = Atomic(revision) }

    // MARK: the replica thread's side

    /// To be called after every commit that moved the revision.
    func publish(_ applied: AppliedEvents) {
        head.store(applied.through, ordering: .sequentiallyConsistent)
        guard watchers.load(ordering: .sequentiallyConsistent) > 0,
            backlogBytes.load(ordering: .relaxed) < WatchFeed.backlogLimitBytes
        else { return }
        backlogBytes.add(applied.bytes, ordering: .relaxed)
        backlogEvents.add(applied.events.count, ordering: .relaxed)
        mailbox.send(.applied(applied))
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

    func taken(_ applied: AppliedEvents) {
        backlogBytes.subtract(applied.bytes, ordering: .relaxed)
        backlogEvents.subtract(applied.events.count, ordering: .relaxed)
    }

    /// Events that the watch thread has not looked at. Any thread.
    var pendingEvents: Int { backlogEvents.load(ordering: .relaxed) }
}
