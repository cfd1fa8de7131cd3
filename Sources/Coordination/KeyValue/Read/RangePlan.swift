/// The answer to a range before its values are copied: where each pair lies in the view. It is valid as long
/// as the view is open, and takes a few bytes for each pair, however large the values are.
public struct RangePlan {
    /// A put in history, as it is stored.
    struct Record {
        var bytes: UnsafeRawBufferPointer
        var revision: Int64
    }

    private enum Content {
        case records([Record])
        /// What the index tells, of a range that leaves out the values.
        case keys([RangeEntry])
    }

    /// A pair, whose key and value lie in the view or in the plan, and are valid only during a call.
    public struct Pair {
        public var key: UnsafeRawBufferPointer
        public var value: UnsafeRawBufferPointer
        public var createRevision: Int64
        public var modRevision: Int64
        public var version: Int64
        public var lease: Int64
    }

    public let more: Bool
    /// All keys in the range, whatever the limit.
    public let total: Int64
    /// The store's revision when the range was read.
    public let revision: Int64
    private let content: Content

    init(records: [Record], more: Bool, total: Int64, revision: Int64) {
        content = .records(records)
        (self.more, self.total, self.revision) = (more, total, revision)
    }

    init(keys: [RangeEntry], more: Bool, total: Int64, revision: Int64) {
        content = .keys(keys)
        (self.more, self.total, self.revision) = (more, total, revision)
    }

    public var count: Int {
        switch content {
        case .records(let records): records.count
        case .keys(let entries): entries.count
        }
    }

    public func withPair<R>(at index: Int, _ body: (Pair) throws -> R) throws -> R {
        switch content {
        case .records(let records): return try body(EventRecord.pair(of: records[index]))
        case .keys(let entries):
            let entry = entries[index]
            return try entry.key.withUnsafeBytes { key in
                try body(
                    Pair(
                        key: key, value: UnsafeRawBufferPointer(start: nil, count: 0),
                        createRevision: entry.version.createRevision,
                        modRevision: entry.version.position.revision, version: entry.version.version,
                        lease: entry.version.lease))
            }
        }
    }
}

/// The answer to a transaction that only reads, before any value is copied.
public indirect enum ReadPlan {
    case range(RangePlan)
    /// The revision is the store's.
    case transaction(succeeded: Bool, [ReadPlan], revision: Int64)
}

extension KeyValueReader {
    /// What `range` returns, without the values. The view must stay open as long as the plan is used.
    public func plan(_ query: RangeQuery) throws -> RangePlan {
        let current = try revision()
        var total: Int64 = 0
        var entries = try selectedEntries(query, current: current, total: &total)
        guard !query.keysOnly || query.sortsByValue else {
            let more = query.cut(&entries)
            return RangePlan(keys: entries, more: more, total: total, revision: current)
        }
        if !query.sortsByValue {
            let more = query.cut(&entries)
            return RangePlan(
                records: try records(of: entries), more: more, total: total, revision: current)
        }
        // The value decides the order, and is left out only then.
        var order: [(record: RangePlan.Record, value: UnsafeRawBufferPointer, entry: Int)] = []
        order.reserveCapacity(entries.count)
        for (index, record) in try records(of: entries).enumerated() {
            order.append((record, try EventRecord.value(of: record.bytes), index))
        }
        if query.order == .descending {
            order.sort { compareBytes($0.value, $1.value) > 0 }
        } else {
            order.sort { compareBytes($0.value, $1.value) < 0 }
        }
        let more = query.cut(&order)
        guard query.keysOnly else {
            return RangePlan(records: order.map(\.record), more: more, total: total, revision: current)
        }
        return RangePlan(
            keys: order.map { entries[$0.entry] }, more: more, total: total, revision: current)
    }

    /// As `plan`, of a transaction whose operations are all ranges.
    public func plan(_ transaction: KeyValueTransaction) throws -> ReadPlan {
        let (succeeded, answers) = try transaction.read(
            in: self, range: { ReadPlan.range(try plan($0)) },
            nested: { .transaction(succeeded: $0, $1, revision: $2) })
        return .transaction(succeeded: succeeded, answers, revision: try revision())
    }

    private func records(of entries: [RangeEntry]) throws -> [RangePlan.Record] {
        var records: [RangePlan.Record] = []
        records.reserveCapacity(entries.count)
        for entry in entries {
            let position = entry.version.position
            records.append(
                RangePlan.Record(bytes: try record(at: position), revision: position.revision))
        }
        return records
    }
}
