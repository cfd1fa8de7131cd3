import Coordination
import Member
import Testing

@Suite("The hub of watchers") struct WatchHubTests {
    // MARK: history and live

    @Test("a watcher from now on gets nothing of before, though it is told of that late")
    func fromNowOn() throws {
        var world = try WatchWorld()
        let late = try world.apply(put("a"))
        #expect(world.ask(watch(1)) == [])
        #expect(world.tell(.applied(late)) == [])
        #expect(try world.happens(put("b"), delete("a")) == ["1: b@3", "1: -a@4"])
    }

    @Test(
        "a watcher joins the live events without gap or repetition, however far the store is ahead of what was told"
    )
    func joining() throws {
        for read in 0...3 {
            var world = try WatchWorld()
            _ = world.ask(watch(2, KeyRange(key: [1])))
            for key in ["a", "b"] { #expect(try world.happens(put(key)) == []) }
            #expect(world.ask(watch(1, from: 2)) == [])
            var told: [AppliedEvents] = []
            var heard: [String] = []
            for (step, key) in ["c", "d", "e"].enumerated() {
                if step == read { heard += try world.catchUp() }
                told.append(try world.apply(put(key)))
            }
            if read == 3 { heard += world.tell(.historyRead(try world.slice())) }
            for applied in told { heard += world.tell(.applied(applied)) }
            heard += try world.catchUp()
            let events = heard.joined(separator: " ").replacing("1: ", with: "")
            #expect(events == "a@2 b@3 c@4 d@5 e@6", "history was read after \(read) more puts")
        }
    }

    @Test("history comes in slices, in which a revision is whole, and each serves everybody at its place")
    func slices() throws {
        var settings = WatchHub.Settings()
        settings.sliceRevisions = 1
        var world = try WatchWorld(settings)
        var both = KeyValueTransaction()
        both.success = ["b", "c"].map { .put(PutOperation(key: Array($0.utf8), value: [])) }
        _ = try world.happens(put("a"), .transaction(both), put("d"), put("e"))
        #expect(world.ask(watch(1, from: 2), watch(2, from: 3), watch(3, from: 4)) == [])
        #expect(world.tell(.historyRead(try world.slice())) == ["1: a@2 b@3 c@3", "2: b@3 c@3"])
        // The third has waited longest.
        #expect(
            world.tell(.historyRead(try world.slice())) == ["1: d@4 e@5", "2: d@4 e@5", "3: d@4 e@5"])
        #expect(!world.hub.isHistoryDue)
    }

    @Test("a slice that was read before another fell behind serves nobody, and is read again")
    func staleSlice() throws {
        var world = try WatchWorld()
        _ = try world.happens(put("a"), put("b"))
        _ = world.ask(watch(1, KeyRange(key: Array("a".utf8)), from: 2))
        let slice = try world.slice()
        _ = world.ask(watch(2, KeyRange(key: Array("b".utf8)), from: 2))
        #expect(world.tell(.historyRead(slice)) == [])
        #expect(try world.catchUp() == ["1: a@2", "2: b@3"])
    }

    @Test("what was not told of is read from the store, by those who have not had it")
    func missed() throws {
        var world = try WatchWorld()
        _ = world.ask(watch(1), watch(2, from: 5))
        #expect(try world.happens(put("a")) == ["1: a@2"])
        _ = try world.apply(put("b"), put("c"))
        #expect(try world.happens(put("d")) == ["2: d@5"])
        #expect(world.ask(progress(1)) == [], "it is behind")
        #expect(try world.catchUp() == ["1: b@3 c@4 d@5"])
        #expect(world.tell(.missed(through: 5)) == [])
        _ = try world.apply(put("e"))
        #expect(world.tell(.missed(through: 6)) == [])
        #expect(try world.catchUp() == ["1: e@6", "2: e@6"])
    }

    @Test("a watcher whose history is compacted is told so once, and one at the compact revision is served")
    func compacted() throws {
        var world = try WatchWorld()
        _ = try world.happens(put("a"), put("b"), put("c"), .compact(revision: 4))
        #expect(world.ask(watch(1, from: 3), watch(2, from: 4)) == [])
        #expect(try world.catchUp() == ["1: compacted 4", "2: c@4"])
        #expect(try world.happens(put("d")) == ["2: d@5"])
        #expect(world.hub.counts.watchers == 1)
    }

    @Test("a cancelled watcher, one whose name is given anew, and those of a closed port get nothing more")
    func ends() throws {
        var world = try WatchWorld()
        _ = world.ask(watch(1), watch(2))
        _ = world.ask(watch(1), port: 8)
        _ = world.ask(.cancel(WatcherID(1)), watch(2, KeyRange(key: [1])))
        #expect(world.tell(.portClosed(8)) == [])
        #expect(try world.happens(put("a")) == [])
        #expect(world.hub.counts.watchers == 1 && world.hub.counts.ports == 1)
    }

