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
