import Coordination

// What was applied, to those who are synced; and one batch of events to whomever it concerns.
extension WatchHub {
    mutating func onApplied(_ applied: AppliedEvents, _ outputs: inout [WatchOutput]) {
        if applied.after > revision { onMissed(through: applied.after) }
        guard applied.through > revision else { return }
        revision = applied.through
        let concerned = match(applied.events, from: 0, among: synced)
        guard !concerned.isEmpty else { return }
        let previous = previousWanted(of: applied.events, by: concerned)
        if previous.isEmpty {
            var shared = SharedEvents(applied.events, previous)
            deliver(&shared, to: concerned, through: applied.through, &outputs)
        } else {
            held = HeldBatch(
                events: applied.events, through: applied.through, concerned: concerned, previous: previous)
            outputs.append(.readPrevious(previous))
        }
    }

    mutating func onPreviousRead(_ answer: [KeyValue?], _ outputs: inout [WatchOutput]) {
        guard var batch = held else { return }
        held = nil
        batch.previous.fill(answer)
        var shared = SharedEvents(batch.events, batch.previous)
        deliver(&shared, to: batch.concerned, through: batch.through, &outputs)
    }

    /// The events up to `through` are not told: the synced watchers read them from the store.
    mutating func onMissed(through: Int64) {
        for place in table.watchers.indices {
            guard let watcher = table.watchers[place], watcher.state == .synced, watcher.next <= through
            else {
                continue
            }
            // A watcher has had everything up to `revision` though its `next` says so only after events.
            leave(WatcherIndex.Handle(place))
            table.watchers[place]!.next = max(watcher.next, revision + 1)
            enter(.behind, WatcherIndex.Handle(place))
        }
        revision = through
    }

    // MARK: one batch

    /// Notes with each watcher of `index` whose place is not before `from` the events that concern it and that it has
    /// not had; who those watchers are.
    mutating func match(
        _ events: [KeyValueEvent], from: Int64, among index: WatcherIndex
    ) -> [WatcherIndex.Handle] {
        guard index.count > 0 else { return [] }
        var concerned: [WatcherIndex.Handle] = []
        var handles: [WatcherIndex.Handle] = []
        for (position, event) in events.enumerated() {
            handles.removeAll(keepingCapacity: true)
            index.match(event.keyValue.key, of: event.space, into: &handles)
            for handle in handles {
                let place = Int(handle)
                guard table.watchers[place]!.next >= from, table.watchers[place]!.wants(event) else {
                    continue
                }
                if table.watchers[place]!.matched.isEmpty { concerned.append(handle) }
                table.watchers[place]!.matched.append(Int32(position))
            }
        }
        for handle in concerned where table.watchers[Int(handle)]!.specification.isOneShot {
            table.watchers[Int(handle)]!.keepFirstRevision(of: events)
        }
        return concerned
    }

    private func previousWanted(
        of events: [KeyValueEvent], by concerned: [WatcherIndex.Handle]
    ) -> PreviousVersions {
        var previous = PreviousVersions()
        var isWanted: [Bool] = []
        for handle in concerned where table.watchers[Int(handle)]!.specification.previousKeyValue {
            if isWanted.isEmpty { isWanted = Array(repeating: false, count: events.count) }
            for position in table.watchers[Int(handle)]!.matched { isWanted[Int(position)] = true }
        }
        for position in isWanted.indices where isWanted[position] {
            previous.ask(about: events[position], at: Int32(position))
        }
        return previous
    }

    /// Delivers what `match` has noted. `next` of those that got something moves to after `through`.
    mutating func deliver(
        _ shared: inout SharedEvents, to concerned: [WatcherIndex.Handle], through: Int64,
        _ outputs: inout [WatchOutput]
    ) {
        for handle in concerned {
            let place = Int(handle)
            let (events, bytes) = shared.events(
                at: table.watchers[place]!.matched,
                withPrevious: table.watchers[place]!.specification.previousKeyValue)
            table.watchers[place]!.matched.removeAll(
                keepingCapacity: table.watchers[place]!.matched.count < 64)
            let next = table.watchers[place]!.next
            if isFull(handle, bytes) {
                table.watchers[place]!.next = max(next, min(events[0].keyValue.modRevision, through + 1))
                leave(handle)
                enter(.slow, handle)
                continue
            }
            table.watchers[place]!.next = max(next, through + 1)
            table.addOutstanding(bytes, to: handle)
            let watcher = table.watchers[place]!
            outputs.append(
                .deliver(
                    .events(watcher.id, WatchBatch(revision: through, events: events, bytes: bytes)),
                    port: table.ports[watcher.port].number))
            if watcher.specification.isOneShot { remove(handle) }
        }
    }

    /// A watcher with nothing on the way takes a batch of any size.
    private func isFull(_ handle: WatcherIndex.Handle, _ bytes: Int) -> Bool {
        let outstanding = table.watchers[Int(handle)]!.outstandingBytes
        guard outstanding > 0 else { return false }
        return outstanding + bytes > settings.watcherLimitBytes
            || table.ports[table.watchers[Int(handle)]!.port].outstandingBytes + bytes
                > settings.portLimitBytes
    }
}
