import Automata

/// The first block of a segment: which segment of which log it is, and what came before it.
///
///     0     8  magic
///     8     4  version of the format
///     16    8  number of the segment
///     24    8  number of its first record, counted from 1 over the whole log
///     32    4  check of the last frame of the segment before; 0 in the first segment
///     36    4  length of the identity
///     40    64 identity of the log, padded with zeros
///     104   8  nonce of this use of the file, never zero; zero in format 1, which had none
///     4092  4  check of everything before
///
/// It fills a page of its own, so that no later write touches what holds it.
struct SegmentHeader: Hashable {
    static let bytes = 4096
    static let maximumIdentityBytes = 64
    private static let magic: UInt64 = 0x474F_4C44_4F4E_5953  // "SYNODLOG"
    private static let format: UInt32 = 2

    var number: UInt64
    var firstRecord: UInt64
    var previousCheck: UInt32
    var identity: [UInt8]
    let layout: FrameLayout
    /// What the first frame chains to.
    private(set) var check: UInt32 = 0

    init(number: UInt64, firstRecord: UInt64, previousCheck: UInt32, identity: [UInt8], layout: FrameLayout) {
        precondition(identity.count <= Self.maximumIdentityBytes, "identity of \(identity.count) bytes")
        precondition(layout != .drawn(nonce: 0), "zeros stand wherever nothing was written")
        self.number = number
        self.firstRecord = firstRecord
        self.previousCheck = previousCheck
        self.identity = identity
        self.layout = layout
    }

    /// Writes the block to `base` and remembers its check.
    mutating func encode(to base: UnsafeMutableRawPointer) {
        base.initializeMemory(as: UInt8.self, repeating: 0, count: Self.bytes)
        base.storeBytes(of: Self.magic.littleEndian, as: UInt64.self)
        let (format, nonce) = formatAndNonce
        base.storeBytes(of: format.littleEndian, toByteOffset: 8, as: UInt32.self)
        base.storeBytes(of: number.littleEndian, toByteOffset: 16, as: UInt64.self)
        base.storeBytes(of: firstRecord.littleEndian, toByteOffset: 24, as: UInt64.self)
        base.storeBytes(of: previousCheck.littleEndian, toByteOffset: 32, as: UInt32.self)
        base.storeBytes(of: UInt32(identity.count).littleEndian, toByteOffset: 36, as: UInt32.self)
        for (offset, byte) in identity.enumerated() {
            base.storeBytes(of: byte, toByteOffset: 40 + offset, as: UInt8.self)
        }
        base.storeBytes(of: nonce.littleEndian, toByteOffset: 104, as: UInt64.self)
        check = CRC32C.check(UnsafeRawBufferPointer(start: base, count: Self.bytes - 4))
        base.storeBytes(of: check.littleEndian, toByteOffset: Self.bytes - 4, as: UInt32.self)
    }

    private var formatAndNonce: (UInt32, UInt64) {
        switch layout {
        case .numbered: (1, 0)
        case .drawn(let nonce): (Self.format, nonce)
        }
    }

    /// Reads the block at the start of `bytes`; throws when it is damaged, or foreign to this program.
    init(_ bytes: UnsafeRawBufferPointer, file: String) throws(WriteAheadLogError) {
        guard bytes.count >= Self.bytes else {
            throw .damaged(file, at: 0, "the header is cut short")
        }
        check = CRC32C.check(UnsafeRawBufferPointer(rebasing: bytes[..<(Self.bytes - 4)]))
        guard bytes.littleEndian(UInt32.self, at: Self.bytes - 4) == check else {
            throw .damaged(file, at: 0, "the header's check is wrong")
        }
        let format = bytes.littleEndian(UInt32.self, at: 8)
        guard bytes.littleEndian(UInt64.self, at: 0) == Self.magic, 1...Self.format ~= format else {
            throw WriteAheadLogError(
                .foreign, "\(file) is not a segment that this version can read (format \(format))")
        }
        number = bytes.littleEndian(UInt64.self, at: 16)
        firstRecord = bytes.littleEndian(UInt64.self, at: 24)
        previousCheck = bytes.littleEndian(UInt32.self, at: 32)
        let count = Int(bytes.littleEndian(UInt32.self, at: 36))
        guard count <= Self.maximumIdentityBytes else {
            throw .damaged(file, at: 36, "the identity's length is \(count)")
        }
        identity = [UInt8](bytes[40..<40 + count])
        layout = format == 1 ? .numbered(number) : .drawn(nonce: bytes.littleEndian(UInt64.self, at: 104))
    }
}
