import Coordination

/// The watch thread: every watcher of this process lives here, and nowhere else.
///
/// A watcher is synced, and then gets the events of each applied batch; or behind, and then its history is
/// read from the store in slices, together with everybody's who is at about the same place, until it joins
/// the synced ones without gap or repetition (`Watcher.next` sees to both); or slow, and then holds nothing
/// but its place in history.
final class WatchHub {
    /// Delivered and not consumed, of one watcher and of all watchers of one port.
    static let watcherLimitBytes = 2 << 20
    static let portLimitBytes = 32 << 20
    /// Of one slice of history.
    private static let sliceBytes = 512 << 10
    private static let sliceRevisions: Int64 = 4096

    private let feed: WatchFeed
    private let store: StoreBox
    private let instruments: Instruments
    private let fail: (String) -> Void

    private var ports: [ObjectIdentifier: PortWatchers] = [:]
    private var touched: [PortWatchers] = []
    private var watchers: [WatcherIndex.Handle: Watcher] = [:]
    private var nextHandle: WatcherIndex.Handle = 1
    private var synced = WatcherIndex()
    private var behind = WatcherIndex()
    /// Those that are behind, the one that was served longest ago first.
    private var behindQueue: [Watcher] = []
    /// Synced watchers have had everything up to here.
    private var revision: Int64
    private var handles: [WatcherIndex.Handle] = []
    private var isStopped = false

    init(feed: WatchFeed, store: StoreBox, instruments: Instruments, fail: @escaping (String) -> Void) {
        self.feed = feed
        self.store = store
        self.instruments = instruments
        self.fail = fail
        revision = feed.revision
    }

    /// The body of the watch thread.
    func run() {
        var inputs: [WatchInput] = []
        while !isStopped {
            feed.mailbox.take(into: &inputs, until: behindQueue.isEmpty ? nil : .zero)
            for input in inputs { on(input) }
            if !behindQueue.isEmpty { readSlice() }
            deliverAll()
        }
    }

    private func on(_ input: WatchInput) {
        switch input {
        case .requests(let port, let requests):
            let port = watchers(of: port)
            for request in requests { on(request, port) }
        case .portClosed(let port): onPortClosed(port)
        case .applied(let applied): onApplied(applied)
        case .storeReplaced(let revision): onStoreReplaced(revision)
        case .stop: isStopped = true
        }
    }

    private func on(_ request: WatchRequest, _ port: PortWatchers) {
        switch request {
        case .watch(let specification, let id): onWatch(specification, id, port)
        case .cancel(let id):
            if let watcher = port.watchers[id] { remove(watcher) }
        case .consumed(let bytes, let id): onConsumed(bytes, id, port)
        case .progress(let ids, let token): onProgress(ids, token, port)
        }
    }

    // MARK: requests

    private func onWatch(_ specification: WatchSpecification, _ id: WatcherID, _ port: PortWatchers) {
        if let old = port.watchers[id] { remove(old) }
        feed.count(watchers: 1)
        instruments.watchers.add(1)
        // Counted first: from this revision on everything is published.
        let head = feed.revision
        if synced.count == 0 { revision = max(revision, head) }
        let next = specification.startRevision > 0 ? specification.startRevision : head + 1
        let watcher = Watcher(
            id: id, handle: nextHandle, specification: specification, port: port, next: next)
        nextHandle += 1
        watchers[watcher.handle] = watcher
        port.watchers[id] = watcher
        if next > revision { enter(.synced, watcher) } else { enter(.behind, watcher) }
    }

    private func onConsumed(_ bytes: Int, _ id: WatcherID, _ port: PortWatchers) {
        guard let watcher = port.watchers[id] else { return }
        let bytes = min(bytes, watcher.outstandingBytes)
        watcher.outstandingBytes -= bytes
        port.outstandingBytes -= bytes
        if watcher.state == .slow { resumeIfConsumed(watcher) }
        // Room at the port may be what another of its watchers waits for.
        if port.outstandingBytes <= WatchHub.portLimitBytes / 2,
            port.outstandingBytes + bytes > WatchHub.portLimitBytes / 2
        {
            for other in port.watchers.values where other.state == .slow { resumeIfConsumed(other) }
        }
    }

