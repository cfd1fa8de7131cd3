/// The tables of the store. Each is an ordered map from byte string to byte string; keys are compared as
/// unsigned bytes, a prefix before what it begins. Keys and values may be of any length; a key is never
/// empty.
public enum StoreTable: UInt8, CaseIterable, Sendable {
    /// Single values: compaction, applied slot, configuration, alarms, members.
    case meta
    /// Escaped user key and descending revision, to what is known of that version.
    case index
    /// Revision and sub-revision, to the change: one order for all families.
    case history
    case lease
    /// Lease and user key, to nothing.
    case attachment
    /// The tables of all families but the key-value space, one after the other; see `FamilyTable`.
    case family
}

/// A consistent view of the store, used by one thread at a time.
public protocol OrderedReader: AnyObject {
    /// The value of `key`; nil when there is none. The bytes are valid until the view ends, in a transaction
    /// until it writes.
    func value(of key: UnsafeRawBufferPointer, in table: StoreTable) throws -> UnsafeRawBufferPointer?
    /// A new cursor that stands nowhere yet. It must not outlive the view.
    func cursor(in table: StoreTable) throws -> any OrderedCursor
    /// The cursor that the view keeps for the table, so that a look-up need not open one. It stands anywhere:
    /// whoever asks for it seeks first, and is done with it before anybody else asks for it.
    func sharedCursor(in table: StoreTable) throws -> any OrderedCursor
}

/// Walks one table. `key` and `value` are valid until the cursor moves or the transaction writes; after a
/// write the cursor stands nowhere and is to seek before it is used again.
public protocol OrderedCursor: AnyObject {
    /// Moves to the first entry whose key is not before `key`; false when there is none.
    func seek(atOrAfter key: UnsafeRawBufferPointer) throws -> Bool
    /// Moves to the last entry whose key is before `key`; false when there is none.
    func seek(before key: UnsafeRawBufferPointer) throws -> Bool
    func seekToFirst() throws -> Bool
    func seekToLast() throws -> Bool
    /// Moves on by one entry; false, and the cursor stands nowhere, when there is none.
    func next() throws -> Bool
    func previous() throws -> Bool
    var key: UnsafeRawBufferPointer { get }
    var value: UnsafeRawBufferPointer { get }
}

/// A view that sees its own writes, all of which take effect together or not at all.
public protocol OrderedTransaction: OrderedReader {
    /// Sets the value of `key`. Neither buffer may point into the store.
    func put(_ value: UnsafeRawBufferPointer, for key: UnsafeRawBufferPointer, in table: StoreTable) throws
    /// As `put`, for a key that the caller knows to come after every key of the table.
    func append(_ value: UnsafeRawBufferPointer, for key: UnsafeRawBufferPointer, in table: StoreTable) throws
    /// Whether there was such a key. The key may not point into the store.
    @discardableResult func remove(_ key: UnsafeRawBufferPointer, in table: StoreTable) throws -> Bool
}

/// One writer, any number of readers that neither wait for it nor make it wait.
public protocol OrderedStore: AnyObject, Sendable {
    /// Runs `body` on a view of the latest committed state.
    func read<R>(_ body: (any OrderedReader) throws -> R) throws -> R
    /// Runs `body` in a transaction that is committed when it returns and rolled back when it throws.
    /// Only one thread writes. Committed does not mean durable: see `synchronize`.
    func write<R>(_ body: (any OrderedTransaction) throws -> R) throws -> R
    /// A view that stays open until closed, for checkpoints and long reads; may be used on another thread.
    func openView() throws -> any OrderedView
    /// Makes everything committed so far survive a loss of power; returns when it does. Any thread.
    func synchronize() throws
    /// Bytes that the store takes on disk, and bytes of them that hold live data.
    var size: (total: Int, inUse: Int) { get }
}

public protocol OrderedView: OrderedReader, Sendable {
    func close()
}

/// Why the store could not do something.
public struct StoreError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Code: Hashable, Sendable {
        /// The disk has no room. Nothing was changed; reads go on.
        case full
        /// The stored bytes are not what was written.
        case damaged
        case failed
    }
    public var code: Code
    public var message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }
}

// The same with arrays, for where an allocation does not matter.

extension OrderedReader {
    @inlinable public func value(of key: [UInt8], in table: StoreTable) throws -> [UInt8]? {
        try key.withUnsafeBytes { try value(of: $0, in: table) }.map { [UInt8]($0) }
    }
}

extension OrderedCursor {
    @inlinable public func seek(atOrAfter key: [UInt8]) throws -> Bool {
        try key.withUnsafeBytes { try seek(atOrAfter: $0) }
    }

    @inlinable public func seek(before key: [UInt8]) throws -> Bool {
        try key.withUnsafeBytes { try seek(before: $0) }
    }
}

extension OrderedTransaction {
    @inlinable public func put(_ value: [UInt8], for key: [UInt8], in table: StoreTable) throws {
        try value.withUnsafeBytes { value in try key.withUnsafeBytes { try put(value, for: $0, in: table) } }
    }

    @inlinable public func append(_ value: [UInt8], for key: [UInt8], in table: StoreTable) throws {
        try value.withUnsafeBytes { value in try key.withUnsafeBytes { try append(value, for: $0, in: table) }
        }
    }

    @inlinable @discardableResult
    public func remove(_ key: [UInt8], in table: StoreTable) throws -> Bool {
        try key.withUnsafeBytes { try remove($0, in: table) }
    }
}
