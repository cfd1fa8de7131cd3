import Automata
import Coordination

/// A checkpoint is a stream of chunks that holds every entry of every table in order, apart from how any
/// store lays them out. All numbers are little-endian.
///
///     0   4  length of the payload in bytes
///     4   1  kind: 1 begins, 2 entries, 3 ends
///     5   3  zero
///     8   4  check of the chunk before; 0 in the first
///     12  4  check of bytes 0..<12 and the payload
///     16     payload
///
/// The first chunk's payload is a magic number (8) and a version (4). An entry is its table (1), the lengths of
/// key (4) and value (4), the key and the value; it never spans chunks. The last chunk's payload is the
/// number of entries (8) and of bytes of their keys and values (8). As every check covers the one before it,
/// the last one covers the stream.
enum CheckpointChunk {
    enum Kind: UInt8 {
        case begin = 1
        case entries, end
    }

    static let headerBytes = 16
    static let entryHeaderBytes = 9
    static let magic: UInt64 = 0x504B_4344_4F4E_5953  // "SYNODCKP"
    static let version: UInt32 = 1
    /// A longer payload is neither written nor believed.
    static let maximumPayloadBytes = 256 << 20

    /// Fills in the header of the chunk that `chunk` is, and returns its check.
    static func seal(_ chunk: inout [UInt8], kind: Kind, previous: UInt32) -> UInt32 {
        chunk.withUnsafeMutableBytes { chunk in
            chunk.storeBytes(of: UInt32(chunk.count - headerBytes).littleEndian, as: UInt32.self)
            chunk.storeBytes(of: kind.rawValue, toByteOffset: 4, as: UInt8.self)
            chunk.storeBytes(of: previous.littleEndian, toByteOffset: 8, as: UInt32.self)
            let check = check(UnsafeRawBufferPointer(chunk))
            chunk.storeBytes(of: check.littleEndian, toByteOffset: 12, as: UInt32.self)
            return check
        }
    }

    static func check(_ chunk: UnsafeRawBufferPointer) -> UInt32 {
        CRC32C.check(
            UnsafeRawBufferPointer(rebasing: chunk[headerBytes...]),
            continuing: CRC32C.check(UnsafeRawBufferPointer(rebasing: chunk[..<12])))
    }
}

extension UnsafeRawBufferPointer {
    func little<Number: FixedWidthInteger>(at offset: Int, as type: Number.Type) -> Number {
        Number(littleEndian: loadUnaligned(fromByteOffset: offset, as: type))
    }
}

extension [UInt8] {
    mutating func appendLittle(_ number: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: number.littleEndian) { append(contentsOf: $0) }
    }
}
