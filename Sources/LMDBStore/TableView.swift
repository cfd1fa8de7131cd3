import CLMDB
import Coordination

/// The tables as one transaction of the library sees them. It is used again and again: each use is a
/// *period*, and what a cursor knew in the one before does not hold in the next.
class TableView: OrderedReader {
    /// The environment outlives its views: whoever uses one holds the environment.
    unowned(unsafe) let environment: Environment
    var transaction: OpaquePointer?
    final let isWriting: Bool
    final private(set) var period: UInt64 = 0
    private var shared: [TableCursor?]
    private var cursors: [[TableCursor]]

    init(_ environment: Environment, isWriting: Bool) {
        self.environment = environment
        self.isWriting = isWriting
        shared = Array(repeating: nil, count: StoreTable.allCases.count)
        cursors = Array(repeating: [], count: StoreTable.allCases.count)
    }

    final func startPeriod() { period += 1 }

    /// Lets go of the cursors, which must be closed before the environment is.
    final func dropCursors() {
        for table in shared.indices {
            shared[table] = nil
            cursors[table] = []
        }
    }

    @inline(__always)
    final func database(of table: StoreTable) -> MDB_dbi { environment.tables[Int(table.rawValue)] }

    final func longKeys(in table: StoreTable) -> LongKeys {
        LongKeys(transaction: transaction!, table: database(of: table), long: environment.long)
    }

    final func value(of key: UnsafeRawBufferPointer, in table: StoreTable) throws -> UnsafeRawBufferPointer? {
        if LongKeys.isLong(key) { return try longKeys(in: table).value(of: key) }
        guard !key.isEmpty else { return nil }
        var raw = MDB_val(key)
        var value = MDB_val()
        guard try found(mdb_get(transaction, database(of: table), &raw, &value), "reading") else {
            return nil
        }
        return value.bytes
    }

    final func cursor(in table: StoreTable) throws -> any OrderedCursor {
        let table = Int(table.rawValue)
        for index in cursors[table].indices where isKnownUniquelyReferenced(&cursors[table][index]) {
            cursors[table][index].release()
            return cursors[table][index]
        }
        let cursor = TableCursor(self, StoreTable.allCases[table])
        cursors[table].append(cursor)
        return cursor
    }

    /// A cursor that its owner keeps from one period to the next.
    final func makeCursor(in table: StoreTable) -> TableCursor { TableCursor(self, table) }

    final func sharedCursor(in table: StoreTable) throws -> any OrderedCursor {
        if let cursor = shared[Int(table.rawValue)] { return cursor }
        let cursor = TableCursor(self, table)
        shared[Int(table.rawValue)] = cursor
        return cursor
    }

    /// No cursor of the table stands anywhere after a write.
    @inline(__always)
    final func releaseCursors(of table: StoreTable) {
        let table = Int(table.rawValue)
        shared[table]?.release()
        for cursor in cursors[table] { cursor.release() }
    }
}

/// A view of committed state, taken from the environment's pool and given back; used by one thread at a time.
final class ReadView: TableView, @unchecked Sendable {
    private var hasTransaction = false

    init(_ environment: Environment) { super.init(environment, isWriting: false) }

    deinit {
        dropCursors()
        if hasTransaction { mdb_txn_abort(transaction) }
    }

    /// The number of the last transaction that the view sees.
    var number: UInt64 { UInt64(mdb_txn_id(transaction)) }

    func begin() throws {
        if hasTransaction {
            try check(mdb_txn_renew(transaction), "renewing a view")
        } else {
            try check(
                mdb_txn_begin(environment.handle, nil, UInt32(MDB_RDONLY), &transaction), "opening a view")
            hasTransaction = true
        }
        startPeriod()
    }

    func end() { mdb_txn_reset(transaction) }
}

/// What the point's view sees, which stays open for the point's sake.
final class PointView: OrderedView, @unchecked Sendable {
    private let environment: Environment
    private let view: ReadView

    init(_ environment: Environment, _ view: ReadView) {
        self.environment = environment
        self.view = view
    }

    func close() {}

    func value(of key: UnsafeRawBufferPointer, in table: StoreTable) throws -> UnsafeRawBufferPointer? {
        try view.value(of: key, in: table)
    }

    func cursor(in table: StoreTable) throws -> any OrderedCursor { try view.cursor(in: table) }
    func sharedCursor(in table: StoreTable) throws -> any OrderedCursor { try view.sharedCursor(in: table) }
}
