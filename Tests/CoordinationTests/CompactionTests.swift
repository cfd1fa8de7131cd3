import Coordination
import Testing

@Suite("Compaction") struct CompactionTests {
    @Test("a revision can be compacted once, from 0 up to the current one")
    func bounds() throws {
        let harness = try SpaceHarness()
        #expect(harness.ledger.compactRevision == -1)
        #expect(try harness.apply(.compact(revision: -1)) == .refused(.compacted, revision: 1))
        #expect(try harness.apply(.compact(revision: 0)) == .compacted(revision: 1))
        #expect(try harness.apply(.compact(revision: 0)) == .refused(.compacted, revision: 1))
        #expect(try harness.apply(.compact(revision: 2)) == .refused(.futureRevision, revision: 1))
        try harness.put("a")
        #expect(try harness.apply(.compact(revision: 2)) == .compacted(revision: 2))
        #expect(try SpaceHarness(store: harness.store).ledger.compactRevision == 2)
        #expect(try harness.read { try $0.compactRevision() } == 2)
    }

    @Test("the newest version of each living key is kept, and everything after the compact revision")
    func whatStays() throws {
        let harness = try SpaceHarness()
        for value in 1...5 { try harness.put("a", "\(value)") }
        try harness.put("b", "6")
        try harness.delete("b")
        try harness.put("c", "8")
        try harness.put("a", "9")
        try harness.apply(.compact(revision: 9))
        try harness.removeAllCompacted()
        #expect(try harness.storedVersions() == 3, "a=5, c=8, a=9")
        #expect(try harness.list("a", "", at: 9) == ["a=5@6", "c=8@9"])
        #expect(try harness.list("a", "") == ["a=9@10", "c=8@9"])
        try harness.apply(.compact(revision: 10))
        try harness.removeAllCompacted()
        #expect(try harness.storedVersions() == 2)
        #expect(try SpaceHarness(store: harness.store).ledger.revision == 10)
    }

