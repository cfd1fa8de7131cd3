/// Walks the keys of a range in order and stops at the version of each that was the latest at a revision;
/// keys that did not exist or were deleted then are passed over.
///
/// Versions that do not matter are stepped over, and after a few of them sought over: a key with many
/// versions costs no more than a look-up.
struct VersionWalk {
    private static let stepsBeforeSeek = 4

    private let cursor: any OrderedCursor
    private let revision: Int64
    /// The first index key that is out of the range; nil: none is.
    private let end: [UInt8]?
    private var seekKey: [UInt8]
    /// What the versions of the key at hand begin with; empty before the first.
    private var prefix: [UInt8] = []
    private var isOver = false
    private let allowance: WorkAllowance?

    /// Uses the view's shared cursor on the index until the walk is over.
    init(
        over range: KeyRange, at revision: Int64, in reader: any OrderedReader,
        within allowance: WorkAllowance? = nil
    ) throws {
        self.allowance = allowance
        cursor = try reader.sharedCursor(in: .index)
        self.revision = revision
        seekKey = IndexKey.prefix(of: range.key)
        switch range.end {
        case nil:
            var end = seekKey
            Self.passAllVersions(&end)
            self.end = end
        case let end? where end.isEmpty: self.end = nil
        case let end?: self.end = IndexKey.prefix(of: end)
        }
        prefix.reserveCapacity(64)
    }

    /// The user key of the version that `next` returned last.
    var userKey: [UInt8] { prefix.withUnsafeBytes { IndexKey.userKey(ofPrefix: $0) } }

    mutating func next() throws -> Version? {
        guard !isOver else { return nil }
        var stands = try prefix.isEmpty ? cursor.seek(atOrAfter: seekKey) : toNextKey()
        while stands {
            try allowance?.spend()
            let key = cursor.key
            if let end, end.withUnsafeBytes({ compareBytes(key, $0) }) >= 0 { break }
            let position = try IndexKey.position(of: key)
            prefix.removeAll(keepingCapacity: true)
            prefix.append(contentsOf: IndexKey.prefix(of: key))
            if position.revision > revision, try !toVersionAtRevision() {
                stands = !isOver
                continue
            }
            let version = try Version(indexKey: cursor.key, value: cursor.value)
            if !version.isTombstone { return version }
            stands = try toNextKey()
        }
        isOver = true
        return nil
    }

    /// Moves past all versions of the key at hand; false when nothing follows.
    private mutating func toNextKey() throws -> Bool {
        for _ in 0..<Self.stepsBeforeSeek {
            guard try cursor.next() else { return false }
            if !standsOnKeyAtHand { return true }
        }
        seekKey.removeAll(keepingCapacity: true)
        seekKey.append(contentsOf: prefix)
        Self.passAllVersions(&seekKey)
        return try cursor.seek(atOrAfter: seekKey)
    }

    /// Moves to the newest version of the key at hand that is not after the revision; false when there is
    /// none, and the cursor then stands on the next key, or the walk is over.
    private mutating func toVersionAtRevision() throws -> Bool {
        for _ in 0..<Self.stepsBeforeSeek {
            guard try cursor.next() else { return finish() }
            guard standsOnKeyAtHand else { return false }
            if try IndexKey.position(of: cursor.key).revision <= revision { return true }
        }
        seekKey.removeAll(keepingCapacity: true)
        seekKey.append(contentsOf: prefix)
        IndexKey.append(HistoryPosition(revision: revision, sub: .max), to: &seekKey)
        guard try cursor.seek(atOrAfter: seekKey) else { return finish() }
        return standsOnKeyAtHand
    }

    private mutating func finish() -> Bool {
        isOver = true
        return false
    }

    private var standsOnKeyAtHand: Bool {
        let key = cursor.key
        return prefix.withUnsafeBytes { key.starts(withBytes: $0) }
    }

    /// Turns a prefix into the least index key after all of its versions: what ends it is 1, so 2 is beyond
    /// them and still before any longer key, which goes on with 0xFF after the zero or with more than zero.
    private static func passAllVersions(_ prefix: inout [UInt8]) {
        prefix[prefix.count - 1] = 2
    }
}
