import CLMDB
import Coordination

/// Walks one table, long keys included, as if all keys were stored as they are.
final class TableCursor: OrderedCursor {
    /// The view outlives its cursors.
    private unowned(unsafe) let view: TableView
    private let isWriting: Bool
    private let table: StoreTable
    private var cursor: OpaquePointer?
    private var raw = MDB_val()
    private var stored = MDB_val()
    /// Whether it stands on an entry of the table itself; if that leads on, `long` says where.
    private var isStanding = false
    private var isLong = false
    private var long: LongPosition?
    /// The period of the view in which `cursor` is usable.
    private var period: UInt64 = 0
    private var hasLongCursor = false

    init(_ view: TableView, _ table: StoreTable) {
        self.view = view
        isWriting = view.isWriting
        self.table = table
    }

    deinit {
        // The library frees the cursors of a transaction that writes.
        guard !isWriting else { return }
        if let cursor { mdb_cursor_close(cursor) }
        if let cursor = long?.cursor { mdb_cursor_close(cursor) }
    }

    var key: UnsafeRawBufferPointer {
        precondition(isStanding, "the cursor stands nowhere")
        return isLong ? long!.key : raw.bytes
    }

    var value: UnsafeRawBufferPointer {
        precondition(isStanding, "the cursor stands nowhere")
        return isLong ? long!.value.bytes : stored.bytes
    }

    func release() { isStanding = false }

    func seek(atOrAfter key: UnsafeRawBufferPointer) throws -> Bool {
        guard !key.isEmpty else { return try seekToFirst() }
        try prepare()
        if LongKeys.isLong(key) { return try seekLong(key) }
        raw = MDB_val(key)
        return try settle(mdb_cursor_get(cursor, &raw, &stored, MDB_SET_RANGE), .forward)
    }

    func seek(before key: UnsafeRawBufferPointer) throws -> Bool {
        guard !key.isEmpty else { return stand(false) }
        try prepare()
        if LongKeys.isLong(key) { return try seekLong(key) ? previous() : seekToLast() }
        raw = MDB_val(key)
        let isThere = try found(mdb_cursor_get(cursor, &raw, &stored, MDB_SET_RANGE), "seeking")
        return try settle(
            mdb_cursor_get(cursor, &raw, &stored, isThere ? MDB_PREV : MDB_LAST), .backward)
    }

    func seekToFirst() throws -> Bool {
        try prepare()
        return try settle(mdb_cursor_get(cursor, &raw, &stored, MDB_FIRST), .forward)
    }

    func seekToLast() throws -> Bool {
        try prepare()
        return try settle(mdb_cursor_get(cursor, &raw, &stored, MDB_LAST), .backward)
    }

    func next() throws -> Bool {
        precondition(isStanding, "the cursor stands nowhere")
        if isLong, try long!.move(.forward) { return true }
        return try settle(mdb_cursor_get(cursor, &raw, &stored, MDB_NEXT), .forward)
    }

    func previous() throws -> Bool {
        precondition(isStanding, "the cursor stands nowhere")
        if isLong, try long!.move(.backward) { return true }
        return try settle(mdb_cursor_get(cursor, &raw, &stored, MDB_PREV), .backward)
    }

    @inline(__always)
    private func stand(_ isThere: Bool) -> Bool {
        isStanding = isThere
        return isThere
    }

    @inline(__always)
    private func settle(_ code: Int32, _ direction: LongPosition.Direction) throws -> Bool {
        isLong = false
        guard stand(try found(code, "moving a cursor")) else { return false }
        if LongKeys.leadsOn(raw) { try enter(direction) }
        return true
    }

    private func enter(_ direction: LongPosition.Direction) throws {
        isStanding = false
        try longPosition().enter(raw, stored, direction)
        isStanding = true
        isLong = true
    }

    private func seekLong(_ key: UnsafeRawBufferPointer) throws -> Bool {
        isStanding = false
        isLong = false
        let isExact = try LongKeys.withRaw(nil, key) { wanted -> Bool? in
            raw = wanted
            guard try found(mdb_cursor_get(cursor, &raw, &stored, MDB_SET_RANGE), "seeking") else {
                return nil
            }
            return raw.bytes.elementsEqual(wanted.bytes)
        }
        guard let isExact else { return false }
        if isExact {
            if try longPosition().enter(raw, stored, atOrAfter: key) {
                isLong = true
                return stand(true)
            }
            return try settle(mdb_cursor_get(cursor, &raw, &stored, MDB_NEXT), .forward)
        }
        return try settle(MDB_SUCCESS, .forward)
    }

    /// Opens the cursor, or makes it one of the view's present period.
    @inline(__always)
    private func prepare() throws {
        if period != view.period { try renew() }
    }

    private func renew() throws {
        isStanding = false
        hasLongCursor = false
        if let cursor, !isWriting {
            try check(mdb_cursor_renew(view.transaction, cursor), "renewing a cursor")
        } else {
            cursor = nil
            try check(
                mdb_cursor_open(view.transaction, view.database(of: table), &cursor), "opening a cursor")
        }
        period = view.period
    }

    private func longPosition() throws -> LongPosition {
        let position = long ?? LongPosition()
        long = position
        guard !hasLongCursor else { return position }
        if let cursor = position.cursor, !isWriting {
            try check(mdb_cursor_renew(view.transaction, cursor), "renewing a cursor")
        } else {
            position.cursor = nil
            try check(
                mdb_cursor_open(view.transaction, view.environment.long, &position.cursor),
                "opening a cursor")
        }
        hasLongCursor = true
        return position
    }
}
