/// The 32-bit cyclic redundancy check with Castagnoli's polynomial (RFC 3720, appendix B.4), which guards
/// everything that is kept on a disk or sent as a stream.
///
/// It finds every burst of up to 32 wrong bits. Two equal inputs that start from different seeds never give
/// the same result.
public struct CRC32C: Hashable, Sendable {
    @usableFromInline var state: UInt32

    /// The check of everything taken in so far.
    @inlinable public var value: UInt32 { ~state }

    /// Starts after bytes whose check is `value`; 0 stands for no bytes.
    @inlinable public init(continuing value: UInt32 = 0) { state = ~value }

    /// The check of `bytes`, as the continuation of bytes whose check is `value`.
    @inlinable public static func check(_ bytes: UnsafeRawBufferPointer, continuing value: UInt32 = 0)
        -> UInt32
    {
        var check = CRC32C(continuing: value)
        check.update(bytes)
        return check.value
    }

    @inlinable public static func check(_ bytes: [UInt8], continuing value: UInt32 = 0) -> UInt32 {
        bytes.withUnsafeBytes { check($0, continuing: value) }
    }

    /// Takes in `bytes`, eight at a time (slicing-by-8: eight tables of 256 entries, looked up independently).
    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        guard var at = bytes.baseAddress else { return }
        let table = Self.table
        var remaining = bytes.count
        var crc = state
        while remaining >= 8 {
            let low = UInt32(littleEndian: at.loadUnaligned(as: UInt32.self)) ^ crc
            let high = UInt32(littleEndian: at.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
            let first = table[1792 &+ Int(low & 255)] ^ table[1536 &+ Int((low &>> 8) & 255)]
            let second = table[1280 &+ Int((low &>> 16) & 255)] ^ table[1024 &+ Int(low &>> 24)]
            let third = table[768 &+ Int(high & 255)] ^ table[512 &+ Int((high &>> 8) & 255)]
            let fourth = table[256 &+ Int((high &>> 16) & 255)] ^ table[Int(high &>> 24)]
            crc = (first ^ second) ^ (third ^ fourth)
            at += 8
            remaining &-= 8
        }
        while remaining > 0 {
            crc = table[Int((crc ^ UInt32(at.load(as: UInt8.self))) & 255)] ^ (crc &>> 8)
            at += 1
            remaining &-= 1
        }
        state = crc
    }

    /// Entry `256 * k + b` is what byte `b` contributes when `k` more bytes follow it. Made once, never freed.
    private nonisolated(unsafe) static let table: UnsafePointer<UInt32> = {
        let table = UnsafeMutablePointer<UInt32>.allocate(capacity: 8 * 256)
        for byte in 0..<256 {
            var crc = UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? (crc >> 1) ^ 0x82F6_3B78 : crc >> 1 }
            table[byte] = crc
        }
        for entry in 256..<2048 {
            let before = table[entry - 256]
            table[entry] = table[Int(before & 255)] ^ (before >> 8)
        }
        return UnsafePointer(table)
    }()
}
