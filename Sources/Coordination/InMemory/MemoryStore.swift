import Synchronization

/// An ordered store that lives in memory: for tests, simulation, and whoever embeds the state machine without
/// a disk. Everything committed counts as durable.
public final class MemoryStore: OrderedStore {
    private struct State: Sendable {
        var trees = [OrderedTree](repeating: OrderedTree(), count: StoreTable.allCases.count)
        var capacity: Int?
        var failure: (afterWrites: Int, error: StoreError)?
    }

    private let state: Mutex<State>

    /// A store that answers writes with `.full` once its keys and values take more than `capacity` bytes; nil:
    /// never. Removing is always possible.
    public init(capacity: Int? = nil) {
        state = Mutex(State(capacity: capacity))
    }

    /// As of now another store with the same content; neither sees what the other writes from then on.
    public func copy() -> MemoryStore {
        let copy = MemoryStore()
        let state = state.withLock { $0 }
        copy.state.withLock { $0 = state }
        return copy
    }

    public var capacity: Int? {
        get { state.withLock { $0.capacity } }
        set { state.withLock { $0.capacity = newValue } }
    }

    /// Lets the next `writes` changes pass and every one after them fail, until called with nil.
    public func fail(afterWrites writes: Int, with error: StoreError?) {
        state.withLock { $0.failure = error.map { (writes, $0) } }
    }

    public func read<R>(_ body: (any OrderedReader) throws -> R) throws -> R {
        let reader = MemoryReader(trees: state.withLock { $0.trees })
        return try withExtendedLifetime(reader) { try body(reader) }
    }

    public func write<R>(_ body: (any OrderedTransaction) throws -> R) throws -> R {
        let before = state.withLock { $0 }
        let transaction = MemoryTransaction(
            trees: before.trees, capacity: before.capacity, failure: before.failure)
        let result = try withExtendedLifetime(transaction) { try body(transaction) }
        state.withLock {
            $0.trees = transaction.trees
            if let failure = transaction.failure { $0.failure = failure }
        }
        return result
    }

    public func openView() throws -> any OrderedView {
        MemoryView(trees: state.withLock { $0.trees })
    }

    public func synchronize() throws {}

    public var size: (total: Int, inUse: Int) {
        let bytes = state.withLock { $0.trees.reduce(0) { $0 + $1.bytes } }
        return (bytes, bytes)
    }
}

/// A view of the trees; the transaction's changes.
class MemoryReader: OrderedReader {
    fileprivate(set) var trees: [OrderedTree]
    fileprivate var shared: [TreeCursor?]

    init(trees: [OrderedTree]) {
        self.trees = trees
        shared = Array(repeating: nil, count: trees.count)
    }

    func value(of key: UnsafeRawBufferPointer, in table: StoreTable) throws -> UnsafeRawBufferPointer? {
        trees[Int(table.rawValue)].value(of: key)
    }

    func cursor(in table: StoreTable) throws -> any OrderedCursor {
        TreeCursor(reader: self, table: table)
    }

    func sharedCursor(in table: StoreTable) throws -> any OrderedCursor {
        if let cursor = shared[Int(table.rawValue)] { return cursor }
        let cursor = TreeCursor(reader: self, table: table)
        shared[Int(table.rawValue)] = cursor
        return cursor
    }
}

/// Its trees never change, and its cursors are used by one thread at a time.
final class MemoryView: MemoryReader, OrderedView, @unchecked Sendable {
    func close() { trees = trees.map { _ in OrderedTree() } }
}

final class MemoryTransaction: MemoryReader, OrderedTransaction {
    private let capacity: Int?
    fileprivate var failure: (afterWrites: Int, error: StoreError)?

    init(trees: [OrderedTree], capacity: Int?, failure: (afterWrites: Int, error: StoreError)?) {
        self.capacity = capacity
        self.failure = failure
        super.init(trees: trees)
    }

    func put(_ value: UnsafeRawBufferPointer, for key: UnsafeRawBufferPointer, in table: StoreTable) throws {
        precondition(!key.isEmpty, "a key is never empty")
        try willWrite(in: table)
        if let capacity, trees.reduce(key.count + value.count, { $0 + $1.bytes }) > capacity {
            throw StoreError(.full, "the store has no room left")
        }
        trees[Int(table.rawValue)].put(value, for: key)
    }

    func append(_ value: UnsafeRawBufferPointer, for key: UnsafeRawBufferPointer, in table: StoreTable) throws
    {
        try put(value, for: key, in: table)
    }

    func remove(_ key: UnsafeRawBufferPointer, in table: StoreTable) throws -> Bool {
        try willWrite(in: table)
        return trees[Int(table.rawValue)].remove(key)
    }

    private func willWrite(in table: StoreTable) throws {
        shared[Int(table.rawValue)]?.release()
        guard let failure else { return }
        if failure.afterWrites == 0 { throw failure.error }
        self.failure = (failure.afterWrites - 1, failure.error)
    }
}
