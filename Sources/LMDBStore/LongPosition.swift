import CLMDB
import Coordination
import Glibc

/// Where a cursor stands among long keys: the namespaces that led there, outermost first, and the whole key.
final class LongPosition {
    /// A cursor on the table of long keys; the owner opens, renews and closes it.
    var cursor: OpaquePointer?
    private(set) var value = MDB_val()
    private var namespaces: [UInt64] = []
    private var memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 2048, alignment: 8)
    private var count = 0

    deinit { memory.deallocate() }

    var isStanding: Bool { !namespaces.isEmpty }
    var key: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: memory[..<count]) }

    func leave() { namespaces.removeAll(keepingCapacity: true) }

    enum Direction { case forward, backward }

    /// Enters the namespace that `raw` of the table leads to, at its first or last key.
    func enter(_ raw: MDB_val, _ lead: MDB_val, _ direction: Direction) throws {
        count = 0
        leave()
        try push(raw.bytes.prefix(LongKeys.chunkBytes), try lead.namespace())
        try descend(direction)
    }

    /// Enters the namespace that `raw` leads to, at the first key that is not before `key`; false, and it
    /// stands nowhere, when all are before it.
    func enter(_ raw: MDB_val, _ lead: MDB_val, atOrAfter key: UnsafeRawBufferPointer) throws -> Bool {
        count = 0
        leave()
        try push(raw.bytes.prefix(LongKeys.chunkBytes), try lead.namespace())
        var rest = UnsafeRawBufferPointer(rebasing: key[LongKeys.chunkBytes...])
        while true {
            let namespace = namespaces[namespaces.count - 1]
            var entry = MDB_val()
            var stored = MDB_val()
            let isExact = try LongKeys.withRaw(namespace, rest) { wanted -> Bool? in
                entry = wanted
                guard
                    try found(mdb_cursor_get(cursor, &entry, &stored, MDB_SET_RANGE), "seeking a long key"),
                    LongKeys.belongs(entry, to: namespace)
                else { return nil }
                return entry.mv_size == wanted.mv_size
                    && memcmp(entry.mv_data, wanted.mv_data, wanted.mv_size) == 0
            }
            guard let isExact else { return try climb() && move(.forward) }
            guard LongKeys.leadsOn(inNamespace: entry) else {
                settle(entry, stored)
                return true
            }
            try push(chunk(entry).prefix(LongKeys.chunkBytes), try stored.namespace())
            guard isExact, LongKeys.isLong(rest) else {
                try descend(.forward)
                return true
            }
            rest = UnsafeRawBufferPointer(rebasing: rest[LongKeys.chunkBytes...])
        }
    }

    /// Moves by one key; false, and it stands nowhere, when the outermost namespace has no more.
    func move(_ direction: Direction) throws -> Bool {
        repeat {
            var entry = MDB_val()
            var stored = MDB_val()
            let isThere = try found(
                mdb_cursor_get(cursor, &entry, &stored, direction == .forward ? MDB_NEXT : MDB_PREV),
                "moving among long keys")
            if isThere, LongKeys.belongs(entry, to: namespaces[namespaces.count - 1]) {
                try settleOrDescend(entry, stored, direction)
                return true
            }
        } while try climb()
        return false
    }

    /// Leaves the innermost namespace for where the one around it led there; false when there is none.
    private func climb() throws -> Bool {
        namespaces.removeLast()
        guard let namespace = namespaces.last else { return false }
        count = namespaces.count * LongKeys.chunkBytes
        // One byte more than a chunk, so that the key is made that leads on.
        try withUnsafeTemporaryAllocation(byteCount: LongKeys.chunkBytes + 1, alignment: 8) { lead in
            memcpy(lead.baseAddress!, memory.baseAddress! + count, LongKeys.chunkBytes)
            lead[LongKeys.chunkBytes] = 0
            try LongKeys.withRaw(namespace, UnsafeRawBufferPointer(lead)) { raw in
                var stored = MDB_val()
                try check(mdb_cursor_get(cursor, &raw, &stored, MDB_SET_KEY), "returning to a long key")
            }
        }
        return true
    }

    /// Goes to the first or last key behind the innermost namespace.
    private func descend(_ direction: Direction) throws {
        while true {
            let (entry, stored) = try end(of: namespaces[namespaces.count - 1], direction)
            guard LongKeys.leadsOn(inNamespace: entry) else { return settle(entry, stored) }
            try push(chunk(entry).prefix(LongKeys.chunkBytes), try stored.namespace())
        }
    }

    /// The first or last entry of a namespace.
    private func end(of namespace: UInt64, _ direction: Direction) throws -> (MDB_val, MDB_val) {
        var number = (direction == .forward ? namespace : namespace + 1).bigEndian
        return try withUnsafeMutableBytes(of: &number) { number in
            var entry = MDB_val(mv_size: 8, mv_data: number.baseAddress)
            var stored = MDB_val()
            var isThere = try found(
                mdb_cursor_get(cursor, &entry, &stored, MDB_SET_RANGE), "seeking a long key")
            if direction == .backward {
                isThere = try found(
                    mdb_cursor_get(cursor, &entry, &stored, isThere ? MDB_PREV : MDB_LAST),
                    "seeking a long key")
            }
            guard isThere, LongKeys.belongs(entry, to: namespace) else {
                throw StoreError(.damaged, "a long key leads to nothing")
            }
            return (entry, stored)
        }
    }

    private func settleOrDescend(_ entry: MDB_val, _ stored: MDB_val, _ direction: Direction) throws {
        guard LongKeys.leadsOn(inNamespace: entry) else { return settle(entry, stored) }
        try push(chunk(entry).prefix(LongKeys.chunkBytes), try stored.namespace())
        try descend(direction)
    }

    private func settle(_ entry: MDB_val, _ stored: MDB_val) {
        count = namespaces.count * LongKeys.chunkBytes
        append(chunk(entry)[...])
        value = stored
    }

    private func push(_ chunk: Slice<UnsafeRawBufferPointer>, _ namespace: UInt64) throws {
        count = namespaces.count * LongKeys.chunkBytes
        append(chunk)
        namespaces.append(namespace)
    }

    private func chunk(_ entry: MDB_val) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: entry.bytes[8...])
    }

    private func append(_ bytes: Slice<UnsafeRawBufferPointer>) {
        let bytes = UnsafeRawBufferPointer(rebasing: bytes)
        if count + bytes.count > memory.count {
            let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: memory.count * 2, alignment: 8)
            larger.copyMemory(from: UnsafeRawBufferPointer(memory))
            memory.deallocate()
            memory = larger
        }
        if bytes.count > 0 { memcpy(memory.baseAddress! + count, bytes.baseAddress!, bytes.count) }
        count += bytes.count
    }
}
