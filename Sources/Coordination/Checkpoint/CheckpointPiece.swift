import Automata

// A checkpoint is a head, rows in pieces, and an end:
//
//     head     see `CheckpointHead`
//     rows …   number of the piece (8), then rows: table (1), length of key (4), length of value (4), key, value;
//              in the order of the head's tables and within each of the keys
//     end      how many pieces of rows (8) and how many rows (8) there were
//
// Numbers are little-endian. Between members a piece is the body of a frame of the peer protocol, which has a check of
// its own. In a file, or where else a checkpoint is one stream of bytes, each stands in an envelope:
//
//     length of kind and body (4), check of the length (4), check of kind and body (4), kind (1), body

/// One piece of a checkpoint.
public struct CheckpointPiece: Hashable, Sendable {
    public enum Kind: UInt8, Sendable {
        case head = 1
        case rows, end
    }

    public var kind: Kind
    public var body: [UInt8]

    public init(_ kind: Kind, _ body: [UInt8]) {
        self.kind = kind
        self.body = body
    }

    static let envelopeBytes = 12

    /// As it stands in a stream of bytes. The check of the length lets a reader tell a wrong length from a long piece
    /// before it has gathered that much.
    public var enveloped: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.envelopeBytes + 1 + body.count)
        bytes.appendLittleEndian(UInt32(1 + body.count))
        bytes.appendLittleEndian(CRC32C.check(bytes))
        bytes.appendLittleEndian(CRC32C.check(body, continuing: CRC32C.check([kind.rawValue])))
        bytes.append(kind.rawValue)
        bytes += body
        return bytes
    }
}
