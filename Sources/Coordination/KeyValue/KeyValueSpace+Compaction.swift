// Compaction in two parts. The command moves the compact revision, below which nothing can be read any more,
// on every member at the same place of the log. Each member then physically removes what can no longer be
// read at its own pace.
//
// What goes is found in history, not in the index, so that the work is proportional to what happened since
// the last compaction and not to the number of keys. For each event up to the compact revision C:
//   - the older versions of its key go, as this one hides them from every read at or after C;
//   - it goes itself when it is a deletion before C. A deletion at C stays for watchers that start at C.
// An event at C itself never goes: the next compaction begins with it. So the last event of all is never
// removed, and history tells the store's revision.

extension KeyValueSpace {
    func onCompact(_ target: Int64, in turn: inout Turn) throws -> KeyValueOutcome {
        if target <= turn.compactRevision { throw KeyValueRefusal.compacted }
        if target > turn.revision { throw KeyValueRefusal.futureRevision }
        try turn.compact(at: target)
        return .compacted(revision: turn.revision)
    }

    public func removeCompacted(
        at target: Int64, limit: Int, in transaction: any OrderedTransaction, removed: inout Int
    ) throws -> Bool {
        guard target > 0 else { return false }
        var progress = try CompactionProgress(from: transaction)
        if progress.target != target {
            // The events at the earlier compact revision are to be looked at again.
            if progress.next.revision >= progress.target {
                progress.next = HistoryPosition(revision: max(progress.target, 0))
            }
            progress.target = target
            progress.isFinished = false
        }
        guard !progress.isFinished else { return false }

        var removal = CompactedRemoval(transaction: transaction, target: target, limit: max(limit, 1))
        progress.isFinished = try removal.run(from: &progress.next)
        try progress.write(to: transaction)
        removed += removal.removed
        return !progress.isFinished
    }
}

/// One bounded piece of the work.
struct CompactedRemoval {
    let transaction: any OrderedTransaction
    let target: Int64
    let limit: Int
    private(set) var removed = 0

    init(transaction: any OrderedTransaction, target: Int64, limit: Int) {
        self.transaction = transaction
        self.target = target
        self.limit = limit
    }

    /// Events whose keys are looked up before anything is removed: a write would invalidate the cursor.
    private static var eventsPerLook: Int { 256 }

    private struct Event {
        var position: HistoryPosition
        /// Nil where another family's change stands, which stays.
        var key: [UInt8]?
        var isDeletion: Bool
    }

    /// Deals with the events from `next` on, which it moves; true when none is left. Events that remove
    /// nothing count too, so that a call is bounded.
    mutating func run(from next: inout HistoryPosition) throws -> Bool {
        var work = 0
        while work < limit {
            let events = try self.events(from: next, count: min(Self.eventsPerLook, limit - work))
            guard !events.isEmpty else { return true }
            for event in events {
                work += 1
                if let key = event.key {
                    let prefix = IndexKey.prefix(of: key)
                    guard try removeOlderVersions(than: event.position, prefix, work: &work) else {
                        next = event.position
                        return false
                    }
                    if event.isDeletion, event.position.revision < target {
                        try remove(event.position, prefix: prefix)
                    }
                }
                next = HistoryPosition(revision: event.position.revision, sub: event.position.sub + 1)
            }
        }
        return false
    }

    private func events(from start: HistoryPosition, count: Int) throws -> [Event] {
        var events: [Event] = []
        let cursor = try transaction.sharedCursor(in: .history)
        var stands = try start.withHistoryKey { try cursor.seek(atOrAfter: $0) }
        while stands, events.count < count {
            let position = try HistoryPosition(historyKey: cursor.key)
            guard position.revision <= target else { break }
            let record = cursor.value
            if EventRecord.isOfKeyValueSpace(record) {
                events.append(
                    Event(
                        position: position, key: [UInt8](try EventRecord.key(of: record)),
                        isDeletion: try EventRecord.kind(of: record) == .delete))
            } else {
                events.append(Event(position: position, key: nil, isDeletion: false))
            }
            stands = try cursor.next()
        }
        return events
    }

    /// False when the limit was reached first: the event is then to be looked at again.
    private mutating func removeOlderVersions(
        than newer: HistoryPosition, _ prefix: [UInt8], work: inout Int
    ) throws -> Bool {
        var positions: [HistoryPosition] = []
        let cursor = try transaction.sharedCursor(in: .index)
        var eventKey = prefix
        IndexKey.append(newer, to: &eventKey)
        var stands = try cursor.seek(atOrAfter: eventKey)
        while stands {
            let key = cursor.key
            guard prefix.withUnsafeBytes({ key.starts(withBytes: $0) }) else { break }
            let position = try IndexKey.position(of: key)
            if position < newer, position.revision < target { positions.append(position) }
            if work + positions.count > limit { break }
            stands = try cursor.next()
        }
        let isComplete = work + positions.count <= limit
        for position in positions {
            try remove(position, prefix: prefix)
            work += 1
        }
        return isComplete
    }

    private mutating func remove(_ position: HistoryPosition, prefix: [UInt8]) throws {
        removed += 1
        var key = prefix
        IndexKey.append(position, to: &key)
        try transaction.remove(key, in: .index)
        try position.withHistoryKey { _ = try transaction.remove($0, in: .history) }
    }
}
