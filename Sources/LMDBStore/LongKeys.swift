import CLMDB
import Coordination
import Glibc

/// Keys longer than LMDB takes (511 bytes), without a cost for short ones.
///
/// A key of up to 480 bytes is stored as it is. Of a longer one the first 480 bytes and a zero are stored in
/// its place, which no other key can take, with the number of a *namespace*; the rest of the key is stored in
/// the table of long keys behind that number, by the same rule, and so on:
///
///     table   a…a (480) 0        → 7
///     long    7 b…b (480) 0      → 8
///     long    8 c                → the value of a…ab…bc
///
/// All keys that share their first 480 bytes share a namespace, so that the order of what is stored is the
/// order of the keys. A namespace is never empty: with its last key it goes, and so does what led to it.
struct LongKeys {
    static let chunkBytes = 480
    private static let leadBytes = chunkBytes + 1
    private static let numberBytes = 8

    let transaction: OpaquePointer
    let table: MDB_dbi
    let long: MDB_dbi

    static func isLong(_ key: UnsafeRawBufferPointer) -> Bool { key.count > chunkBytes }
    /// Whether what is stored under `raw` in a table leads to a namespace.
    static func leadsOn(_ raw: MDB_val) -> Bool { raw.mv_size == leadBytes }
    static func leadsOn(inNamespace raw: MDB_val) -> Bool { raw.mv_size == numberBytes + leadBytes }

    /// Calls `body` with the key under which `rest` is found, or led on from, in `namespace`; nil stands for
    /// the table itself.
    static func withRaw<R>(
        _ namespace: UInt64?, _ rest: UnsafeRawBufferPointer, _ body: (inout MDB_val) throws -> R
    ) rethrows -> R {
        let leads = rest.count > chunkBytes
        let count = min(rest.count, chunkBytes)
        let head = namespace == nil ? 0 : numberBytes
        return try withUnsafeTemporaryAllocation(byteCount: head + leadBytes, alignment: 8) { raw in
            if let namespace { raw.storeBytes(of: namespace.bigEndian, as: UInt64.self) }
            if count > 0 { memcpy(raw.baseAddress! + head, rest.baseAddress!, count) }
            if leads { raw[head + count] = 0 }
            var value = MDB_val(mv_size: head + count + (leads ? 1 : 0), mv_data: raw.baseAddress)
            return try body(&value)
        }
    }

    private static func rest(_ key: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: key[chunkBytes...])
    }

    private func database(_ namespace: UInt64?) -> MDB_dbi { namespace == nil ? table : long }

    func value(of key: UnsafeRawBufferPointer) throws -> UnsafeRawBufferPointer? {
        var namespace: UInt64?
        var rest = key
        while true {
            var value = MDB_val()
            let isThere = try Self.withRaw(namespace, rest) {
                try found(mdb_get(transaction, database(namespace), &$0, &value), "reading a long key")
            }
            guard isThere else { return nil }
            guard Self.isLong(rest) else { return value.bytes }
            namespace = try value.namespace()
            rest = Self.rest(rest)
        }
    }

    func put(_ bytes: UnsafeRawBufferPointer, for key: UnsafeRawBufferPointer) throws {
        var namespace: UInt64?
        var rest = key
        while Self.isLong(rest) {
            let current = namespace
            namespace = try Self.withRaw(current, rest) { raw in
                var value = MDB_val()
                if try found(mdb_get(transaction, database(current), &raw, &value), "reading a long key") {
                    return try value.namespace()
                }
                let new = try newNamespace()
                try put(new, under: &raw, in: database(current))
                return new
            }
            rest = Self.rest(rest)
        }
        var value = MDB_val(bytes)
        try Self.withRaw(namespace, rest) {
            try check(mdb_put(transaction, database(namespace), &$0, &value, 0), "writing a long key")
        }
    }

    func remove(_ key: UnsafeRawBufferPointer) throws -> Bool {
        // Where the walk has been, to take back what leads nowhere any more.
        var path: [(namespace: UInt64?, rest: UnsafeRawBufferPointer)] = []
        var namespace: UInt64?
        var rest = key
        while Self.isLong(rest) {
            var value = MDB_val()
            let isThere = try Self.withRaw(namespace, rest) {
                try found(mdb_get(transaction, database(namespace), &$0, &value), "reading a long key")
            }
            guard isThere else { return false }
            path.append((namespace, rest))
            namespace = try value.namespace()
            rest = Self.rest(rest)
        }
        guard try delete(namespace, rest) else { return false }
        while let (parent, lead) = path.popLast(), try isEmpty(namespace!) {
            _ = try delete(parent, lead)
            namespace = parent
            if namespace == nil { break }
        }
        return true
    }

    private func delete(_ namespace: UInt64?, _ rest: UnsafeRawBufferPointer) throws -> Bool {
        try Self.withRaw(namespace, rest) {
            try found(mdb_del(transaction, database(namespace), &$0, nil), "removing a long key")
        }
    }

    private func isEmpty(_ namespace: UInt64) throws -> Bool {
        var cursor: OpaquePointer?
        try check(mdb_cursor_open(transaction, long, &cursor), "opening a cursor")
        defer { mdb_cursor_close(cursor) }
        var number = namespace.bigEndian
        return try withUnsafeMutableBytes(of: &number) { number in
            var raw = MDB_val(mv_size: Self.numberBytes, mv_data: number.baseAddress)
            guard try found(mdb_cursor_get(cursor, &raw, nil, MDB_SET_RANGE), "seeking a long key") else {
                return true
            }
            return !Self.belongs(raw, to: namespace)
        }
    }

    static func belongs(_ raw: MDB_val, to namespace: UInt64) -> Bool {
        raw.mv_size > numberBytes && raw.mv_data.loadUnaligned(as: UInt64.self).bigEndian == namespace
    }

    /// The last number that was given is kept under the number 0, which names no namespace.
    private func newNamespace() throws -> UInt64 {
        var zero: UInt64 = 0
        return try withUnsafeMutableBytes(of: &zero) { zero in
            var raw = MDB_val(mv_size: Self.numberBytes, mv_data: zero.baseAddress)
            var value = MDB_val()
            let last =
                try found(mdb_get(transaction, long, &raw, &value), "reading the last namespace")
                ? try value.namespace() : 0
            try put(last + 1, under: &raw, in: long)
            return last + 1
        }
    }

    private func put(_ namespace: UInt64, under raw: inout MDB_val, in database: MDB_dbi) throws {
        var number = namespace.bigEndian
        try withUnsafeMutableBytes(of: &number) { number in
            var value = MDB_val(mv_size: Self.numberBytes, mv_data: number.baseAddress)
            try check(mdb_put(transaction, database, &raw, &value, 0), "writing a long key")
        }
    }
}
