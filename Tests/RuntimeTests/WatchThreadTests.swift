import Automata
import Coordination
import Member
import Testing

@testable import Runtime

/// A watch thread over a store in memory, which the test writes as the replica thread would.
private final class WatchWorld {
    let memory: MemoryStore
    let box: StoreBox
    let feed: WatchFeed
    let instruments = Instruments()
    let host = Mailbox<HostInput>(capacity: 10)
    var ledger: Ledger
    private var thread: DedicatedThread?

    init() throws {
        memory = MemoryStore()
        box = StoreBox(memory)
        ledger = try memory.read { try Ledger(from: $0) }
        feed = WatchFeed(revision: ledger.revision)
    }

    func start() {
        struct Carried: @unchecked Sendable { let thread: WatchThread }
        let carried = Carried(
            thread: WatchThread(feed: feed, store: box, instruments: instruments) { _ in })
        thread = DedicatedThread(name: "watch") { carried.thread.run() }
    }

    func stop() {
        feed.mailbox.send(.stop)
        thread?.join()
    }

    /// One batch. Unpublished: as when the watch thread is too far behind to be told.
    func apply(_ commands: [KeyValueCommand], published: Bool = true) throws {
        let before = ledger.revision
        var consequences = Consequences()
        try memory.write { transaction in
            for command in commands {
                _ = try ledger.apply(command.command, in: transaction, into: &consequences)
            }
        }
        if published {
            feed.publish(
                AppliedEvents(after: before, through: ledger.revision, events: consequences.events),
                bytes: 0)
        }
    }

    func port(_ deliveries: Deliveries, number: UInt64 = 1) -> Port {
        Port(
            number: number, host: host, hub: feed.mailbox, isHostRunning: { true },
            deliver: deliveries.deliver)
    }
}

@Suite("The watch thread")
struct WatchThreadTests {
    /// That events are ordered, unique, and of whole revisions.
    private func check(_ batches: [WatchBatch], _ comment: Comment? = nil) {
        var last: Int64 = 0
        for batch in batches {
            let revisions = batch.events.map(\.keyValue.modRevision)
            #expect(revisions == revisions.sorted(), comment)
            #expect((revisions.first ?? .max) > last, comment)
            #expect((revisions.last ?? 0) <= batch.revision, comment)
            last = batch.revision
        }
    }

    @Test("a watcher from now on gets what comes after, in batches as applied")
    func fromNowOn() throws {
        let world = try WatchWorld()
        world.start()
        defer { world.stop() }
        try world.apply([put("a"), put("b")])
        let deliveries = Deliveries()
        let port = world.port(deliveries)
        port.watch(WatchSpecification(range: everything()), watcher: WatcherID(1))
        port.requestProgress(of: [WatcherID(1)], token: 5)
        port.flush()
        #expect(eventually { deliveries.progress(of: 5) == 3 })
        try world.apply([put("c"), delete("a")])
        #expect(eventually { deliveries.events(of: 1).count == 2 })
        #expect(deliveries.events(of: 1).map(\.name) == ["c", "a"])
        #expect(deliveries.batches(of: 1).map(\.revision) == [5])
    }

