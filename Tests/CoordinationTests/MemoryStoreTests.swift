import Coordination
import Testing

@Suite("The store in memory") struct MemoryStoreTests {
    private func entries(_ reader: any OrderedReader, _ table: StoreTable = .index) throws -> [[UInt8]] {
        let cursor = try reader.cursor(in: table)
        var entries: [[UInt8]] = []
        var stands = try cursor.seekToFirst()
        while stands {
            entries.append([UInt8](cursor.key) + [0xFE] + cursor.value)
            stands = try cursor.next()
        }
        return entries
    }

    @Test("it is an ordered map in every respect", arguments: [1, 2, 3] as [UInt64])
    func againstDictionary(seed: UInt64) throws {
        var numbers = SeededNumbers(seed: seed)
        let store = MemoryStore()
        var model: [[UInt8]: [UInt8]] = [:]
        func key() -> [UInt8] { (0...numbers.below(3)).map { _ in UInt8(numbers.below(12)) } }
        for round in 1...60 {
            let grows = round % 20 < 13
            try store.write { transaction in
                for _ in 1...40 {
                    let (key, value) = (key(), [UInt8](repeating: 5, count: numbers.below(4)))
                    if numbers.chance(grows ? 80 : 20) {
                        try transaction.put(value, for: key, in: .index)
                        model[key] = value
                    } else {
                        #expect(
                            try transaction.remove(key, in: .index) == (model.removeValue(forKey: key) != nil)
                        )
                    }
                    #expect(try transaction.value(of: key, in: .index) == model[key])
                }
            }
            let sorted = model.keys.sorted { $0.lexicographicallyPrecedes($1) }
            try store.read { reader in
                #expect(try entries(reader) == sorted.map { $0 + [0xFE] + model[$0]! })
                let cursor = try reader.sharedCursor(in: .index)
                for _ in 1...20 {
                    let key = key()
                    let after = sorted.firstIndex { !$0.lexicographicallyPrecedes(key) }
                    #expect(try cursor.seek(atOrAfter: key) == (after != nil))
                    if let after { #expect([UInt8](cursor.key) == sorted[after]) }
                    let before = sorted.lastIndex { $0.lexicographicallyPrecedes(key) }
                    #expect(try cursor.seek(before: key) == (before != nil))
                    if let before {
                        #expect([UInt8](cursor.key) == sorted[before])
                        #expect(try cursor.previous() == (before > 0))
                    }
                }
                if let last = sorted.last {
                    #expect(try cursor.seekToLast() && [UInt8](cursor.key) == last)
                    var backwards = [last]
                    while try cursor.previous() { backwards.append([UInt8](cursor.key)) }
                    #expect(backwards.reversed() == sorted)
                }
            }
            #expect(store.size.inUse == model.reduce(0) { $0 + $1.key.count + $1.value.count })
        }
    }

    @Test("a view stays what it was while the store is written to, and tables do not mix")
    func views() throws {
        let store = MemoryStore()
        try store.write {
            for byte in 0..<200 as Range<UInt8> { try $0.append([byte], for: [byte], in: .history) }
        }
        let view = try store.openView()
        let copy = store.copy()
        let cursor = try view.cursor(in: .history)
        _ = try cursor.seek(atOrAfter: [100])
        try store.write { transaction in
            for byte in 0..<200 as Range<UInt8> { try transaction.remove([byte], in: .history) }
            try transaction.put([1], for: [1], in: .lease)
        }
        #expect(try cursor.next() && cursor.key[0] == 101)
        #expect(try entries(view, .history).count == 200 && entries(view, .lease).isEmpty)
        #expect(try store.read { try entries($0, .history) }.isEmpty)
        #expect(try store.read { try entries($0, .lease) } == [[1, 0xFE, 1]])
        #expect(try copy.read { try entries($0, .history) }.count == 200)
        view.close()
    }

    @Test("a transaction sees its own writes, and leaves nothing behind when it fails")
    func rollback() throws {
        struct Failure: Error {}
        let store = MemoryStore()
        try store.write { try $0.put([1], for: [1], in: .meta) }
        #expect(throws: Failure.self) {
            try store.write { transaction in
                let cursor = try transaction.sharedCursor(in: .meta)
                #expect(try cursor.seekToFirst())
                try transaction.put([2], for: [2], in: .meta)
                try transaction.remove([1], in: .meta)
                #expect(try cursor.seekToFirst() && cursor.key[0] == 2)
                throw Failure()
            }
        }
        #expect(try store.read { try entries($0, .meta) } == [[1, 0xFE, 1]])
    }

    @Test("a full store refuses what grows it, changes nothing, and takes more once something is removed")
    func full() throws {
        let store = MemoryStore(capacity: 2000)
        let harness = try SpaceHarness(store: store)
        var puts = 0
        while (try? harness.put("a", "0123456789")) != nil { puts += 1 }
        #expect(puts > 10 && harness.ledger.revision == Int64(puts) + 1)
        let dump = try harness.dump()
        #expect(throws: StoreError.self) { try harness.put("a", "0123456789") }
        #expect(try harness.dump() == dump)
        #expect(try harness.list("a").count == 1)
        store.capacity = 2100
        try harness.apply(.compact(revision: harness.ledger.revision))
        store.capacity = 2000
        try harness.removeAllCompacted()
        try harness.put("a", "0123456789")
    }

    @Test("a command that the store fails in the middle has no effect at all")
    func failing() throws {
        let harness = try SpaceHarness()
        try harness.apply(.grantLease(LeaseID(1), seconds: 10))
        try harness.put("a", "1", lease: 1)
        var transaction = KeyValueTransaction()
        transaction.success = [
            .put(PutOperation(key: bytes("a"), value: bytes("2"))),
            .put(PutOperation(key: bytes("b"), value: [])),
            .delete(DeleteOperation(range: keys("c", ""))),
        ]
        let dump = try harness.dump()
        for writes in 0..<5 {
            harness.store.fail(afterWrites: writes, with: StoreError(.full, "injected"))
            #expect(throws: StoreError(.full, "injected")) { try harness.apply(.transaction(transaction)) }
            #expect(try harness.dump() == dump && harness.ledger.revision == 2)
        }
        harness.store.fail(afterWrites: 0, with: nil)
        guard case .transaction(_, 3) = try harness.apply(.transaction(transaction)) else {
            Issue.record("refused")
            return
        }
        #expect(try harness.list("a", "") == ["a=2@3", "b=@3"])
    }

    @Test("the applied slot and the configuration are kept beside what was applied")
    func appliedState() throws {
        let store = MemoryStore()
        #expect(try store.read { try AppliedState(from: $0) } == AppliedState(slot: 0, configuration: []))
        try store.write { transaction in
            try AppliedState.setSlot(.max, in: transaction)
            try AppliedState.setConfiguration([1, 2, 3], in: transaction)
        }
        #expect(
            try store.read { try AppliedState(from: $0) }
                == AppliedState(slot: .max, configuration: [1, 2, 3]))
        #expect(try store.read { try AppliedState.slot(in: $0) } == .max)
    }
}
