import Automata

/// The tables of the store. Each is an ordered map from byte string to byte string; keys are compared as
/// unsigned bytes, a prefix before what it begins. Keys and values may be of any length.
public enum StoreTable: UInt8, CaseIterable, Sendable {
    /// Single values: revision, compaction, applied slot, configuration, alarms.
    case meta
    /// Escaped user key and descending revision, to what is known of that version.
    case index
    /// Revision and sub-revision, to the event.
    case history
    case lease
    /// Lease and user key, to nothing.
    case attachment
}

/// A consistent view of the store.
public protocol OrderedReader {
    /// Calls `body` with the value of `key`, which is valid only during the call; nil when there is none.
    func withValue<R>(of key: [UInt8], in table: StoreTable, _ body: (UnsafeRawBufferPointer) throws -> R) throws -> R?
    /// A cursor that stands nowhere yet. It must not outlive the view.
    func cursor(in table: StoreTable) throws -> any OrderedCursor
}

/// Walks one table. `key` and `value` are valid until the cursor moves or the transaction writes.
public protocol OrderedCursor: AnyObject {
    /// Moves to the first entry whose key is not before `key`; false when there is none.
    func seek(atOrAfter key: [UInt8]) throws -> Bool
    /// Moves to the last entry whose key is before `key`; false when there is none.
    func seek(before key: [UInt8]) throws -> Bool
    func seekToLast() throws -> Bool
    func next() throws -> Bool
    func previous() throws -> Bool
    var key: UnsafeRawBufferPointer { get }
    var value: UnsafeRawBufferPointer { get }
}

/// A view that sees its own writes, all of which take effect together or not at all.
public protocol OrderedTransaction: OrderedReader {
    func put(_ value: [UInt8], for key: [UInt8], in table: StoreTable) throws
    /// Whether there was such a key.
    @discardableResult func remove(_ key: [UInt8], in table: StoreTable) throws -> Bool
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