    @Test("a watcher from a past revision joins the present without gap or repetition while writes go on")
    func joining() throws {
        let world = try WatchWorld()
        world.start()
        defer { world.stop() }
        for number in 0..<500 { try world.apply([put("k\(number % 7)", "\(number)")]) }
        let deliveries = Deliveries()
        let port = world.port(deliveries)
        for watcher in 0..<20 as Range<UInt64> {
            var specification = WatchSpecification(
                range: everything(), startRevision: Int64(2 + 10 * watcher))
            specification.withoutDeletes = watcher % 2 == 0
            port.watch(specification, watcher: WatcherID(watcher))
            port.flush()
            for number in 0..<50 {
                try world.apply([put("k\(number % 7)"), put("l")], published: number % 5 != 0)
            }
        }
        try world.apply([put("end")])
        let last = world.ledger.revision
        #expect(
            eventually {
                (0..<20).allSatisfy { deliveries.events(of: $0).last?.keyValue.modRevision == last }
            })
        for watcher in 0..<20 as Range<UInt64> {
            check(deliveries.batches(of: watcher))
            let revisions = deliveries.events(of: watcher).map(\.keyValue.modRevision)
            #expect(revisions == Array((2 + 10 * Int64(watcher))...last), "watcher \(watcher)")
        }
    }

    /// A slice of history is at most 4,097 revisions long.
    @Test("a watcher gets the last revision wherever history ends beside the end of a slice")
    func endOfASlice() throws {
        for count in 4_096...4_098 {
            let world = try WatchWorld()
            try world.apply((0..<count).map { put("k\($0 % 7)") })
            world.start()
            defer { world.stop() }
            let deliveries = Deliveries()
            let port = world.port(deliveries)
            port.watch(WatchSpecification(range: everything(), startRevision: 2), watcher: WatcherID(1))
            port.flush()
            #expect(
                eventually { deliveries.events(of: 1).last?.keyValue.modRevision == world.ledger.revision },
                "\(count) revisions")
            #expect(deliveries.events(of: 1).count == count)
            check(deliveries.batches(of: 1))
        }
    }

    @Test("a watcher of the future gets nothing earlier and is not told progress")
    func future() throws {
        let world = try WatchWorld()
        world.start()
        defer { world.stop() }
        let deliveries = Deliveries()
        let port = world.port(deliveries)
        port.watch(WatchSpecification(range: everything(), startRevision: 6), watcher: WatcherID(1))
        port.watch(WatchSpecification(range: everything()), watcher: WatcherID(2))
        port.requestProgress(of: [WatcherID(1)], token: 1)
        port.requestProgress(of: [WatcherID(2)], token: 2)
        port.flush()
        #expect(eventually { deliveries.progress(of: 2) == 1 })
        for number in 0..<8 { try world.apply([put("k\(number)")]) }
        #expect(eventually { deliveries.events(of: 2).count == 8 })
        #expect(eventually { deliveries.events(of: 1).count == 4 })
        #expect(deliveries.events(of: 1).first?.keyValue.modRevision == 6)
        #expect(deliveries.progress(of: 1) == nil)
        port.requestProgress(of: [WatcherID(1), WatcherID(2)], token: 3)
        port.flush()
        #expect(eventually { deliveries.progress(of: 3) == 9 })
    }

    @Test("a reader hears when its watchers were told up to a revision, after what they were told")
    func told() throws {
        let world = try WatchWorld()
        world.start()
        defer { world.stop() }
        let deliveries = Deliveries()
        let port = world.port(deliveries)
        port.watch(WatchSpecification(range: everything()), watcher: WatcherID(1))
        port.awaitTold(upTo: 3, [WatcherID(1)], token: 1)
        port.flush()
        #expect(eventually { world.instruments.watchers.value == 1 })
        try world.apply([put("a")])
        #expect(eventually { deliveries.events(of: 1).count == 1 })
        #expect(deliveries.progress(of: 1) == nil)
        try world.apply([put("b")])
        #expect(eventually { deliveries.progress(of: 1) == 3 })
        #expect(deliveries.events(of: 1).map(\.name) == ["a", "b"])
    }

    @Test("a watcher whose history is compacted is told so, and one at the compact revision is served")
    func compacted() throws {
        let world = try WatchWorld()
        for number in 0..<10 { try world.apply([put("k", "\(number)")]) }
        try world.apply([.compact(revision: 8)])
        world.start()
        defer { world.stop() }
        let deliveries = Deliveries()
        let port = world.port(deliveries)
        port.watch(WatchSpecification(range: everything(), startRevision: 7), watcher: WatcherID(1))
        port.watch(WatchSpecification(range: everything(), startRevision: 8), watcher: WatcherID(2))
        port.flush()
        #expect(
            eventually {
                deliveries.all.contains {
                    if case .watchCompacted(WatcherID(1), let revision) = $0 { return revision == 8 }
                    return false
                }
            })
        #expect(eventually { deliveries.events(of: 2).map(\.keyValue.modRevision) == [8, 9, 10, 11] })
        #expect(deliveries.events(of: 1).isEmpty)
        #expect(world.instruments.watchers.value == 1)
    }

    @Test("filters hold back puts or deletes, and previous values are those before the event")
    func filtersAndPrevious() throws {
        let world = try WatchWorld()
        world.start()
        defer { world.stop() }
        let deliveries = Deliveries()
        let port = world.port(deliveries)
        var noPuts = WatchSpecification(range: everything(), startRevision: 1)
        noPuts.withoutPuts = true
        noPuts.previousKeyValue = true
        var noDeletes = WatchSpecification(range: everything(), startRevision: 1)
        noDeletes.withoutDeletes = true
        noDeletes.previousKeyValue = true
        port.watch(noPuts, watcher: WatcherID(1))
        port.watch(noDeletes, watcher: WatcherID(2))
        port.watch(WatchSpecification(range: everything()), watcher: WatcherID(3))
        port.flush()
        #expect(eventually { world.instruments.watchers.value == 3 })
        try world.apply([put("a", "1"), put("a", "2"), delete("a"), put("a", "3")])
        #expect(eventually { deliveries.events(of: 3).count == 4 })
        #expect(eventually { deliveries.events(of: 2).count == 3 })
        #expect(deliveries.events(of: 1).map(\.kind) == [.delete])
        #expect(deliveries.events(of: 1).map { $0.previous?.value } == [Array("2".utf8)])
        #expect(deliveries.events(of: 2).map { $0.previous?.value } == [nil, Array("1".utf8), nil])
        #expect(deliveries.events(of: 3).allSatisfy { $0.previous == nil })
    }

    @Test("a watcher that consumes nothing is delivered a bounded amount, and all the rest once it consumes")
    func slowWatcher() throws {
        let world = try WatchWorld()
        world.start()
        defer { world.stop() }
        let deliveries = Deliveries()
        let port = world.port(deliveries)
        port.watch(WatchSpecification(range: everything()), watcher: WatcherID(1))
        port.flush()
        #expect(eventually { world.instruments.watchers.value == 1 })
        let value = String(repeating: "x", count: 100_000)
        for number in 0..<100 { try world.apply([put("k\(number)", value)]) }
        #expect(eventually { world.instruments.slowWatchers.value == 1 })
        let delivered = deliveries.batches(of: 1).reduce(0) { $0 + $1.bytes }
        #expect(delivered <= WatchHub.Settings().watcherLimitBytes)
        var consumed = 0
        #expect(
            eventually {
                let batches = deliveries.batches(of: 1)
                for batch in batches[consumed...] {
                    port.consumed(bytes: batch.bytes, watcher: WatcherID(1))
                }
                consumed = batches.count
                port.flush()
                return deliveries.events(of: 1).count == 100
            })
        check(deliveries.batches(of: 1))
        #expect(deliveries.events(of: 1).map(\.keyValue.modRevision) == Array(2...101))
        try world.apply([put("end")])
        #expect(eventually { deliveries.events(of: 1).last?.name == "end" })
    }

    @Test(
        "a thousand watchers of one key get every event of it, in one delivery per batch, and share its bytes"
    )
    func manyWatchers() throws {
        let world = try WatchWorld()
        world.start()
        defer { world.stop() }
        let deliveries = Deliveries()
        let port = world.port(deliveries)
        for watcher in 0..<1000 as Range<UInt64> {
            port.watch(WatchSpecification(range: KeyRange(key: [65])), watcher: WatcherID(watcher))
        }
        port.flush()
        #expect(eventually { world.instruments.watchers.value == 1000 })
        for number in 0..<10 { try world.apply([put("A", "\(number)"), put("B")]) }
        #expect(eventually { deliveries.all.count == 10_000 })
        for watcher in 0..<1000 as Range<UInt64> {
            #expect(deliveries.events(of: watcher).map(\.keyValue.version) == Array(1...10))
        }
    }

    @Test("a cancelled watcher and a closed port get nothing more")
    func ends() throws {
        let world = try WatchWorld()
        world.start()
        defer { world.stop() }
        let deliveries = Deliveries()
        let others = Deliveries()
        let port = world.port(deliveries)
        let other = world.port(others, number: 2)
        port.watch(WatchSpecification(range: everything()), watcher: WatcherID(1))
        port.watch(WatchSpecification(range: everything()), watcher: WatcherID(2))
        other.watch(WatchSpecification(range: everything()), watcher: WatcherID(1))
        port.flush()
        other.flush()
        #expect(eventually { world.instruments.watchers.value == 3 })
        port.cancelWatch(WatcherID(1))
        port.flush()
        other.close()
        #expect(eventually { world.instruments.watchers.value == 1 })
        try world.apply([put("a")])
        #expect(eventually { deliveries.events(of: 2).count == 1 })
        #expect(deliveries.events(of: 1).isEmpty)
        #expect(others.all.isEmpty)
    }

    @Test(
        "a one-shot watcher is told of the first revision that concerns it, and of nothing after",
        arguments: [0, 2] as [Int64])
    func oneShot(start: Int64) throws {
        let world = try WatchWorld()
        try world.apply([put("other"), put("k1", "1"), put("other")])
        world.start()
        defer { world.stop() }
        let deliveries = Deliveries()
        let port = world.port(deliveries)
        var specification = WatchSpecification(range: prefix("k"), startRevision: start)
        specification.isOneShot = true
        port.watch(specification, watcher: WatcherID(1))
        port.watch(WatchSpecification(range: prefix("k"), startRevision: start), watcher: WatcherID(2))
        port.flush()
        #expect(eventually { world.instruments.watchers.value == (start > 0 ? 1 : 2) })
        var both = KeyValueTransaction()
        both.success = [put("k2"), put("k3")].map { command in
            guard case .put(let put) = command else { preconditionFailure("not a put") }
            return .put(put)
        }
        try world.apply([put("other"), .transaction(both), put("k4")])
        #expect(eventually { deliveries.events(of: 2).last?.name == "k4" })
        #expect(eventually { world.instruments.watchers.value == 1 })
        #expect(deliveries.events(of: 1).map(\.name) == (start > 0 ? ["k1"] : ["k2", "k3"]))
    }

    @Test("a watcher sees the changes of its own family, and all keep to one order")
    func families() throws {
        let world = try WatchWorld()
        world.start()
        defer { world.stop() }
        let other = SpaceID(rawValue: 200)
        let deliveries = Deliveries()
        let port = world.port(deliveries)
        var specification = WatchSpecification(range: everything())
        port.watch(specification, watcher: WatcherID(1))
        specification.space = other
        port.watch(specification, watcher: WatcherID(2))
        port.requestProgress(of: [WatcherID(1), WatcherID(2)], token: 3)
        port.flush()
        #expect(eventually { deliveries.progress(of: 3) == 1 })
        try world.apply([put("k")])
        world.feed.publish(
            AppliedEvents(
                after: 2, through: 3,
                events: [
                    KeyValueEvent(kind: .put, keyValue: KeyValue(key: [107], modRevision: 3), of: other)
                ]), bytes: 0)
        #expect(eventually { !deliveries.events(of: 2).isEmpty })
        #expect(deliveries.events(of: 1).map(\.keyValue.modRevision) == [2])
        #expect(deliveries.events(of: 2).map(\.keyValue.modRevision) == [3])
    }

    @Test(
        "that the backlog was full is said once for all that was passed over, and again once that was heard")
    func passedOver() {
        let feed = WatchFeed(revision: 1)
        func publish(_ revision: Int64, bytes: Int = 1) {
            feed.publish(AppliedEvents(after: revision - 1, through: revision, events: []), bytes: bytes)
        }
        func taken() -> [String] {
            var messages: [WatchMessage] = []
            feed.mailbox.take(into: &messages, until: .zero)
            return messages.map { message in
                guard case .applied(let applied, let bytes) = message else {
                    return "missed \(feed.takePassedOver())"
                }
                feed.taken(applied, bytes: bytes)
                return "applied \(applied.through)"
            }
        }
        publish(2)
        #expect(taken() == [], "nobody watches")
        feed.count(watchers: 1)
        publish(3, bytes: 33 << 20)
        publish(4)
        publish(5)
        #expect(taken() == ["applied 3", "missed 5"])
        publish(6, bytes: 33 << 20)
        publish(7)
        #expect(taken() == ["applied 6", "missed 7"])
        publish(8)
        #expect(taken() == ["applied 8"])
    }

    @Test("watchers go on over a store that a checkpoint has replaced")
    func replacedStore() throws {
        let world = try WatchWorld()
        world.start()
        defer { world.stop() }
        let deliveries = Deliveries()
        let port = world.port(deliveries)
        port.watch(WatchSpecification(range: everything()), watcher: WatcherID(1))
        port.flush()
        #expect(eventually { world.instruments.watchers.value == 1 })
        try world.apply([put("a")])
        #expect(eventually { deliveries.events(of: 1).count == 1 })
        try world.apply([put("b"), put("c")], published: false)
        world.box.replace(by: world.memory.copy())
        world.feed.storeReplaced(revision: world.ledger.revision)
        #expect(eventually { deliveries.events(of: 1).map(\.name) == ["a", "b", "c"] })
        check(deliveries.batches(of: 1))
    }
}