    // MARK: what is told

    @Test(
        "a one-shot watcher is told of the first revision that concerns it, whole, and of nothing after",
        arguments: [0, 2] as [Int64])
    func oneShot(start: Int64) throws {
        var world = try WatchWorld()
        _ = try world.happens(put("x"))
        let range = KeyRange(key: Array("k".utf8), end: Array("l".utf8))
        if start == 0 { _ = world.ask(watch(1, range) { $0.isOneShot = true }) }
        var both = KeyValueTransaction()
        both.success = ["k1", "k2"].map { .put(PutOperation(key: Array($0.utf8), value: [])) }
        var heard = world.tell(.applied(try world.apply(put("x"), .transaction(both), put("k3"))))
        if start > 0 {
            _ = world.ask(watch(1, range, from: start) { $0.isOneShot = true })
            heard += try world.catchUp()
        }
        heard += try world.happens(put("k4"))
        #expect(heard == ["1: k1@4 k2@4"])
        #expect(world.hub.counts == WatchHub.Counts.of(ports: 1))
    }

    @Test(
        "those who want what was replaced get it, live and from history, and the store is asked once a batch")
    func previous() throws {
        var world = try WatchWorld()
        let wants: (inout WatchSpecification) -> Void = { $0.previousKeyValue = true }
        _ = world.ask(watch(1, everything, from: 0, wants), watch(2, everything, from: 0, wants), watch(3))
        #expect(try world.happens(put("a", "1")) == ["1: a@2", "2: a@2", "3: a@2"])
        #expect(world.questions == 0, "the first version replaces nothing")
        let heard = world.tell(.applied(try world.apply(put("a", "2"), delete("a"))))
        #expect(heard == ["1: a@3<1 -a@4<2", "2: a@3<1 -a@4<2", "3: a@3 -a@4"])
        #expect(world.questions == 1)
        _ = world.ask(
            watch(4, from: 2) {
                $0.previousKeyValue = true
                $0.withoutPuts = true
            })
        #expect(try world.catchUp() == ["4: -a@4<2"])
    }

    @Test("what two watchers want alike is made once", arguments: [false, true])
    func shared(withPrevious: Bool) throws {
        var world = try WatchWorld()
        for id in 1...3 as ClosedRange<UInt64> {
            _ = world.ask(watch(id, KeyRange(key: [97])) { $0.previousKeyValue = withPrevious })
        }
        _ = try world.apply(put("a"))
        _ = world.tell(.missed(through: 2))
        _ = try world.catchUp()
        for commands in [[put("a"), put("b")], [put("a")]] {
            let before = world.ledger.revision
            var events: [KeyValueEvent] = []
            for command in commands { events += try world.apply(command).events }
            _ = world.tell(
                .applied(AppliedEvents(after: before, through: world.ledger.revision, events: events)))
            let places = world.delivered.compactMap { delivery -> UnsafePointer<KeyValueEvent>? in
                guard case .events(_, let batch) = delivery else { return nil }
                return batch.events.withUnsafeBufferPointer { $0.baseAddress }
            }
            #expect(places.count == 3 && places.allSatisfy { $0 == places[0] })
        }
    }

    @Test("progress is told of those who have had everything, and of no others")
    func progressOf() throws {
        var world = try WatchWorld()
        _ = try world.happens(put("a"))
        #expect(world.ask(progress()) == ["told 9: 2"])
        #expect(world.ask(watch(1), progress(1)) == ["told 9: 2"])
        #expect(world.ask(watch(2, from: 2), progress(1, 2)) == [], "one has yet to read")
        #expect(try world.catchUp() == ["2: a@2"])
        #expect(world.ask(watch(3, from: 9), progress(1, 2)) == ["told 9: 2"])
        #expect(world.ask(progress(1, 3)) == [], "one begins later")
        #expect(world.ask(progress(5)) == [], "nobody is there")
        let late = try world.apply(put("b"))
        #expect(world.ask(progress(1)) == ["told 9: 2"], "what is applied and not told is not in it")
        #expect(world.tell(.applied(late)) == ["1: b@3", "2: b@3"])
        #expect(world.ask(progress(1, 2)) == ["told 9: 3"])
    }

    @Test("a reader hears that its watchers were told up to a revision once each was told, and not before")
    func toldUpToRevision() throws {
        var world = try WatchWorld()
        _ = try world.happens(put("a"), put("b"))
        _ = world.ask(watch(1), watch(2, from: 2), watch(3, from: 9))
        #expect(world.ask(toldUpTo(3, 1)) == ["told 9: 3"])
        #expect(world.ask(toldUpTo(3, 1, 2, 3)) == [])
        #expect(try world.catchUp() == ["2: a@2 b@3", "told 9: 3"])
        // Read from a store that is ahead.
        #expect(world.ask(toldUpTo(4, 1, 2, 3)) == [])
        #expect(try world.happens(put("c")) == ["1: c@4", "2: c@4", "told 9: 4"])
        _ = world.ask(toldUpTo(7, 1, token: 10), toldUpTo(6, 1, token: 11))
        #expect(world.tell(.applied(try world.apply(put("d"), put("e")))).suffix(1) == ["told 11: 6"])
        _ = try world.apply(put("f"))
        #expect(world.tell(.missed(through: 7)) == [])
        #expect(try world.catchUp() == ["1: f@7", "2: f@7", "told 10: 7"])
    }

