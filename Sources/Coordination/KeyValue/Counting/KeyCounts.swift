/// How many keys there are in each stretch of the key space, so that the keys of a range can be counted without a walk
/// over all of them.
///
/// A stretch begins with its own row and ends where the next one begins: the row's key is the least key that belongs to
/// it, its value the number of keys that live in it (8 bytes, big-endian). The first one begins with the empty key. A
/// stretch of more than `most` keys is cut in the middle, and one that has become empty belongs to the one before it.
///
/// Counting a range walks over a part of the stretches at its ends and adds up the rows between them: of n keys, about
/// n / 768 rows.
struct KeyCounts: Sendable {
    static let table = FamilyTable(1, of: .keyValue)
    static let most = 1024

    /// False in a store that a program has written which kept no counts: they are to be made before the first change.
    private(set) var areKept: Bool

    init(from reader: any OrderedReader) throws { areKept = try Self.areKept(in: reader) }

    /// Whether whoever changed this store last has kept them.
    static func areKept(in reader: any OrderedReader) throws -> Bool {
        try AppliedState.isCounted(in: reader)
    }

    // MARK: keeping

    /// Makes them anew where they were not kept.
    mutating func settle(in turn: inout Turn) throws {
        guard !areKept else { return }
        var stale: [[UInt8]] = []
        try Self.table.visit(in: turn.transaction) { key, _ in
            stale.append([UInt8](key))
            return true
        }
        for key in stale { try Self.table.remove(key, in: turn.transaction) }
        var rows: [(start: [UInt8], count: Int64)] = []
        var walk = try VersionWalk(
            over: KeyRange(key: [], end: []), at: .max, in: turn.transaction, within: turn.allowance)
        while try walk.next() != nil {
            if rows.isEmpty {
                rows.append(([], 0))
            } else if rows[rows.count - 1].count == Self.most * 3 / 4 {
                rows.append((walk.userKey, 0))
            }
            rows[rows.count - 1].count += 1
        }
        for row in rows { try Self.put(row.count, for: row.start, in: turn.transaction) }
        try AppliedState.setCounted(in: turn.transaction)
        areKept = true
    }

    /// A key has come to life, in the transaction.
    func onCreated(_ key: [UInt8], in transaction: any OrderedTransaction) throws {
        guard let stretch = try Self.stretch(of: key, in: transaction) else {
            return try Self.put(1, for: [], in: transaction)
        }
        guard stretch.count < Self.most else { return try cut(stretch, in: transaction) }
        try Self.put(stretch.count + 1, for: stretch.start, in: transaction)
    }

    func onDeleted(_ key: [UInt8], in transaction: any OrderedTransaction) throws {
        guard let stretch = try Self.stretch(of: key, in: transaction), stretch.count > 0 else {
            throw StoreError(.damaged, "a key was deleted where none is counted")
        }
        if stretch.count == 1, !stretch.start.isEmpty {
            try Self.table.remove(stretch.start, in: transaction)
        } else {
            try Self.put(stretch.count - 1, for: stretch.start, in: transaction)
        }
    }

    /// Divides a stretch in which one key more lives than it says.
    private func cut(_ stretch: (start: [UInt8], count: Int64), in transaction: any OrderedTransaction) throws
    {
        let half = (stretch.count + 1) / 2
        var walk = try VersionWalk(over: KeyRange(key: stretch.start, end: []), at: .max, in: transaction)
        for _ in 0...half where try walk.next() == nil {
            throw StoreError(.damaged, "more keys are counted than there are")
        }
        let middle = walk.userKey
        try Self.put(half, for: stretch.start, in: transaction)
        try Self.put(stretch.count + 1 - half, for: middle, in: transaction)
    }

    private static func put(
        _ count: Int64, for start: [UInt8], in transaction: any OrderedTransaction
    ) throws {
        try withUnsafeBytes(of: count.bigEndian) { try table.put($0, for: start, in: transaction) }
    }

    private static func stretch(
        of key: [UInt8], in reader: any OrderedReader
    ) throws -> (start: [UInt8], count: Int64)? {
        try table.withLast(notAfter: key, in: reader) { start, value in
            ([UInt8](start), try count(value))
        }
    }

    private static func count(_ value: UnsafeRawBufferPointer) throws -> Int64 {
        guard value.count == 8 else { throw StoreError(.damaged, "a count of keys is not 8 bytes long") }
        return value.bigEndian(Int64.self, at: 0)
    }

    // MARK: counting

    /// The keys that live in the range. To be asked only where they are kept.
    static func count(
        _ range: KeyRange, in reader: any OrderedReader, within allowance: WorkAllowance?
    ) throws -> Int64 {
        let end = range.end ?? range.key + [0]
        func isInside(_ key: UnsafeRawBufferPointer) -> Bool {
            end.isEmpty || end.withUnsafeBytes { compareBytes(key, $0) <= 0 }
        }
        // Whole stretches, of which each is known to lie in the range once the next one's beginning does.
        var total: Int64 = 0
        var firstStart: [UInt8]?
        var lastStart: [UInt8] = []
        var lastCount: Int64 = 0
        try table.visit(atOrAfter: range.key, in: reader) { start, value in
            try allowance?.spend()
            guard isInside(start) else { return false }
            if firstStart == nil { firstStart = [UInt8](start) }
            total += lastCount
            lastCount = try count(value)
            lastStart.removeAll(keepingCapacity: true)
            lastStart.append(contentsOf: start)
            return true
        }
        guard let firstStart else { return try walk(range.key, end, in: reader, within: allowance) }
        total += try walk(range.key, firstStart, in: reader, within: allowance)
        return try total + (end.isEmpty ? lastCount : walk(lastStart, end, in: reader, within: allowance))
    }

    private static func walk(
        _ start: [UInt8], _ end: [UInt8], in reader: any OrderedReader, within allowance: WorkAllowance?
    ) throws -> Int64 {
        guard end.isEmpty || compareBytes(start, end) < 0 else { return 0 }
        var count: Int64 = 0
        var walk = try VersionWalk(
            over: KeyRange(key: start, end: end), at: .max, in: reader, within: allowance)
        while try walk.next() != nil { count += 1 }
        return count
    }
}
