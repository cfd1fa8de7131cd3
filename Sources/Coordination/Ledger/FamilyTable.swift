/// A table of one family's own: an ordered map from byte string to byte string, as `StoreTable` has them. It takes no
/// room before it is written to, so that a family needs nothing of the store but its id.
///
/// The entries of all such tables stand in `StoreTable.family`, behind the space's id and the table's number (1 byte
/// each).
public struct FamilyTable: Sendable {
    private let prefix: [UInt8]

    public init(_ number: UInt8, of space: SpaceID) { prefix = [space.rawValue, number] }

    /// Whether any table of the family has an entry.
    static func holdsAny(of space: SpaceID, in reader: any OrderedReader) throws -> Bool {
        let cursor = try reader.cursor(in: .family)
        return try cursor.seek(atOrAfter: [space.rawValue]) && cursor.key[0] == space.rawValue
    }

    public func value(of key: [UInt8], in reader: any OrderedReader) throws -> [UInt8]? {
        try reader.value(of: prefix + key, in: .family)
    }

    public func put(_ value: [UInt8], for key: [UInt8], in transaction: any OrderedTransaction) throws {
        try transaction.put(value, for: prefix + key, in: .family)
    }

    /// The value may not point into the store.
    public func put(
        _ value: UnsafeRawBufferPointer, for key: [UInt8], in transaction: any OrderedTransaction
    ) throws {
        try (prefix + key).withUnsafeBytes { try transaction.put(value, for: $0, in: .family) }
    }

    /// Whether there was such a key.
    @discardableResult
    public func remove(_ key: [UInt8], in transaction: any OrderedTransaction) throws -> Bool {
        try transaction.remove(prefix + key, in: .family)
    }

    /// Calls `body` with the last entry whose key is not after `key`; nil when there is none. It must not write.
    public func withLast<R>(
        notAfter key: [UInt8], in reader: any OrderedReader,
        _ body: (_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) throws -> R
    ) throws -> R? {
        let cursor = try reader.sharedCursor(in: .family)
        // The least key after it.
        guard try cursor.seek(before: prefix + key + [0]),
            prefix.withUnsafeBytes({ cursor.key.starts(withBytes: $0) })
        else { return nil }
        return try body(UnsafeRawBufferPointer(rebasing: cursor.key[prefix.count...]), cursor.value)
    }

    /// Calls `body` with the entries whose keys begin with `start`, in order, until it returns false. It must not
    /// write.
    public func visit(
        from start: [UInt8] = [], in reader: any OrderedReader,
        _ body: (_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) throws -> Bool
    ) throws {
        try visit(atOrAfter: start, keysBeginningWith: start, in: reader, body)
    }

    /// Calls `body` with the entries whose keys are not before `start`, in order, until it returns false. It must not
    /// write.
    public func visit(
        atOrAfter start: [UInt8], in reader: any OrderedReader,
        _ body: (_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) throws -> Bool
    ) throws {
        try visit(atOrAfter: start, keysBeginningWith: [], in: reader, body)
    }

    private func visit(
        atOrAfter start: [UInt8], keysBeginningWith common: [UInt8], in reader: any OrderedReader,
        _ body: (_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) throws -> Bool
    ) throws {
        let cursor = try reader.cursor(in: .family)
        let common = prefix + common
        var stands = try cursor.seek(atOrAfter: prefix + start)
        while stands, common.withUnsafeBytes({ cursor.key.starts(withBytes: $0) }),
            try body(UnsafeRawBufferPointer(rebasing: cursor.key[prefix.count...]), cursor.value)
        {
            stands = try cursor.next()
        }
    }
}
