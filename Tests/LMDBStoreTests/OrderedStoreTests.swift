import Coordination
import Testing

@testable import LMDBStore

/// What every ordered store must do, held against both that there are.
@Suite struct OrderedStoreTests {
    enum Kind: CaseIterable { case memory, lmdb }

    let directory = TestDirectory()

    private func open(_ kind: Kind) throws -> any OrderedStore {
        switch kind {
        case .memory: MemoryStore()
        case .lmdb: try LMDBStore.open(directory.store)
        }
    }

    @Test("what was put is read, overwritten and removed", arguments: Kind.allCases)
    func putGetRemove(_ kind: Kind) throws {
        let store = try open(kind)
        try store.write { transaction throws in
            try transaction.put(bytes("1"), for: bytes("a"), in: .index)
            try transaction.put(bytes("2"), for: bytes("a"), in: .lease)
            try transaction.put([], for: bytes("b"), in: .index)
            try transaction.put(bytes("3"), for: bytes("a"), in: .index)
            #expect(try transaction.value(of: bytes("a"), in: .index) == bytes("3"))
        }
        try store.read { reader throws in
            #expect(try reader.value(of: bytes("a"), in: .index) == bytes("3"))
            #expect(try reader.value(of: bytes("a"), in: .lease) == bytes("2"))
            #expect(try reader.value(of: bytes("b"), in: .index) == [])
            #expect(try reader.value(of: bytes("c"), in: .index) == nil)
            #expect(try reader.value(of: bytes("a"), in: .history) == nil)
        }
        try store.write { transaction throws in
            #expect(try transaction.remove(bytes("a"), in: .index))
            #expect(try !transaction.remove(bytes("a"), in: .index))
            #expect(try transaction.value(of: bytes("a"), in: .index) == nil)
        }
    }

