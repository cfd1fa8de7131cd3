import Coordination
import Testing

@testable import EtcdDialect

/// Reads a file in bbolt's format as bbolt does: from the newer of the two first pages down.
private struct BoltFile {
    let bytes: [UInt8]
    private(set) var reached: Set<UInt64> = [0, 1, 2]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    private func number<N: FixedWidthInteger>(_: N.Type, at offset: Int) -> N {
        bytes.withUnsafeBytes { N(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: N.self)) }
    }

    var pages: UInt64 { UInt64(bytes.count / BoltPage.size) }
    var end: UInt64 { number(UInt64.self, at: BoltPage.size + 16 + 40) }

    mutating func buckets() -> [(name: String, entries: [BoltPage.Element])] {
        entries(under: number(UInt64.self, at: BoltPage.size + 16 + 16)).map { bucket in
            #expect(bucket.isBucket)
            let root = bucket.value.prefix(8).reversed().reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
            return (String(decoding: bucket.key, as: UTF8.self), entries(under: root))
        }
    }

    private mutating func entries(under page: UInt64) -> [BoltPage.Element] {
        let start = Int(page) * BoltPage.size
        #expect(number(UInt64.self, at: start) == page, "the page knows its number")
        for extra in 0...UInt64(number(UInt32.self, at: start + 12)) {
            #expect(reached.insert(page + extra).inserted, "page \(page + extra) is reached twice")
        }
        let isLeaf = number(UInt16.self, at: start + 8) == BoltPage.Kind.leaf.rawValue
        var entries: [BoltPage.Element] = []
        for index in 0..<Int(number(UInt16.self, at: start + 10)) {
            let element = start + BoltPage.headerBytes + index * BoltPage.elementBytes
            let key = element + Int(number(UInt32.self, at: element + (isLeaf ? 4 : 0)))
            let keyBytes = Int(number(UInt32.self, at: element + (isLeaf ? 8 : 4)))
            if isLeaf {
                let valueEnd = key + keyBytes + Int(number(UInt32.self, at: element + 12))
                entries.append(
                    BoltPage.Element(
                        key: Array(bytes[key..<key + keyBytes]),
                        value: Array(bytes[key + keyBytes..<valueEnd]),
                        isBucket: number(UInt32.self, at: element) == 1))
            } else {
                let below = self.entries(under: number(UInt64.self, at: element + 8))
                #expect(below.first?.key == Array(bytes[key..<key + keyBytes]))
                entries += below
            }
        }
        return entries
    }
}

@Suite("Snapshots as etcd's files") struct SnapshotFileTests {
    private func file(of store: MemoryStore) throws -> [UInt8] {
        let source = try SnapshotSource(view: store.openView())
        defer { source.close() }
        var bytes: [UInt8] = []
        while true {
            let piece = try source.next(10_000)
            if piece.isEmpty { break }
            bytes += piece
        }
        #expect(bytes.count == source.totalBytes)
        return bytes
    }

    private static let names = [
        "alarm", "auth", "authRoles", "authUsers", "cluster", "key", "lease", "members", "members_removed",
        "meta",
    ]

    @Test("an empty store has all buckets, and every page is reached once")
    func empty() throws {
        var file = BoltFile(try file(of: MemoryStore()))
        let buckets = file.buckets()
        #expect(buckets.map(\.name) == Self.names)
        #expect(buckets[5].entries.isEmpty)
        #expect(UInt64(file.reached.count) == file.pages && file.end == file.pages)
    }

    @Test("small, large and many entries stand in order in a tree of several levels")
    func manyEntries() throws {
        let store = MemoryStore()
        var ledger = try store.read { try Ledger(from: $0) }
        let count = 9000
        try store.write { transaction in
            var consequences = Consequences()
            for number in 0..<count {
                let size = number % 1000 == 999 ? 70_000 : number % 300
                let put = PutOperation(
                    key: Array("k\(number % 700)".utf8),
                    value: [UInt8](repeating: UInt8(number % 251), count: size))
                _ = try ledger.apply(KeyValueCommand.put(put).command, in: transaction, into: &consequences)
            }
            _ = try ledger.apply(
                LedgerCommand.grantLease(LeaseID(7), seconds: 60).command, in: transaction,
                into: &consequences)
        }
        var file = BoltFile(try file(of: store))
        let buckets = file.buckets()
        #expect(UInt64(file.reached.count) == file.pages && file.end == file.pages)
        let keys = buckets[5].entries.map(\.key)
        #expect(keys.count == count)
        #expect(zip(keys, keys.dropFirst()).allSatisfy { $0.lexicographicallyPrecedes($1) })
        let last = buckets[5].entries[count - 1]
        #expect(last.key == [0, 0, 0, 0, 0, 0, 0x23, 0x29, 0x5f, 0, 0, 0, 0, 0, 0, 0, 0])
        #expect(last.value.count > 70_000)
        #expect(buckets[6].entries.map(\.key) == [[0, 0, 0, 0, 0, 0, 0, 7]])
    }
}