    private func resumeIfConsumed(_ watcher: Watcher) {
        guard watcher.outstandingBytes <= WatchHub.watcherLimitBytes / 2,
            watcher.port.outstandingBytes <= WatchHub.portLimitBytes / 2 || watcher.outstandingBytes == 0
        else { return }
        leave(watcher)
        enter(watcher.next > revision ? .synced : .behind, watcher)
    }

    /// Answered only when everyone asked about has had everything up to the revision that is told; a watcher
    /// that begins in the future has not.
    private func onProgress(_ ids: [WatcherID], _ token: UInt64, _ port: PortWatchers) {
        for id in ids {
            guard let watcher = port.watchers[id], watcher.state == .synced, watcher.next <= revision + 1
            else { return }
        }
        deliver(.progress(token: token, revision: ids.isEmpty ? feed.revision : revision), port)
    }

    private func onPortClosed(_ port: Port) {
        guard let entry = ports.removeValue(forKey: ObjectIdentifier(port)) else { return }
        for watcher in Array(entry.watchers.values) { remove(watcher) }
        entry.deliveries = []
        instruments.watchPorts.add(-1)
    }

    private func watchers(of port: Port) -> PortWatchers {
        if let known = ports[ObjectIdentifier(port)] { return known }
        let entry = PortWatchers(port)
        ports[ObjectIdentifier(port)] = entry
        instruments.watchPorts.add(1)
        return entry
    }

    // MARK: states

    private func enter(_ state: Watcher.State, _ watcher: Watcher) {
        watcher.state = state
        switch state {
        case .synced: synced.add(watcher)
        case .behind:
            behind.add(watcher)
            behindQueue.append(watcher)
        case .slow: instruments.slowWatchers.add(1)
        }
    }

    private func leave(_ watcher: Watcher) {
        switch watcher.state {
        case .synced: synced.remove(watcher)
        case .behind:
            behind.remove(watcher)
            behindQueue.removeAll { $0 === watcher }
        case .slow: instruments.slowWatchers.add(-1)
        }
    }

    private func remove(_ watcher: Watcher) {
        leave(watcher)
        watchers[watcher.handle] = nil
        watcher.port.watchers[watcher.id] = nil
        watcher.port.outstandingBytes -= watcher.outstandingBytes
        feed.count(watchers: -1)
        instruments.watchers.add(-1)
    }

    // MARK: what was applied

    private func onApplied(_ applied: AppliedEvents) {
        feed.taken(applied)
        if applied.after > revision { onMissed(through: applied.after) }
        guard applied.through > revision else { return }
        distribute(applied.events, from: 0, through: applied.through, among: synced)
        revision = applied.through
    }

    /// The events up to `through` were not published: the synced watchers read them from the store.
    private func onMissed(through: Int64) {
        for watcher in watchers.values where watcher.state == .synced && watcher.next <= through {
            // A watcher has had everything up to `revision` though its `next` says so only after events.
            leave(watcher)
            watcher.next = max(watcher.next, revision + 1)
            enter(.behind, watcher)
        }
        revision = through
    }

    private func onStoreReplaced(_ replaced: Int64) {
        if replaced > revision { onMissed(through: replaced) }
    }

