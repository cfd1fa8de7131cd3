import CLMDB
import Coordination
import Testing

@testable import LMDBStore

@Suite struct LongKeyTests {
    let directory = TestDirectory()

    @Test("the library takes the keys that long ones are split into")
    func limit() throws {
        let store = try LMDBStore.open(directory.store)
        _ = store
        let environment = try Environment(makeStore(), LMDBStore.Options())
        #expect(Int(mdb_env_get_maxkeysize(environment.handle)) >= LongKeys.chunkBytes + 9)
    }

    private func makeStore() throws -> String {
        let other = "\(directory.path)/other"
        _ = try LMDBStore.open(other)
        return other
    }

    @Test("keys of up to 1.5 MiB are kept in order, walked both ways and removed without a trace")
    func hugeKeys() throws {
        let store = try LMDBStore.open(directory.store)
        let size = 3 << 19
        let stem = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 17) }
        let keys = [
            Array(stem.dropLast()) + [0], stem, stem + [0], Array(stem.prefix(481)),
            Array(stem.prefix(480)), Array(stem.prefix(1000)) + [255], [255],
        ].sorted(by: comesBefore)
        try store.write { transaction throws in
            for (number, key) in keys.enumerated() {
                try transaction.put([UInt8(number)], for: key, in: .index)
            }
        }
        try store.read { reader throws in
            #expect(try contents(reader, .index).map(\.key) == keys)
            let cursor = try reader.cursor(in: .index)
            var backwards: [[UInt8]] = []
            var isThere = try cursor.seekToLast()
            while isThere {
                backwards.append([UInt8](cursor.key))
                isThere = try cursor.previous()
            }
            #expect(backwards == keys.reversed())
            for (number, key) in keys.enumerated() {
                #expect(try reader.value(of: key, in: .index) == [UInt8(number)])
                #expect(try cursor.seek(atOrAfter: key))
                #expect(cursor.value[0] == UInt8(number))
            }
        }
        try store.synchronize()
        try store.write { transaction throws in
            for key in keys { #expect(try transaction.remove(key, in: .index)) }
        }
        try store.synchronize()
        // Only the last number given to a namespace is left in the table of long keys.
        let view = try store.environment.takeView()
        var statistics = MDB_stat()
        mdb_stat(view.transaction, store.environment.long, &statistics)
        store.environment.giveBack(view)
        #expect(statistics.ms_entries == 1)
    }

    @Test("the same long key in two tables is two keys")
    func tables() throws {
        let store = try LMDBStore.open(directory.store)
        let key = [UInt8](repeating: 3, count: 5000)
        try store.write { transaction throws in
            try transaction.put([1], for: key, in: .index)
            try transaction.put([2], for: key, in: .attachment)
            try transaction.put([3], for: key, in: .attachment)
        }
        #expect(try store.write { try $0.remove(key, in: .index) })
        #expect(try store.read { try $0.value(of: key, in: .index) } == nil)
        #expect(try store.read { try $0.value(of: key, in: .attachment) } == [3])
    }
}
