import Coordination

/// What a reader sees: the data file, and before it the layers of memory. Used again and again, like the view of the
/// file that it has; each use is a *period*. Used by one thread at a time.
class LayeredView: OrderedReader, @unchecked Sendable {
    final let file: ReadView
    /// Newest first.
    final private(set) var layers: [MemoryLayer] = []
    /// The last transaction that is seen.
    final private(set) var transactionNumber: UInt64 = 0
    final private(set) var period: UInt64 = 0
    private var shared: [MergedCursor?]
    private var cursors: [[MergedCursor]]

    init(_ environment: Environment) {
        file = ReadView(environment)
        shared = Array(repeating: nil, count: StoreTable.allCases.count)
        cursors = Array(repeating: [], count: StoreTable.allCases.count)
    }

    deinit {
        // Cursors of the file are closed before its view is.
        for table in shared.indices {
            shared[table] = nil
            cursors[table] = []
        }
    }

    final func begin(_ layers: [MemoryLayer], at transaction: UInt64) throws {
        try file.begin()
        self.layers = layers
        transactionNumber = transaction
        period += 1
    }

    final func end() {
        file.end()
        layers = []
    }

    final func value(of key: UnsafeRawBufferPointer, in table: StoreTable) throws -> UnsafeRawBufferPointer? {
        for layer in layers {
            let list = layer.list(of: table)
            guard !list.isEmpty, let node = list.firstNotBefore(key, at: transactionNumber),
                compareBytes(node.key, key) == 0
            else { continue }
            return node.isRemoval ? nil : node.value
        }
        return try file.value(of: key, in: table)
    }

    final func cursor(in table: StoreTable) throws -> any OrderedCursor {
        let index = Int(table.rawValue)
        for position in cursors[index].indices where isKnownUniquelyReferenced(&cursors[index][position]) {
            cursors[index][position].release()
            return cursors[index][position]
        }
        let cursor = try makeCursor(table)
        cursors[index].append(cursor)
        return cursor
    }

    final func sharedCursor(in table: StoreTable) throws -> any OrderedCursor {
        if let cursor = shared[Int(table.rawValue)] { return cursor }
        let cursor = try makeCursor(table)
        shared[Int(table.rawValue)] = cursor
        return cursor
    }

    private func makeCursor(_ table: StoreTable) throws -> MergedCursor {
        MergedCursor(self, table, file.makeCursor(in: table))
    }

    /// No cursor of the table stands anywhere after a write.
    @inline(__always)
    final func releaseCursors(of table: StoreTable) {
        let table = Int(table.rawValue)
        shared[table]?.release()
        for cursor in cursors[table] { cursor.release() }
    }
}

/// The store's one transaction that writes: into the newest layer, where nobody sees it before it is committed.
final class LayeredTransaction: LayeredView, OrderedTransaction, @unchecked Sendable {
    private var written: [(table: StoreTable, node: RowNode)] = []
    /// Whether it has put anything.
    private(set) var grows = false

    func beginWriting(_ layers: [MemoryLayer], at transaction: UInt64) throws {
        try begin(layers, at: transaction)
        grows = false
    }

    /// What was written is there for whoever sees this transaction.
    func commit() {
        written.removeAll(keepingCapacity: written.count < 4096)
        end()
    }

    func abort() {
        for (table, node) in written.reversed() { layers[0].remove(node, in: table) }
        commit()
    }

    func put(_ value: UnsafeRawBufferPointer, for key: UnsafeRawBufferPointer, in table: StoreTable) throws {
        insert(value, for: key, in: table, isLikelyLast: false)
    }

    func append(_ value: UnsafeRawBufferPointer, for key: UnsafeRawBufferPointer, in table: StoreTable) throws
    {
        insert(value, for: key, in: table, isLikelyLast: true)
    }

    func remove(_ key: UnsafeRawBufferPointer, in table: StoreTable) throws -> Bool {
        guard !key.isEmpty, try value(of: key, in: table) != nil else { return false }
        releaseCursors(of: table)
        note(layers[0].insert(nil, for: key, in: table, by: transactionNumber), table)
        return true
    }

    private func insert(
        _ value: UnsafeRawBufferPointer, for key: UnsafeRawBufferPointer, in table: StoreTable,
        isLikelyLast: Bool
    ) {
        precondition(!key.isEmpty, "a key is never empty")
        releaseCursors(of: table)
        grows = true
        note(
            layers[0].insert(value, for: key, in: table, by: transactionNumber, isLikelyLast: isLikelyLast),
            table)
    }

    private func note(_ node: RowNode?, _ table: StoreTable) {
        if let node { written.append((table, node)) }
    }
}

/// A view that is open for long. It holds its environment, which may no longer be the store's.
final class OpenView: OrderedView, @unchecked Sendable {
    private let store: LMDBStore
    private var view: LayeredView?

    init(_ store: LMDBStore) throws {
        self.store = store
        view = try store.takeView()
    }

    deinit { close() }

    func close() {
        if let view { store.giveBack(view) }
        view = nil
    }

    private var openView: LayeredView {
        guard let view else { preconditionFailure("the view is closed") }
        return view
    }

    func value(of key: UnsafeRawBufferPointer, in table: StoreTable) throws -> UnsafeRawBufferPointer? {
        try openView.value(of: key, in: table)
    }

    func cursor(in table: StoreTable) throws -> any OrderedCursor { try openView.cursor(in: table) }
    func sharedCursor(in table: StoreTable) throws -> any OrderedCursor {
        try openView.sharedCursor(in: table)
    }
}
