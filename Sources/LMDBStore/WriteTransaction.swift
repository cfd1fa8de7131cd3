import CLMDB
import Coordination

/// A transaction of the data file that writes. There is one at a time.
final class WriteTransaction: TableView, OrderedTransaction {
    init(_ environment: Environment) { super.init(environment, isWriting: true) }

    func begin() throws {
        try check(mdb_txn_begin(environment.handle, nil, 0, &transaction), "beginning a transaction")
        startPeriod()
    }

    func commit() throws {
        defer { transaction = nil }
        try check(mdb_txn_commit(transaction), "committing")
    }

    func abort() {
        mdb_txn_abort(transaction)
        transaction = nil
    }

    func put(_ value: UnsafeRawBufferPointer, for key: UnsafeRawBufferPointer, in table: StoreTable) throws {
        precondition(!key.isEmpty, "a key is never empty")
        releaseCursors(of: table)
        if LongKeys.isLong(key) { return try longKeys(in: table).put(value, for: key) }
        var raw = MDB_val(key)
        var stored = MDB_val(value)
        try check(mdb_put(transaction, database(of: table), &raw, &stored, 0), "writing")
    }

    func append(_ value: UnsafeRawBufferPointer, for key: UnsafeRawBufferPointer, in table: StoreTable) throws
    {
        if LongKeys.isLong(key) { return try put(value, for: key, in: table) }
        precondition(!key.isEmpty, "a key is never empty")
        releaseCursors(of: table)
        var raw = MDB_val(key)
        var stored = MDB_val(value)
        let code = mdb_put(transaction, database(of: table), &raw, &stored, UInt32(MDB_APPEND))
        // The caller was wrong about the order: the entry belongs elsewhere.
        if code == MDB_KEYEXIST { return try put(value, for: key, in: table) }
        try check(code, "appending")
    }

    func remove(_ key: UnsafeRawBufferPointer, in table: StoreTable) throws -> Bool {
        guard !key.isEmpty else { return false }
        releaseCursors(of: table)
        if LongKeys.isLong(key) { return try longKeys(in: table).remove(key) }
        var raw = MDB_val(key)
        return try found(mdb_del(transaction, database(of: table), &raw, nil), "removing")
    }
}
