/// Takes the pieces of a checkpoint in order and hands out their rows. Whatever is missing, out of place or unknown
/// makes it throw `CheckpointError`; what was handed out until then is worth nothing.
public struct CheckpointReader {
    public private(set) var head: CheckpointHead?
    public private(set) var isComplete = false
    public private(set) var rows: UInt64 = 0
    private let families: [any Space.Type]
    private var pieces: UInt64 = 0
    private var tables: [(number: UInt8, table: StoreTable)] = []
    /// Where the last row stands in the order of tables and keys.
    private var tableIndex = 0
    private var lastKey: [UInt8] = []

    /// `families`: what this program has.
    public init(families: [any Space.Type] = Ledger.families) { self.families = families }

    /// Takes one piece, and calls `row` for each row in it. The buffers are valid during the call.
    public mutating func take(
        _ kind: CheckpointPiece.Kind, _ body: UnsafeRawBufferPointer,
        row: (_ table: StoreTable, _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) throws ->
            Void
    ) throws {
        guard !isComplete else { throw CheckpointError(.damaged, "a checkpoint that goes on after its end") }
        guard (kind == .head) == (head == nil) else {
            throw CheckpointError(.damaged, "a checkpoint with a piece out of place")
        }
        switch kind {
        case .head:
            let head = try CheckpointHead(decoding: body)
            try head.judgeSpaces(families)
            tables = try head.knownTables()
            self.head = head
        case .rows: try takeRows(body, row)
        case .end:
            guard body.count == 16, body.littleEndian(UInt64.self, at: 0) == pieces,
                body.littleEndian(UInt64.self, at: 8) == rows
            else { throw CheckpointError(.damaged, "a checkpoint from which something is missing") }
            isComplete = true
        }
    }

    /// Takes one piece into a store, whose tables were empty before the first one.
    public mutating func take(
        _ kind: CheckpointPiece.Kind, _ body: UnsafeRawBufferPointer, into store: some OrderedStore
    ) throws {
        guard kind == .rows else { return try take(kind, body) { _, _, _ in } }
        try store.write { transaction in
            try take(kind, body) { try transaction.append($2, for: $1, in: $0) }
        }
    }

    /// Once it is complete: whether the rows are those that the head speaks of.
    public func judge(_ reader: any OrderedReader) throws {
        guard let head, isComplete else { throw CheckpointError(.torn, "a checkpoint without an end") }
        let applied = try AppliedState(from: reader)
        let revision = try LedgerReader(reader).revision()
        guard applied.slot == head.slot, applied.configuration == head.configuration,
            revision == head.revision ?? revision
        else { throw CheckpointError(.damaged, "a checkpoint that is not what its head says") }
    }

    private mutating func takeRows(
        _ body: UnsafeRawBufferPointer,
        _ row: (StoreTable, UnsafeRawBufferPointer, UnsafeRawBufferPointer) throws -> Void
    ) throws {
        guard body.count >= 8, body.littleEndian(UInt64.self, at: 0) == pieces else {
            throw CheckpointError(.damaged, "a checkpoint with a piece out of place")
        }
        pieces += 1
        var offset = 8
        while offset < body.count {
            let left = body.count - offset - Self.rowHeaderBytes
            guard left >= 0 else { throw Self.unreadable }
            let keyBytes = Int(body.littleEndian(UInt32.self, at: offset + 1))
            let valueBytes = Int(body.littleEndian(UInt32.self, at: offset + 5))
            guard keyBytes > 0, keyBytes <= left, valueBytes <= left - keyBytes else { throw Self.unreadable }
            let start = offset + Self.rowHeaderBytes
            let key = UnsafeRawBufferPointer(rebasing: body[start..<start + keyBytes])
            let end = start + keyBytes + valueBytes
            let table = try place(number: body[offset], key)
            try row(table, key, UnsafeRawBufferPointer(rebasing: body[start + keyBytes..<end]))
            rows += 1
            offset = end
        }
    }

    private static let rowHeaderBytes = 9

    /// The table of the next row, which has to come after all before it: a store appends what it is given.
    private mutating func place(number: UInt8, _ key: UnsafeRawBufferPointer) throws -> StoreTable {
        guard let index = tables.firstIndex(where: { $0.number == number }), index >= tableIndex else {
            throw Self.unreadable
        }
        if index > tableIndex {
            tableIndex = index
        } else if !lastKey.isEmpty, lastKey.withUnsafeBytes({ compareBytes($0, key) }) >= 0 {
            throw CheckpointError(.damaged, "a checkpoint whose rows are out of order")
        }
        lastKey.replaceSubrange(0..., with: key)
        return tables[index].table
    }

    private static var unreadable: CheckpointError {
        CheckpointError(.damaged, "a checkpoint with rows that cannot be read")
    }
}