    @Test(
        "a deletion at the compact revision stays for a watcher that starts there, until the next compaction")
    func tombstoneAtTheRevision() throws {
        let harness = try SpaceHarness()
        try harness.put("a", "1")
        try harness.delete("a")
        try harness.apply(.compact(revision: 3))
        try harness.removeAllCompacted()
        var events: [KeyValueEvent] = []
        #expect(
            try harness.read {
                try $0.events(from: 3, through: 3, byteLimit: 100, matching: { _ in true }, into: &events)
            } == 3)
        #expect(events == [KeyValueEvent(kind: .delete, keyValue: KeyValue(key: bytes("a"), modRevision: 3))])
        #expect(throws: KeyValueRefusal.compacted) {
            try harness.read {
                try $0.events(from: 2, through: 3, byteLimit: 100, matching: { _ in true }, into: &events)
            }
        }
        #expect(try harness.storedVersions() == 1)
        #expect(
            try SpaceHarness(store: harness.store).ledger.revision == 3, "the last event tells the revision")
        try harness.put("b")
        try harness.apply(.compact(revision: 4))
        try harness.removeAllCompacted()
        #expect(try harness.storedVersions() == 1)
        #expect(try harness.list("a", "") == ["b=@4"])
    }

    @Test("the last event stays even when it deletes the only key")
    func emptyStoreKeepsRevision() throws {
        let harness = try SpaceHarness()
        for _ in 1...3 { try harness.put("a") }
        try harness.delete("a")
        try harness.apply(.compact(revision: 5))
        try harness.removeAllCompacted()
        let restored = try SpaceHarness(store: harness.store)
        #expect(restored.ledger.revision == 5)
        #expect(try restored.put("a") == .put(previous: nil, revision: 6))
        #expect(try restored.range(RangeQuery(range: keys("a"))).keyValues[0].version == 1)
    }

    @Test(
        "removal is bounded and goes on where it stopped, also after a restart and under further compactions",
        arguments: [1, 2, 3, 10] as [Int])
    func resumable(limit: Int) throws {
        var harness = try SpaceHarness()
        let whole = try SpaceHarness()
        var numbers = SeededNumbers(seed: 5)
        for round in 1...60 {
            for target in [harness, whole] { try target.put("\(round % 7)", "\(round)") }
            if round % 5 == 0 { for target in [harness, whole] { try target.delete("\(round % 7)", "4") } }
            if round % 9 == 0 {
                let revision = harness.ledger.revision - Int64(numbers.below(3))
                for target in [harness, whole] { try target.apply(.compact(revision: revision)) }
            }
            let before = try harness.storedVersions()
            _ = try harness.removeCompacted(limit: limit)
            #expect(before - (try harness.storedVersions()) <= limit + 1)
            if round % 4 == 0 { harness = try SpaceHarness(store: harness.store) }
            #expect(try harness.read { try $0.hash(at: 0) } == whole.read { try $0.hash(at: 0) })
        }
        try harness.removeAllCompacted(limit: limit)
        try whole.removeAllCompacted()
        #expect(try harness.read { try $0.hash(at: 0) } == whole.read { try $0.hash(at: 0) })
        #expect(try harness.storedVersions() == whole.storedVersions())
        #expect(try harness.list("0", "") == whole.list("0", ""))
    }

    @Test("a removal that the store rolls back is done again")
    func rolledBack() throws {
        let harness = try SpaceHarness()
        for round in 1...20 { try harness.put("\(round % 3)") }
        try harness.apply(.compact(revision: 21))
        let hash = try harness.read { try $0.hash(at: 0) }
        for writes in 0..<6 {
            harness.store.fail(afterWrites: writes, with: StoreError(.failed, "injected"))
            #expect(throws: StoreError.self) { try harness.removeCompacted(limit: 100) }
            #expect(try harness.storedVersions() == 20)
        }
        harness.store.fail(afterWrites: 0, with: nil)
        try harness.removeAllCompacted()
        #expect(try harness.storedVersions() == 3)
        #expect(try harness.read { try $0.hash(at: 0) } == hash)
    }

    @Test("the hash is refused for revisions that are compacted or to come, and tells what it covers")
    func hashBounds() throws {
        let harness = try SpaceHarness()
        for value in 1...5 { try harness.put("a", "\(value)") }
        let early = try harness.read { try $0.hash(at: 4) }
        #expect(early.compactRevision == -1 && early.revision == 4)
        try harness.put("b")
        #expect(try harness.read { try $0.hash(at: 4) } == early)
        #expect(try harness.read { try $0.hash(at: 0) }.hash != early.hash)
        try harness.apply(.compact(revision: 4))
        #expect(throws: KeyValueRefusal.compacted) { try harness.read { try $0.hash(at: 3) } }
        #expect(throws: KeyValueRefusal.futureRevision) { try harness.read { try $0.hash(at: 8) } }
        #expect(try harness.read { try $0.hash(at: 4) }.compactRevision == 4)
    }

    @Test("stores that differ in a value, a lease or whether a key was deleted have different hashes")
    func hashCovers() throws {
        func hash(_ write: (SpaceHarness) throws -> Void) throws -> UInt32 {
            let harness = try SpaceHarness()
            _ = try harness.apply(.grantLease(LeaseID(7), seconds: 60))
            try write(harness)
            return try harness.read { try $0.hash(at: 0) }.hash
        }
        let hashes = [
            try hash { _ = try $0.put("a", "1") }, try hash { _ = try $0.put("a", "2") },
            try hash { _ = try $0.put("a", "1", lease: 7) }, try hash { _ = try $0.put("b", "1") },
            try hash {
                _ = try $0.put("a", "1")
                _ = try $0.delete("a")
            },
            try hash {
                _ = try $0.put("a", "1")
                _ = try $0.put("a", "1")
            },
        ]
        #expect(Set(hashes).count == hashes.count)
        #expect(try hash { _ = try $0.put("a", "1") } == hashes[0])
    }

    @Test("a key with very many versions is read and compacted like any other")
    func hotKey() throws {
        let harness = try SpaceHarness()
        try harness.put("a", "first")
        for round in 1...20_000 { try harness.put("hot", "\(round)") }
        try harness.put("z", "last")
        let reader = SteppingReader()
        try harness.store.read { view in
            reader.view = view
            let result = try KeyValueReader(reader).range(RangeQuery(range: keys("a", "")))
            #expect(result.keyValues.map(text) == ["a=first@2", "hot=20000@20002", "z=last@20003"])
            var old = RangeQuery(range: keys("a", ""))
            old.revision = 10_000
            #expect(
                try KeyValueReader(reader).range(old).keyValues.map(text) == ["a=first@2", "hot=9998@10000"])
        }
        #expect(reader.steps < 100, "\(reader.steps) steps")
        try harness.apply(.compact(revision: 20_003))
        try harness.removeAllCompacted()
        #expect(try harness.storedVersions() == 3)
    }
}

/// Counts how often its cursors move.
final class SteppingReader: OrderedReader {
    var view: (any OrderedReader)!
    var steps = 0

    func value(of key: UnsafeRawBufferPointer, in table: StoreTable) throws -> UnsafeRawBufferPointer? {
        try view.value(of: key, in: table)
    }
    func cursor(in table: StoreTable) throws -> any OrderedCursor {
        SteppingCursor(cursor: try view.cursor(in: table), reader: self)
    }
    func sharedCursor(in table: StoreTable) throws -> any OrderedCursor { try cursor(in: table) }
}

final class SteppingCursor: OrderedCursor {
    private let cursor: any OrderedCursor
    private let reader: SteppingReader

    init(cursor: any OrderedCursor, reader: SteppingReader) {
        self.cursor = cursor
        self.reader = reader
    }

    private func step(_ body: () throws -> Bool) rethrows -> Bool {
        reader.steps += 1
        return try body()
    }
    func seek(atOrAfter key: UnsafeRawBufferPointer) throws -> Bool {
        try step { try cursor.seek(atOrAfter: key) }
    }
    func seek(before key: UnsafeRawBufferPointer) throws -> Bool { try step { try cursor.seek(before: key) } }
    func seekToFirst() throws -> Bool { try step { try cursor.seekToFirst() } }
    func seekToLast() throws -> Bool { try step { try cursor.seekToLast() } }
    func next() throws -> Bool { try step { try cursor.next() } }
    func previous() throws -> Bool { try step { try cursor.previous() } }
    var key: UnsafeRawBufferPointer { cursor.key }
    var value: UnsafeRawBufferPointer { cursor.value }
}
