import Coordination

// History, for those who are behind.
extension WatchHub {
    /// Reads on for the watcher that has waited longest, and for everybody whose place lies within the same slice;
    /// changes nothing here, before `.historyRead`.
    public func nextSlice(in reader: any OrderedReader) throws -> HistorySlice {
        let history = LedgerReader(reader)
        var slice = HistorySlice(entries: behind.entries, compacted: try compactRevisions(history))
        let first = behind.order.first { handle in
            let watcher = table.watchers[Int(handle)]!
            return watcher.next >= slice.compactRevision(of: watcher.specification.space)
        }
        guard let first else { return slice }
        slice.from = table.watchers[Int(first)]!.next
        slice.last = slice.from - 1
        let head = try history.revision()
        guard slice.from <= head else { return slice }
        var handles: [WatcherIndex.Handle] = []
        var asks: [PreviousWish] = []
        slice.last = try history.changes(
            from: slice.from, through: min(head, slice.from + settings.sliceRevisions),
            byteLimit: settings.sliceBytes,
            matching: { space, key in
                handles.removeAll(keepingCapacity: true)
                behind.index.match(key, of: space, into: &handles)
                guard !handles.isEmpty else { return false }
                asks.append(PreviousWish(of: handles, table))
                return true
            }, into: &slice.events)
        for (position, event) in slice.events.enumerated() where asks[position].includes(event) {
            slice.previous.ask(about: event, at: Int32(position))
        }
        if !slice.previous.isEmpty { slice.previous.fill(try slice.previous.answer(in: reader)) }
        return slice
    }

    private func compactRevisions(_ history: LedgerReader) throws -> [(space: SpaceID, revision: Int64)] {
        var revisions: [(space: SpaceID, revision: Int64)] = []
        for handle in behind.order {
            let space = table.watchers[Int(handle)]!.specification.space
            guard !revisions.contains(where: { $0.space == space }) else { continue }
            revisions.append((space, try history.compactRevision(of: space)))
        }
        return revisions
    }

    /// Who came to be behind after the slice was read may want what it passed over: then it serves nobody, and is read
    /// again.
    mutating func onHistoryRead(_ slice: HistorySlice, _ outputs: inout [WatchOutput]) {
        guard slice.entries == behind.entries else { return }
        endCompacted(slice, &outputs)
        guard !behind.isEmpty, slice.from > 0 else { return }
        let concerned = match(slice.events, from: slice.from, among: behind.index)
        var shared = SharedEvents(slice.events, slice.previous)
        deliver(&shared, to: concerned, through: slice.last, &outputs)
        settle(slice)
    }

    /// Ends the watchers that need what their family has given up.
    private mutating func endCompacted(_ slice: HistorySlice, _ outputs: inout [WatchOutput]) {
        for handle in behind.order {
            let watcher = table.watchers[Int(handle)]!
            let revision = slice.compactRevision(of: watcher.specification.space)
            guard watcher.next < revision else { continue }
            outputs.append(
                .deliver(
                    .watchCompacted(watcher.id, compactRevision: revision),
                    port: table.ports[watcher.port].number))
            remove(handle)
        }
    }

    /// Moves on everybody who was within the slice, and those who have reached the head to the synced ones.
    private mutating func settle(_ slice: HistorySlice) {
        var waiting: [WatcherIndex.Handle] = []
        var served: [WatcherIndex.Handle] = []
        var leaving: [(handle: WatcherIndex.Handle, specification: WatchSpecification)] = []
        for handle in behind.order {
            let place = Int(handle)
            let next = table.watchers[place]!.next
            guard (next >= slice.from && next <= slice.last + 1) || next > revision else {
                waiting.append(handle)
                continue
            }
            table.watchers[place]!.next = max(next, slice.last + 1)
            if table.watchers[place]!.next > revision {
                leaving.append((handle, table.watchers[place]!.specification))
            } else {
                served.append(handle)
            }
        }
        behind.settle(waiting: waiting, served: served, leaving: leaving)
        for (handle, _) in leaving { enter(.synced, handle) }
    }
}

/// Whether somebody whom a change of history concerns wants to know what it replaced, by the kind of change.
private struct PreviousWish {
    private var ofPuts = false
    private var ofDeletes = false

    init(of handles: [WatcherIndex.Handle], _ table: WatcherTable) {
        for handle in handles {
            let specification = table.watchers[Int(handle)]!.specification
            guard specification.previousKeyValue else { continue }
            if !specification.withoutPuts { ofPuts = true }
            if !specification.withoutDeletes { ofDeletes = true }
        }
    }

    func includes(_ event: KeyValueEvent) -> Bool { event.kind == .put ? ofPuts : ofDeletes }
}
