/// Where an event stands in history: its revision, and its place among the events of that revision.
struct HistoryPosition: Hashable, Comparable, Sendable {
    var revision: Int64
    var sub: UInt32

    static let byteCount = 12

    static func < (a: HistoryPosition, b: HistoryPosition) -> Bool {
        (a.revision, a.sub) < (b.revision, b.sub)
    }

    init(revision: Int64, sub: UInt32 = 0) {
        self.revision = revision
        self.sub = sub
    }

    /// From a key of the table `history`.
    init(historyKey key: UnsafeRawBufferPointer) throws {
        guard key.count == Self.byteCount else {
            throw StoreError(.damaged, "a history key is not 12 bytes long")
        }
        revision = key.bigEndian(Int64.self, at: 0)
        sub = key.bigEndian(UInt32.self, at: 8)
    }

    /// Calls `body` with the key of the table `history`: it ascends with the position.
    @inline(__always)
    func withHistoryKey<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
        let bytes = (UInt64(bitPattern: revision).bigEndian, sub.bigEndian)
        return try withUnsafeBytes(of: bytes) {
            try body(UnsafeRawBufferPointer(rebasing: $0[..<Self.byteCount]))
        }
    }
}

/// What the index tells of a version without a look into history.
struct Version: Hashable, Sendable {
    var position: HistoryPosition
    /// Whether this version is a deletion; the fields below are then zero.
    var isTombstone: Bool
    var createRevision: Int64 = 0
    var version: Int64 = 0
    var lease: Int64 = 0

    private static let tombstoneFlag: UInt8 = 1
    private static let leaseFlag: UInt8 = 2

    init(tombstoneAt position: HistoryPosition) {
        self.position = position
        isTombstone = true
    }

    init(position: HistoryPosition, createRevision: Int64, version: Int64, lease: Int64) {
        self.position = position
        isTombstone = false
        self.createRevision = createRevision
        self.version = version
        self.lease = lease
    }

    /// The entry that a cursor on the index stands on.
    init(indexKey key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) throws {
        position = try IndexKey.position(of: key)
        guard let flags = value.first else { throw StoreError(.damaged, "an index entry is empty") }
        isTombstone = flags & Self.tombstoneFlag != 0
        guard !isTombstone else { return }
        let hasLease = flags & Self.leaseFlag != 0
        guard value.count == (hasLease ? 25 : 17) else {
            throw StoreError(.damaged, "an index entry has a wrong length")
        }
        createRevision = value.bigEndian(Int64.self, at: 1)
        version = value.bigEndian(Int64.self, at: 9)
        if hasLease { lease = value.bigEndian(Int64.self, at: 17) }
    }

    /// Calls `body` with the value of the index entry.
    @inline(__always)
    func withIndexValue<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
        try withUnsafeTemporaryAllocation(byteCount: 25, alignment: 8) { buffer in
            buffer[0] = (isTombstone ? Self.tombstoneFlag : 0) | (lease != 0 ? Self.leaseFlag : 0)
            guard !isTombstone else { return try body(UnsafeRawBufferPointer(rebasing: buffer[..<1])) }
            buffer.storeBytes(of: createRevision.bigEndian, toByteOffset: 1, as: Int64.self)
            buffer.storeBytes(of: version.bigEndian, toByteOffset: 9, as: Int64.self)
            buffer.storeBytes(of: lease.bigEndian, toByteOffset: 17, as: Int64.self)
            return try body(UnsafeRawBufferPointer(rebasing: buffer[..<(lease != 0 ? 25 : 17)]))
        }
    }
}
