import Automata

/// Reads a checkpoint that comes as one stream of bytes, cut anywhere: a file, or a simulated disk's. It holds the
/// bytes of one piece at most.
public struct CheckpointStream {
    public private(set) var contents: CheckpointReader
    /// Bytes that are not taken begin at `start`.
    private var buffer: [UInt8] = []
    private var start = 0
    private var hash = StableHash()

    /// As a store's keys and values are limited, so is a piece.
    private static let largestPiece = 1 << 30

    /// `families`: what this program has.
    public init(families: [any Space.Type] = Ledger.families) {
        contents = CheckpointReader(families: families)
    }

    /// What tells this checkpoint from every other, once it is complete: it is made of the checks of its pieces.
    public var digest: UInt64 { hash.value.low }

    /// Takes the next bytes, and calls `take` for each piece that is complete with them; it is to give the piece to
    /// the reader. Throws `CheckpointError`, and what `take` throws.
    public mutating func receive(
        _ bytes: UnsafeRawBufferPointer,
        _ take: (inout CheckpointReader, CheckpointPiece.Kind, UnsafeRawBufferPointer) throws -> Void
    ) throws {
        if start == buffer.count {
            buffer.removeAll(keepingCapacity: true)
        } else {
            buffer.removeSubrange(..<start)
        }
        start = 0
        buffer.append(contentsOf: bytes)
        while try takePiece(take) {}
    }

    /// Only verifies them.
    public mutating func verify(_ bytes: UnsafeRawBufferPointer) throws {
        try receive(bytes) { reader, kind, body in try reader.take(kind, body) { _, _, _ in } }
    }

    /// Puts them into a store, whose tables were empty before the first.
    public mutating func receive(_ bytes: UnsafeRawBufferPointer, into store: some OrderedStore) throws {
        try receive(bytes) { reader, kind, body in try reader.take(kind, body, into: store) }
    }

    /// There are no more bytes. Throws `CheckpointError` when there should be.
    public func expectEnd() throws {
        if contents.isComplete, start == buffer.count { return }
        guard contents.head != nil || !buffer.isEmpty else {
            throw CheckpointError(.torn, "empty, and no checkpoint")
        }
        guard contents.isComplete else {
            throw CheckpointError(
                .torn,
                "a checkpoint that ends before its end, after \(contents.rows) rows: the rest of it was lost"
            )
        }
        throw CheckpointError(.damaged, "a checkpoint that goes on after its end")
    }

    private mutating func takePiece(
        _ take: (inout CheckpointReader, CheckpointPiece.Kind, UnsafeRawBufferPointer) throws -> Void
    ) throws -> Bool {
        try buffer.withUnsafeBytes { buffer in
            let rest = UnsafeRawBufferPointer(rebasing: buffer[start...])
            guard rest.count >= CheckpointPiece.envelopeBytes else { return false }
            let length = Int(rest.littleEndian(UInt32.self, at: 0))
            let lengthCheck = CRC32C.check(UnsafeRawBufferPointer(rebasing: rest[..<4]))
            guard lengthCheck == rest.littleEndian(UInt32.self, at: 4), 1...Self.largestPiece ~= length else {
                throw contents.head == nil
                    ? CheckpointError(.foreign, "no checkpoint of synod")
                    : CheckpointError(.damaged, "a checkpoint whose bytes are not what was written")
            }
            let end = CheckpointPiece.envelopeBytes + length
            guard rest.count >= end else { return false }
            let covered = UnsafeRawBufferPointer(rebasing: rest[CheckpointPiece.envelopeBytes..<end])
            let check = CRC32C.check(covered)
            guard check == rest.littleEndian(UInt32.self, at: 8) else {
                throw CheckpointError(.damaged, "a checkpoint whose bytes are not what was written")
            }
            guard let kind = CheckpointPiece.Kind(rawValue: covered[0]) else {
                throw CheckpointError(
                    .unknown,
                    "a checkpoint with a piece of kind \(covered[0]), which this program does not know"
                )
            }
            hash.combine(UInt64(check) << 32 | UInt64(length))
            try take(&contents, kind, UnsafeRawBufferPointer(rebasing: covered[1...]))
            start += end
            return true
        }
    }
}
