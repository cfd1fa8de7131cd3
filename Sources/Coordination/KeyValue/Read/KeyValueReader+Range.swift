extension KeyValueReader {
    /// Throws `KeyValueRefusal` (.compacted, .futureRevision) or `StoreError`.
    ///
    /// Order of events as in etcd: everything in the range at the revision, filtered, sorted, cut. A target
    /// other than the key sorts ascending even without an order, but then what is sorted is only what the
    /// limit, and one more, let through in key order.
    public func range(_ query: RangeQuery) throws -> RangeResult {
        var result = RangeResult()
        result.revision = try revision()
        var entries = try selectedEntries(query, current: result.revision, total: &result.count)
        if query.sortsByValue {
            result.keyValues = try entries.map { try keyValue(at: $0.version.position) }
            query.sortByValue(&result.keyValues)
            result.more = query.cut(&result.keyValues)
            if query.keysOnly { for index in result.keyValues.indices { result.keyValues[index].value = [] } }
            return result
        }
        result.more = query.cut(&entries)
        result.keyValues.reserveCapacity(entries.count)
        for entry in entries {
            result.keyValues.append(
                try query.keysOnly ? KeyValue(entry: entry) : keyValue(at: entry.version.position))
        }
        return result
    }

    /// What passes the filters, in its order unless that is the values', and not cut yet; and the count of all
    /// keys in the range.
    func selectedEntries(
        _ query: RangeQuery, current: Int64, total: inout Int64
    ) throws -> [RangeEntry] {
        var entries = try fetch(query, at: try readRevision(of: query, current: current), count: &total)
        if query.hasFilters { entries.removeAll { !query.passes($0.version) } }
        if !query.sortsByValue { query.sort(&entries) }
        return entries
    }

    private func readRevision(of query: RangeQuery, current: Int64) throws -> Int64 {
        guard query.revision > 0 else { return .max }
        if query.revision > current { throw KeyValueRefusal.futureRevision }
        if query.revision < (try compactRevision()) { throw KeyValueRefusal.compacted }
        // A newest version needs no search among older ones.
        return query.revision == current ? .max : query.revision
    }

    /// What the index tells of the keys that may be in the answer, in key order, and the count of all.
    private func fetch(_ query: RangeQuery, at revision: Int64, count: inout Int64) throws -> [RangeEntry] {
        guard query.range.end != nil else {
            guard let version = try version(of: query.range.key, at: revision), !version.isTombstone else {
                return []
            }
            count = 1
            return query.countOnly ? [] : [RangeEntry(version: version, key: query.range.key)]
        }
        var fetched: [RangeEntry] = []
        let limit = query.fetchLimit
        let enough = max(limit, Self.walkedBeforeCounting)
        var walk = try VersionWalk(over: query.range, at: revision, in: reader, within: allowance)
        while let version = try walk.next() {
            count += 1
            if fetched.count < limit {
                fetched.append(RangeEntry(version: version, key: query.keysOnly ? walk.userKey : []))
            }
            if count == enough, revision == .max, try KeyCounts.areKept(in: reader) {
                let rest = KeyRange(key: walk.userKey + [0], end: query.range.end)
                count += try KeyCounts.count(rest, in: reader, within: allowance)
                break
            }
        }
        return fetched
    }

    /// So many keys are walked over even where they only are to be counted: that is as fast.
    private static let walkedBeforeCounting = 128
}

/// A key in a range before its value is read.
struct RangeEntry {
    var version: Version
    /// Empty where the event is read anyway.
    var key: [UInt8]
}

extension KeyValue {
    /// Without the value.
    fileprivate init(entry: RangeEntry) {
        self.init(
            key: entry.key, createRevision: entry.version.createRevision,
            modRevision: entry.version.position.revision, version: entry.version.version,
            lease: entry.version.lease)
    }
}

extension RangeQuery {
    fileprivate var hasFilters: Bool {
        minModRevision != 0 || maxModRevision != 0 || minCreateRevision != 0 || maxCreateRevision != 0
    }

    /// Whether the order is that of the values, which must be read for it.
    var sortsByValue: Bool { target == .value && !countOnly }

    /// How many entries are to be looked at closely: the limit and one more, unless all must be seen.
    fileprivate var fetchLimit: Int {
        if countOnly { return 0 }
        guard limit > 0, order == .none, !hasFilters else { return .max }
        return Int(clamping: limit &+ 1)
    }

    fileprivate func passes(_ version: Version) -> Bool {
        (maxModRevision == 0 || version.position.revision <= maxModRevision)
            && (minModRevision == 0 || version.position.revision >= minModRevision)
            && (maxCreateRevision == 0 || version.createRevision <= maxCreateRevision)
            && (minCreateRevision == 0 || version.createRevision >= minCreateRevision)
    }

    fileprivate func sort(_ entries: inout [RangeEntry]) {
        switch target {
        case .key, .value: if target == .key, order == .descending { entries.reverse() }
        case .version: sort(&entries) { $0.version.version }
        case .createRevision: sort(&entries) { $0.version.createRevision }
        case .modRevision: sort(&entries) { $0.version.position.revision }
        }
    }

    /// Equal numbers stay in key order.
    private func sort(_ entries: inout [RangeEntry], by number: (RangeEntry) -> Int64) {
        if order == .descending {
            entries.sort { number($0) > number($1) }
        } else {
            entries.sort { number($0) < number($1) }
        }
    }

    fileprivate func sortByValue(_ keyValues: inout [KeyValue]) {
        if order == .descending {
            keyValues.sort { compareBytes($0.value, $1.value) > 0 }
        } else {
            keyValues.sort { compareBytes($0.value, $1.value) < 0 }
        }
    }

    /// Whether the limit cut anything off.
    func cut<Element>(_ elements: inout [Element]) -> Bool {
        guard limit > 0, elements.count > limit else { return false }
        elements.removeLast(elements.count - Int(limit))
        return true
    }
}
