import Coordination

/// The watchers of a `MemoryService`. One that has had everything gets events as they come about; one that
/// starts in the past, or has more bytes on the way than the window, reads them from history.
struct MemoryWatches {
    typealias Outbox = [(port: UInt64, delivery: ServiceDelivery)]

    private static let windowBytes = 1 << 20

    private struct Watcher: Sendable {
        var id: WatcherID
        var port: UInt64
        var specification: WatchSpecification
        /// The first revision whose events it has not had; nil when it has had all.
        var missing: Int64?
        var bytesOnTheWay = 0
        /// It wanted one revision, and has had it.
        var isOver = false
    }

    private struct Name: Comparable, Sendable {
        var port: UInt64
        var id: UInt64

        static func < (a: Name, b: Name) -> Bool { (a.port, a.id) < (b.port, b.id) }
    }

    private var index = WatcherIndex()
    private var watchers = SortedChunks<WatcherIndex.Handle, Watcher>()
    private var handles = SortedChunks<Name, WatcherIndex.Handle>()
    private var lastHandle: WatcherIndex.Handle = 0

    mutating func add(_ specification: WatchSpecification, id: WatcherID, port: UInt64, revision: Int64) {
        remove(id, port: port)
        lastHandle += 1
        let start = specification.startRevision
        watchers[lastHandle] = Watcher(
            id: id, port: port, specification: specification,
            missing: start > 0 && start <= revision ? start : nil)
        handles[Name(port: port, id: id.rawValue)] = lastHandle
        index.add(lastHandle, range: specification.range, of: specification.space)
    }

    mutating func remove(_ id: WatcherID, port: UInt64) {
        guard let handle = handles.remove(Name(port: port, id: id.rawValue)) else { return }
        if let watcher = watchers.remove(handle) {
            index.remove(handle, range: watcher.specification.range, of: watcher.specification.space)
        }
    }

    mutating func removeAll(ofPort port: UInt64) {
        var gone: [WatcherID] = []
        watchers.visit { if $1.port == port { gone.append($1.id) } }
        for id in gone { remove(id, port: port) }
    }

    mutating func consumed(bytes: Int, _ id: WatcherID, port: UInt64) {
        guard let handle = handles[Name(port: port, id: id.rawValue)] else { return }
        watchers[handle]?.bytesOnTheWay -= bytes
    }

    /// Whether each of them has had everything up to the revision, if only because there is nothing for it up
    /// to there. One that starts after the next revision is not spoken for.
    func areCaughtUp(_ ids: [WatcherID], port: UInt64, revision: Int64) -> Bool {
        ids.allSatisfy { id in
            guard let handle = handles[Name(port: port, id: id.rawValue)], let watcher = watchers[handle]
            else {
                return true
            }
            return watcher.missing == nil && watcher.specification.startRevision <= revision + 1
        }
    }

    /// Events of one command, just applied: of one revision, or of several in order.
    mutating func deliver(
        _ events: [KeyValueEvent], from reader: KeyValueReader, into outbox: inout Outbox
    ) throws {
        var concerned = SortedChunks<WatcherIndex.Handle, [KeyValueEvent]>()
        var matches: [WatcherIndex.Handle] = []
        for event in events {
            matches.removeAll(keepingCapacity: true)
            index.match(event.keyValue.key, of: event.space, into: &matches)
            for handle in matches { concerned[handle] = (concerned[handle] ?? []) + [event] }
        }
        let revision = try reader.revision()
        var all: [(WatcherIndex.Handle, [KeyValueEvent])] = []
        concerned.visit { all.append(($0, $1)) }
        for (handle, events) in all {
            guard var watcher = watchers[handle], watcher.missing == nil else { continue }
            if watcher.bytesOnTheWay >= Self.windowBytes {
                watcher.missing = max(events[0].keyValue.modRevision, watcher.specification.startRevision)
            } else {
                try send(events, revision: revision, to: &watcher, from: reader, into: &outbox)
            }
            settle(watcher, handle)
        }
    }

    private mutating func settle(_ watcher: Watcher, _ handle: WatcherIndex.Handle) {
        if watcher.isOver { remove(watcher.id, port: watcher.port) } else { watchers[handle] = watcher }
    }

    /// Lets those that miss something read on, as far as their windows allow.
    mutating func catchUp(from reader: KeyValueReader, into outbox: inout Outbox) throws {
        var behind: [(WatcherIndex.Handle, Watcher)] = []
        watchers.visit { if $1.missing != nil { behind.append(($0, $1)) } }
        let current = try reader.revision()
        for (handle, watcher) in behind {
            var watcher = watcher
            do {
                while let from = watcher.missing, watcher.bytesOnTheWay < Self.windowBytes, !watcher.isOver {
                    try readOn(&watcher, from: from, through: current, from: reader, into: &outbox)
                }
                settle(watcher, handle)
            } catch KeyValueRefusal.compacted {
                let compactRevision = try reader.compactRevision()
                outbox.append((watcher.port, .watchCompacted(watcher.id, compactRevision: compactRevision)))
                remove(watcher.id, port: watcher.port)
            }
        }
    }

    private func readOn(
        _ watcher: inout Watcher, from: Int64, through current: Int64, from reader: KeyValueReader,
        into outbox: inout Outbox
    ) throws {
        var events: [KeyValueEvent] = []
        let (range, space) = (watcher.specification.range, watcher.specification.space)
        if from < (try reader.ledger.compactRevision(of: space)) { throw KeyValueRefusal.compacted }
        let last = try reader.ledger.changes(
            from: from, through: current, byteLimit: Self.windowBytes,
            matching: { $0 == space && range.contains($1) }, into: &events)
        watcher.missing = last < current ? last + 1 : nil
        try send(events, revision: last, to: &watcher, from: reader, into: &outbox)
    }

    private func send(
        _ events: [KeyValueEvent], revision: Int64, to watcher: inout Watcher, from reader: KeyValueReader,
        into outbox: inout Outbox
    ) throws {
        let specification = watcher.specification
        var wanted = events.filter { event in
            event.keyValue.modRevision >= specification.startRevision
                && !(event.kind == .put ? specification.withoutPuts : specification.withoutDeletes)
        }
        guard let first = wanted.first else { return }
        var revision = revision
        if specification.isOneShot {
            revision = first.keyValue.modRevision
            wanted.removeAll { $0.keyValue.modRevision > revision }
            watcher.isOver = true
        }
        if specification.previousKeyValue, specification.space == .keyValue {
            for place in wanted.indices {
                let keyValue = wanted[place].keyValue
                wanted[place].previous = try reader.previous(of: keyValue.key, before: keyValue.modRevision)
            }
        }
        let batch = WatchBatch(
            revision: revision, events: wanted, bytes: wanted.reduce(0) { $0 + $1.byteCount })
        watcher.bytesOnTheWay += batch.bytes
        outbox.append((watcher.port, .events(watcher.id, batch)))
    }
}
