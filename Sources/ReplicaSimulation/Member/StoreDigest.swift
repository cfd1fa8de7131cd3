import Automata
import Coordination

/// What every member must show alike at one slot: the same keys, revisions, leases, alarms and members. What compaction
/// has removed so far is each member's own.
struct StoreDigest: Hashable {
    private let hash: StableHash

    init(of reader: any OrderedReader) throws {
        var hash = StableHash()
        let ledger = LedgerReader(reader)
        hash.combine(UInt64(bitPattern: try ledger.revision()))
        hash.combine(UInt64(bitPattern: try ledger.compactRevision(of: .keyValue)))
        for pair in try KeyValueReader(reader).range(RangeQuery(range: KeyRange(key: [0], end: []))).keyValues
        {
            hash.combine(pair.key)
            hash.combine(pair.value)
            for number in [pair.createRevision, pair.modRevision, pair.version, pair.lease] {
                hash.combine(UInt64(bitPattern: number))
            }
        }
        for (lease, seconds) in try ledger.leases() {
            hash.combine(UInt64(bitPattern: lease.rawValue))
            hash.combine(UInt64(bitPattern: seconds))
        }
        hash.combine(Array("\(try ledger.alarms()) \(try ledger.members())".utf8))
        self.hash = hash
    }
}

/// What a client sees that reads a key: the store's revision, and the value.
struct SeenState: Hashable {
    let revision: Int64
    let key: [UInt8]
    let value: [UInt8]?

    init(of key: [UInt8], in reader: any OrderedReader) throws {
        let found = try KeyValueReader(reader).range(RangeQuery(range: KeyRange(key: key)))
        self.key = key
        revision = found.revision
        value = found.keyValues.first?.value
    }
}

/// A whole store as bytes: for each table how many pairs it has, then key and value of each behind their lengths.
enum StoreImage {
    static func encode(_ reader: any OrderedReader) throws -> [UInt8] {
        var bytes: [UInt8] = []
        func append(_ part: UnsafeRawBufferPointer) {
            withUnsafeBytes(of: UInt32(part.count).littleEndian) { bytes.append(contentsOf: $0) }
            bytes.append(contentsOf: part)
        }
        for table in StoreTable.allCases {
            let cursor = try reader.cursor(in: table)
            var stands = try cursor.seekToFirst()
            while stands {
                bytes.append(1)
                append(cursor.key)
                append(cursor.value)
                stands = try cursor.next()
            }
            bytes.append(0)
        }
        return bytes
    }

    static func decode(_ bytes: [UInt8]) throws -> MemoryStore {
        let store = MemoryStore()
        var rest = bytes[...]
        func part() -> ArraySlice<UInt8> {
            let count = rest.prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
            defer { rest = rest.dropFirst(4 + count) }
            return rest.dropFirst(4).prefix(count)
        }
        try store.write { transaction in
            for table in StoreTable.allCases {
                while rest.popFirst() == 1 {
                    let (key, value) = ([UInt8](part()), [UInt8](part()))
                    try transaction.put(value, for: key, in: table)
                }
            }
        }
        return store
    }
}
