/// A table of one family's own: an ordered map from byte string to byte string, as `StoreTable` has them. It takes no
/// room before it is written to, so that a family needs nothing of the store but its id.
///
/// The entries of all such tables stand in `StoreTable.family`, behind the space's id and the table's number (1 byte
/// each).
public struct FamilyTable: Sendable {
    private let prefix: [UInt8]

    public init(_ number: UInt8, of space: SpaceID) { prefix = [space.rawValue, number] }

    public func value(of key: [UInt8], in reader: any OrderedReader) throws -> [UInt8]? {
        try reader.value(of: prefix + key, in: .family)
    }

    public func put(_ value: [UInt8], for key: [UInt8], in transaction: any OrderedTransaction) throws {
        try transaction.put(value, for: prefix + key, in: .family)
    }

    /// Whether there was such a key.
    @discardableResult
    public func remove(_ key: [UInt8], in transaction: any OrderedTransaction) throws -> Bool {
        try transaction.remove(prefix + key, in: .family)
    }

    /// Calls `body` with the entries whose keys begin with `start`, in order, until it returns false. It must not
    /// write.
    public func visit(
        from start: [UInt8] = [], in reader: any OrderedReader,
        _ body: (_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) throws -> Bool
    ) throws {
        let cursor = try reader.cursor(in: .family)
        let first = prefix + start
        var stands = try cursor.seek(atOrAfter: first)
        while stands, first.withUnsafeBytes({ cursor.key.starts(withBytes: $0) }),
            try body(UnsafeRawBufferPointer(rebasing: cursor.key[prefix.count...]), cursor.value)
        {
            stands = try cursor.next()
        }
    }
}