    @Test("a transaction that throws changes nothing", arguments: Kind.allCases)
    func rollback(_ kind: Kind) throws {
        let store = try open(kind)
        try store.write { try $0.put(bytes("old"), for: bytes("k"), in: .meta) }
        #expect(throws: StoreError.self) {
            try store.write { transaction throws in
                try transaction.put(bytes("new"), for: bytes("k"), in: .meta)
                try transaction.put(bytes("new"), for: [UInt8](repeating: 7, count: 3000), in: .meta)
                throw StoreError(.failed, "on purpose")
            }
        }
        #expect(
            try image(store) == [[bytes("k"), bytes("old")]] + StoreTable.allCases.dropFirst().map { _ in [] }
        )
    }

    @Test("a view sees neither later nor uncommitted writes", arguments: Kind.allCases)
    func isolation(_ kind: Kind) throws {
        let store = try open(kind)
        try store.write { try $0.put([1], for: bytes("k"), in: .meta) }
        let view = try store.openView()
        try store.write { transaction throws in
            try transaction.put([2], for: bytes("k"), in: .meta)
            #expect(try view.value(of: bytes("k"), in: .meta) == [1])
            let committed = try store.read { try $0.value(of: bytes("k"), in: .meta) }
            #expect(committed == [1])
        }
        #expect(try view.value(of: bytes("k"), in: .meta) == [1])
        #expect(try store.read { try $0.value(of: bytes("k"), in: .meta) } == [2])
        view.close()
    }

    @Test("appending in order, and even out of order, keeps the order", arguments: Kind.allCases)
    func append(_ kind: Kind) throws {
        let store = try open(kind)
        try store.write { transaction throws in
            for number in UInt8(0)..<200 { try transaction.append([number], for: [9, number], in: .history) }
            if kind == .lmdb { try transaction.append([1], for: [3], in: .history) }
            try transaction.append(
                [5], for: [10] + [UInt8](repeating: 1, count: 600), in: .history)
        }
        let keys = try store.read { try contents($0, .history).map(\.key) }
        #expect(keys.count == (kind == .lmdb ? 202 : 201))
        #expect(zip(keys, keys.dropFirst()).allSatisfy(comesBefore))
    }

    @Test("random writes, seeks and walks agree with a sorted array", arguments: Kind.allCases)
    func randomised(_ kind: Kind) throws {
        for seed in UInt64(1)...6 {
            let directory = TestDirectory()
            let store: any OrderedStore =
                kind == .memory ? MemoryStore() : try LMDBStore.open(directory.store)
            var random = SeededRandom(state: seed)
            var model = SortedModel()
            var keys = KeyMaker(isLong: seed % 2 == 0)
            for _ in 0..<15 {
                try rollBack(store, &keys, &random)
                try store.write { transaction throws in
                    for _ in 0..<Int.random(in: 1...40, using: &random) {
                        let key = keys.next(&random)
                        if Int.random(in: 0..<5, using: &random) < 2 {
                            let isThere = try transaction.remove(key, in: .index)
                            #expect(isThere == model.remove(key))
                        } else {
                            let value = (0..<Int.random(in: 0...40, using: &random)).map { UInt8($0) }
                            try transaction.put(value, for: key, in: .index)
                            model.put(value, for: key)
                        }
                        try agree(transaction, model, keys.next(&random), steps: 2, &random)
                    }
                }
                // What is written lies in memory, in some layers of it, and in the data file.
                if let store = store as? LMDBStore {
                    switch Int.random(in: 0..<4, using: &random) {
                    case 0: try store.synchronize()
                    case 1: _ = store.seal()
                    default: break
                    }
                }
                try store.read { reader throws in
                    #expect(same(try contents(reader, .index), model.entries))
                    for _ in 0..<20 { try agree(reader, model, keys.next(&random), steps: 6, &random) }
                }
            }
            // Emptied, nothing is left.
            try store.write { transaction throws in
                for entry in model.entries.shuffled(using: &random) {
                    #expect(try transaction.remove(entry.key, in: .index))
                }
            }
            #expect(try image(store) == StoreTable.allCases.map { _ in [] })
            try store.synchronize()
            #expect(try image(store) == StoreTable.allCases.map { _ in [] })
        }
    }

    /// A transaction that fails in the end.
    private func rollBack(
        _ store: any OrderedStore, _ keys: inout KeyMaker, _ random: inout SeededRandom
    ) throws {
        struct Refused: Error {}
        #expect(throws: Refused.self) {
            try store.write { transaction throws in
                for _ in 0..<Int.random(in: 0...20, using: &random) {
                    let key = keys.next(&random)
                    if Bool.random(using: &random) {
                        try transaction.put([UInt8](repeating: 9, count: 9), for: key, in: .index)
                    } else {
                        try transaction.remove(key, in: .index)
                    }
                }
                throw Refused()
            }
        }
    }

    /// One key's value, and a walk that begins around it and turns at random.
    private func agree(
        _ reader: any OrderedReader, _ model: SortedModel, _ key: [UInt8], steps: Int,
        _ random: inout SeededRandom
    ) throws {
        #expect(try reader.value(of: key, in: .index) == model.value(key))
        let cursor =
            try Bool.random(using: &random)
            ? reader.sharedCursor(in: .index) : reader.cursor(in: .index)
        var position: Int
        var isThere: Bool
        switch Int.random(in: 0..<8, using: &random) {
        case 0:
            position = 0
            isThere = try cursor.seekToFirst()
        case 1:
            position = model.entries.count - 1
            isThere = try cursor.seekToLast()
        case 2, 3, 4:
            position = model.position(key) - 1
            isThere = try cursor.seek(before: key)
        default:
            position = model.position(key)
            isThere = try cursor.seek(atOrAfter: key)
        }
        for _ in 0...steps {
            #expect(isThere == model.entries.indices.contains(position))
            guard isThere, model.entries.indices.contains(position) else { return }
            #expect(equal(cursor.key, model.entries[position].key))
            #expect(equal(cursor.value, model.entries[position].value))
            if Int.random(in: 0..<3, using: &random) > 0 {
                isThere = try cursor.next()
                position += 1
            } else {
                isThere = try cursor.previous()
                position -= 1
            }
        }
    }
}

/// Keys that often collide, share prefixes, and end just before, at and after where long keys are split.
struct KeyMaker {
    let isLong: Bool
    private var stems: [[UInt8]] = [[]]

    init(isLong: Bool) {
        self.isLong = isLong
        guard isLong else { return }
        for length in [478, 479, 480, 481, 482, 960, 961, 962, 1441, 2400] {
            for byte in [UInt8(0), 7, 255] {
                stems.append([UInt8](repeating: byte, count: length))
                stems.append([UInt8](repeating: 7, count: length - 1) + [byte])
            }
        }
    }

    mutating func next(_ random: inout SeededRandom) -> [UInt8] {
        var key = stems[Int.random(in: 0..<stems.count, using: &random)]
        for _ in 0..<Int.random(in: key.isEmpty ? 1...3 : 0...2, using: &random) {
            key.append([0, 1, 7, 255][Int.random(in: 0..<4, using: &random)])
        }
        return key
    }
}
