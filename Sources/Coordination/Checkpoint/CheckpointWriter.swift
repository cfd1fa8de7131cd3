/// Writes what a view sees as a checkpoint, one piece at a time, as fast as they are asked for. It holds no more than
/// one piece, and a piece holds about `pieceBytes`, and what the last row in it has beyond them.
///
/// Used by one thread at a time. The view has to stay open until the last piece is there.
public struct CheckpointWriter {
    public static let pieceBytes = 256 << 10

    public let head: CheckpointHead
    private let reader: any OrderedReader
    private let isBare: Bool
    private let pieceBytes: Int
    /// Stands at the next row of the first of `tables`; nil before that has been looked for.
    private var cursor: (any OrderedCursor)?
    private var tables = StoreTable.allCases[...]
    private var stage = Stage.head
    private var pieces: UInt64 = 0
    public private(set) var rows: UInt64 = 0

    private enum Stage { case head, rows, over }

    /// - Parameters:
    ///   - receiver: what commands a member understands for which it is meant.
    ///   - isBare: for a member that knows bare heads only.
    public init(
        of reader: any OrderedReader, families: [any Space.Type] = Ledger.families,
        receiver: CommandVersions? = nil, isBare: Bool = false, pieceBytes: Int = CheckpointWriter.pieceBytes
    ) throws {
        head = try CheckpointHead(of: reader, families: families, receiver: receiver)
        self.reader = reader
        self.isBare = isBare
        self.pieceBytes = pieceBytes
    }

    /// Nil after the last one.
    public mutating func next() throws -> CheckpointPiece? {
        switch stage {
        case .head:
            stage = .rows
            return CheckpointPiece(.head, head.encoded(isBare: isBare))
        case .rows:
            if let body = try nextRows() { return CheckpointPiece(.rows, body) }
            stage = .over
            var body: [UInt8] = []
            body.appendLittleEndian(pieces)
            body.appendLittleEndian(rows)
            return CheckpointPiece(.end, body)
        case .over: return nil
        }
    }

    /// The body of the next piece of rows; nil when no row is left.
    private mutating func nextRows() throws -> [UInt8]? {
        var body: [UInt8] = []
        body.appendLittleEndian(pieces)
        let empty = body.count
        while let table = tables.first, body.count - empty < pieceBytes {
            let cursor: any OrderedCursor
            var stands = true
            if let begun = self.cursor {
                cursor = begun
            } else {
                cursor = try reader.cursor(in: table)
                stands = try cursor.seekToFirst()
            }
            while stands, body.count - empty < pieceBytes {
                Self.append(table, cursor.key, cursor.value, to: &body)
                rows += 1
                stands = try cursor.next()
            }
            self.cursor = stands ? cursor : nil
            if !stands { tables = tables.dropFirst() }
        }
        guard body.count > empty else { return nil }
        pieces += 1
        return body
    }

    private static func append(
        _ table: StoreTable, _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer,
        to bytes: inout [UInt8]
    ) {
        bytes.append(table.rawValue)
        bytes.appendLittleEndian(UInt32(key.count))
        bytes.appendLittleEndian(UInt32(value.count))
        bytes.append(contentsOf: key)
        bytes.append(contentsOf: value)
    }
}
