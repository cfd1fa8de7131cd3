import Automata
import NIOCore

// What peers say to each other on a connection is a sequence of frames:
//
//     length (4 bytes)   CRC32C (4)   kind (1)   body (length - 1)
//
// Numbers are little-endian; `length` counts kind and body, the checksum covers them. A frame that breaks
// these rules ends the connection: nothing after it can be trusted.

enum PeerFrameKind: UInt8, Sendable {
    case greeting = 1
    case greetingAnswer = 2
    /// One `ReplicaMessage`.
    case replica = 3
    /// One `PeerRequest` or `PeerAnswer`.
    case request = 4
    case answer = 5
    case checkpointHead = 6
    case checkpointRows = 7
    case checkpointEnd = 8
    case checkpointAnswer = 9
    /// Says that its sender is there; without a body.
    case alive = 10
    /// Without a body: the sender has led and stops, and wants to know when nothing more comes to it to be
    /// proposed; and that this is so.
    case farewell = 11
    case farewellAnswer = 12
}

/// How a peer broke the protocol.
struct PeerProtocolError: Error, CustomStringConvertible {
    var description: String
    init(_ description: String) { self.description = description }
}

enum PeerFrame {
    static let headerBytes = 9

    static let alive = encoded(.alive) { _ in }

    /// Replaces `frame` by a frame of this kind whose body `write` appends.
    @inline(__always)
    static func encode(
        _ kind: PeerFrameKind, into frame: inout [UInt8], _ write: (inout [UInt8]) -> Void
    ) {
        frame.removeAll(keepingCapacity: true)
        for _ in 0..<8 { frame.append(0) }
        frame.append(kind.rawValue)
        write(&frame)
        frame.withUnsafeMutableBytes { bytes in
            let covered = UnsafeRawBufferPointer(rebasing: bytes[8...])
            bytes.storeBytes(of: UInt32(covered.count).littleEndian, toByteOffset: 0, as: UInt32.self)
            bytes.storeBytes(of: CRC32C.check(covered).littleEndian, toByteOffset: 4, as: UInt32.self)
        }
    }

    static func encoded(_ kind: PeerFrameKind, _ write: (inout [UInt8]) -> Void) -> [UInt8] {
        var frame: [UInt8] = []
        encode(kind, into: &frame, write)
        return frame
    }
}

/// Cuts a stream of bytes into frames.
struct PeerFrameReader {
    private var buffer: ByteBuffer? = nil
    mutating func receive(_ bytes: ByteBuffer) {
        if buffer == nil || buffer!.readableBytes == 0 {
            buffer = bytes
        } else {
            buffer!.writeImmutableBuffer(bytes)
        }
    }

    /// Hands the next whole frame to `body`; false when there is none yet. Throws `PeerProtocolError`, also for
    /// a frame whose kind and body are longer than `limit`.
    mutating func next(
        limit: Int, _ body: (PeerFrameKind, UnsafeRawBufferPointer) throws -> Void
    ) throws -> Bool {
        guard var bytes = buffer else { return false }
        guard bytes.readableBytes >= 8,
            let length: UInt32 = bytes.getInteger(at: bytes.readerIndex, endianness: .little),
            let checksum: UInt32 = bytes.getInteger(at: bytes.readerIndex + 4, endianness: .little)
        else { return false }
        guard length >= 1, length <= limit else {
            throw PeerProtocolError("a frame of \(length) bytes where at most \(limit) are allowed")
        }
        guard bytes.readableBytes >= 8 + Int(length) else {
            // Grow once instead of with every read.
            if buffer!.writableBytes < 8 + Int(length) - bytes.readableBytes {
                buffer = nil
                bytes.discardReadBytes()
                bytes.reserveCapacity(minimumWritableBytes: min(8 + Int(length), 1 << 20))
                buffer = bytes
            }
            return false
        }
        bytes.moveReaderIndex(forwardBy: 8)
        defer {
            bytes.moveReaderIndex(forwardBy: Int(length))
            buffer = bytes
        }
        try bytes.withUnsafeReadableBytes { readable in
            let covered = UnsafeRawBufferPointer(rebasing: readable[..<Int(length)])
            guard CRC32C.check(covered) == checksum else {
                throw PeerProtocolError("a frame whose checksum does not match")
            }
            guard let kind = PeerFrameKind(rawValue: covered[0]) else {
                throw PeerProtocolError("a frame of unknown kind \(covered[0])")
            }
            try body(kind, UnsafeRawBufferPointer(rebasing: covered[1...]))
        }
        return true
    }
}

// MARK: What is in a body

/// Reads little-endian numbers and counted bytes.
typealias PeerBodyReader = ByteReader<PeerProtocolError>

extension PeerProtocolError: ByteReadingError {
    static let truncated = PeerProtocolError("a body that ends too early")
    static let malformed = PeerProtocolError("a body with a number that no peer writes")

    static func trailingBytes(_ count: Int) -> PeerProtocolError {
        PeerProtocolError("a body with \(count) bytes too many")
    }
}

extension PeerBodyReader {
    /// A count of 4 bytes and that many bytes.
    mutating func counted() throws(PeerProtocolError) -> [UInt8] {
        try string(of: UInt64(try littleEndian(UInt32.self)))
    }
}

extension [UInt8] {
    mutating func appendCounted(_ bytes: [UInt8]) {
        appendLittleEndian(UInt32(bytes.count))
        append(contentsOf: bytes)
    }
}