    /// Delivers to each watcher of `index` whose place is not before `from` the events that concern it and that
    /// it has not had. `next` of those that got something moves to after `through`.
    private func distribute(
        _ events: [KeyValueEvent], from: Int64, through: Int64, among index: WatcherIndex
    ) {
        guard !events.isEmpty, index.count > 0 else { return }
        var concerned: [Watcher] = []
        for (position, event) in events.enumerated() {
            handles.removeAll(keepingCapacity: true)
            index.match(event.keyValue.key, of: event.space, into: &handles)
            for handle in handles {
                guard let watcher = watchers[handle], watcher.next >= from, watcher.wants(event) else {
                    continue
                }
                if watcher.matched.isEmpty { concerned.append(watcher) }
                watcher.matched.append(Int32(position))
            }
        }
        guard !concerned.isEmpty else { return }
        var shared = SharedEvents(events, store: store)
        for watcher in concerned {
            if watcher.specification.isOneShot { watcher.keepFirstRevision(of: events) }
            let (events, bytes) = shared.events(
                at: watcher.matched, withPrevious: watcher.specification.previousKeyValue)
            watcher.matched.removeAll(keepingCapacity: watcher.matched.count < 64)
            if isFull(watcher, bytes) {
                watcher.next = max(watcher.next, min(events[0].keyValue.modRevision, through + 1))
                leave(watcher)
                enter(.slow, watcher)
                continue
            }
            watcher.next = max(watcher.next, through + 1)
            watcher.outstandingBytes += bytes
            watcher.port.outstandingBytes += bytes
            instruments.watchEvents.add(events.count)
            deliver(
                .events(watcher.id, WatchBatch(revision: through, events: events, bytes: bytes)), watcher.port
            )
            if watcher.specification.isOneShot { remove(watcher) }
        }
    }

    /// A watcher with nothing on the way takes a batch of any size.
    private func isFull(_ watcher: Watcher, _ bytes: Int) -> Bool {
        guard watcher.outstandingBytes > 0 else { return false }
        return watcher.outstandingBytes + bytes > WatchHub.watcherLimitBytes
            || watcher.port.outstandingBytes + bytes > WatchHub.portLimitBytes
    }

    // MARK: history

    /// Serves the watcher that has waited longest, and everybody whose place lies within the same slice.
    private func readSlice() {
        var from: Int64 = 0
        var events: [KeyValueEvent] = []
        var last: Int64 = -1
        do {
            try store.read { reader in
                let history = LedgerReader(reader)
                try endCompacted(history)
                guard let first = behindQueue.first else { return }
                from = first.next
                last = from - 1
                let head = try history.revision()
                guard from <= head else { return }
                last = try history.changes(
                    from: from, through: min(head, from + WatchHub.sliceRevisions),
                    byteLimit: WatchHub.sliceBytes,
                    matching: { space, key in
                        handles.removeAll(keepingCapacity: true)
                        behind.match(key, of: space, into: &handles)
                        return !handles.isEmpty
                    }, into: &events)
            }
        } catch {
            fail("cannot read the history for watchers: \(error)")
            isStopped = true
            return
        }
        guard !behindQueue.isEmpty else { return }
        distribute(events, from: from, through: last, among: behind)
        settle(from: from, last: last)
    }

    /// Ends the watchers that need what their family has given up.
    private func endCompacted(_ history: LedgerReader) throws {
        var compacted: [SpaceID: Int64] = [:]
        for watcher in behindQueue {
            let space = watcher.specification.space
            let revision = try compacted[space] ?? history.compactRevision(of: space)
            compacted[space] = revision
            guard watcher.next < revision else { continue }
            deliver(.watchCompacted(watcher.id, compactRevision: revision), watcher.port)
            remove(watcher)
        }
    }

    /// Moves on everybody who was within the slice, and those who have reached the head to the synced ones.
    private func settle(from: Int64, last: Int64) {
        var waiting: [Watcher] = []
        var served: [Watcher] = []
        for watcher in behindQueue {
            guard (watcher.next >= from && watcher.next <= last + 1) || watcher.next > revision else {
                waiting.append(watcher)
                continue
            }
            watcher.next = max(watcher.next, last + 1)
            if watcher.next > revision {
                behind.remove(watcher)
                enter(.synced, watcher)
            } else {
                served.append(watcher)
            }
        }
        behindQueue = waiting + served
    }

    // MARK: deliveries

    private func deliver(_ delivery: ServiceDelivery, _ port: PortWatchers) {
        if port.deliveries.isEmpty { touched.append(port) }
        port.deliveries.append(delivery)
    }

    private func deliverAll() {
        for port in touched where !port.deliveries.isEmpty {
            port.port.deliver(port.deliveries)
            port.deliveries = []
        }
        touched.removeAll(keepingCapacity: true)
    }
}
