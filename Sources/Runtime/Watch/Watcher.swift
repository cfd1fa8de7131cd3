import Coordination

/// One watcher, as the watch thread sees it.
final class Watcher {
    enum State {
        /// Has had everything up to the hub's revision; gets events as they are applied.
        case synced
        /// Reads history from the store until it has reached the head.
        case behind
        /// Has too many bytes on the way; nothing is read for it until they are consumed.
        case slow
    }

    let id: WatcherID
    let handle: WatcherIndex.Handle
    let specification: WatchSpecification
    unowned let port: PortWatchers
    var state = State.behind
    /// The first revision that it has not had.
    var next: Int64
    /// Bytes delivered and not yet consumed.
    var outstandingBytes = 0
    /// Which events of the batch in hand concern it, as positions in that batch.
    var matched: [Int32] = []

    init(
        id: WatcherID, handle: WatcherIndex.Handle, specification: WatchSpecification, port: PortWatchers,
        next: Int64
    ) {
        self.id = id
        self.handle = handle
        self.specification = specification
        self.port = port
        self.next = next
    }

    /// Of what concerns it in the batch in hand.
    func keepFirstRevision(of events: [KeyValueEvent]) {
        guard let first = matched.first else { return }
        let revision = events[Int(first)].keyValue.modRevision
        matched.removeAll { events[Int($0)].keyValue.modRevision > revision }
    }

    func wants(_ event: KeyValueEvent) -> Bool {
        guard event.keyValue.modRevision >= next else { return false }
        switch event.kind {
        case .put: return !specification.withoutPuts
        case .delete: return !specification.withoutDeletes
        }
    }
}

extension WatcherIndex {
    mutating func add(_ watcher: Watcher) {
        add(watcher.handle, range: watcher.specification.range, of: watcher.specification.space)
    }

    mutating func remove(_ watcher: Watcher) {
        remove(watcher.handle, range: watcher.specification.range, of: watcher.specification.space)
    }
}

/// The watchers of one port, and what is to be delivered to it at the end of the turn.
final class PortWatchers {
    let port: Port
    var watchers: [WatcherID: Watcher] = [:]
    var outstandingBytes = 0
    var deliveries: [ServiceDelivery] = []

    init(_ port: Port) { self.port = port }
}