    @Test("who has ended keeps no reader waiting, and a closed port is answered nothing")
    func toldWithoutThem() throws {
        var world = try WatchWorld()
        _ = world.ask(watch(1), watch(2) { $0.isOneShot = true })
        #expect(world.ask(toldUpTo(5, 1, 2)) == [])
        // The handle of the one that ended is given to another, who is none of the reader's.
        #expect(world.ask(.cancel(WatcherID(1)), watch(3)) == [])
        #expect(try world.happens(put("a")) == ["3: a@2", "2: a@2", "told 9: 5"])
        #expect(world.ask(toldUpTo(5, 3)) == [])
        #expect(world.tell(.portClosed(WatchWorld.port)) == [])
        #expect(world.tell(.missed(through: 9)) == [])
        #expect(world.ask(toldUpTo(9, 1)) == ["told 9: 9"])
    }

    // MARK: back-pressure

    @Test(
        "a watcher with too much on the way holds nothing but its place, and reads on once half is consumed")
    func slow() throws {
        var settings = WatchHub.Settings()
        settings.watcherLimitBytes = 200
        var world = try WatchWorld(settings)
        _ = world.ask(watch(1))
        let bytes = 66
        #expect(
            try world.happens(put("a"), put("b"), put("c"), put("d"), put("e"))
                == ["1: a@2", "1: b@3", "1: c@4"])
        #expect(world.hub.counts.slow == 1 && !world.hub.isHistoryDue)
        #expect(world.ask(toldUpTo(6, 1), progress(1)) == [])
        _ = world.ask(.consumed(bytes: bytes, WatcherID(1)))
        #expect(world.hub.counts.slow == 1)
        _ = world.ask(.consumed(bytes: bytes, WatcherID(1)))
        #expect(world.hub.counts.slow == 0)
        #expect(try world.catchUp() == ["1: d@5 e@6", "told 9: 6"])
        #expect(try world.happens(put("f")) == [])
        _ = world.ask(.consumed(bytes: 1_000_000, WatcherID(1)))
        #expect(try world.catchUp() == ["1: f@7"])
        _ = world.ask(.consumed(bytes: 1_000_000, WatcherID(1)))
        #expect(try world.happens(put("g")) == ["1: g@8"])
    }

    @Test("watchers of one port have a bound in common, and what one consumes lets another read on")
    func portBound() throws {
        var settings = WatchHub.Settings()
        settings.portLimitBytes = 200
        var world = try WatchWorld(settings)
        let a = KeyRange(key: Array("a".utf8))
        _ = world.ask(watch(1), watch(2, a))
        _ = world.ask(watch(1), port: 8)
        #expect(try world.happens(put("a"), put("b")) == ["1: a@2", "1: a@2", "2: a@2", "1: b@3", "1: b@3"])
        #expect(try world.happens(put("a")) == ["1: a@4"], "of the other port")
        #expect(world.hub.counts.slow == 2)
        _ = world.ask(.consumed(bytes: 132, WatcherID(1)))
        #expect(world.hub.counts.slow == 0)
        #expect(try world.catchUp() == ["1: a@4", "2: a@4"])
    }

    @Test("a watcher with nothing on the way takes a batch of any size")
    func large() throws {
        var settings = WatchHub.Settings()
        settings.watcherLimitBytes = 10
        var world = try WatchWorld(settings)
        _ = world.ask(watch(1))
        #expect(try world.happens(put("a")) == ["1: a@2"])
        #expect(try world.happens(put("b")) == [])
        _ = world.ask(.consumed(bytes: 66, WatcherID(1)))
        #expect(try world.catchUp() == ["1: b@3"])
    }

    @Test("ids in any order are found until they are removed, however many have come and gone")
    func names() throws {
        var world = try WatchWorld()
        for id in (1...100 as ClosedRange<UInt64>).reversed() { _ = world.ask(watch(id)) }
        for id in 1...100 as ClosedRange<UInt64> where id % 7 != 0 { _ = world.ask(.cancel(WatcherID(id))) }
        #expect(world.hub.counts.watchers == 14)
        for id in [7, 8, 200] as [UInt64] { _ = world.ask(watch(id)) }
        #expect(world.hub.counts.watchers == 16)
        #expect(try world.happens(put("a")).count == 16)
        #expect(world.ask(progress(7, 8, 14, 98, 200)) == ["told 9: 2"])
        #expect(world.ask(progress(9)) == [])
    }
}
