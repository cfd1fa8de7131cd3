import Coordination

/// One watcher, as the hub sees it.
struct Watcher: Sendable {
    enum State: Sendable {
        /// Has had everything up to the hub's revision; gets events as they are applied.
        case synced
        /// Reads history from the store until it has reached the head.
        case behind
        /// Has too many bytes on the way; nothing is read for it until they are consumed.
        case slow
    }

    let id: WatcherID
    /// The place of its port in the table.
    let port: Int
    let specification: WatchSpecification
    var state = State.behind
    /// The first revision that it has not had.
    var next: Int64
    /// Bytes delivered and not yet consumed.
    var outstandingBytes = 0
    /// Which events of the batch in hand concern it, as positions in that batch.
    var matched: [Int32] = []

    /// Of what concerns it in the batch in hand.
    mutating func keepFirstRevision(of events: [KeyValueEvent]) {
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

    /// Whether nothing up to the revision is still to be delivered to it, when synced watchers have had everything up
    /// to `current`.
    func isTold(upTo revision: Int64, current: Int64) -> Bool {
        next > revision || (state == .synced && current >= revision)
    }
}
