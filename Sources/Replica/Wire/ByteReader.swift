/// Reads numbers from bytes that may be anything. Never reads past the end and never allocates more than
/// what the bytes that are there can justify.
struct ByteReader {
    private let bytes: UnsafeRawBufferPointer
    private var position = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    var remaining: Int { bytes.count - position }

    mutating func byte() throws(WireError) -> UInt8 {
        guard position < bytes.count else { throw .truncated }
        defer { position += 1 }
        return bytes[position]
    }

    /// Eight bytes, the least significant first.
    mutating func fixed() throws(WireError) -> UInt64 {
        guard remaining >= 8 else { throw .truncated }
        defer { position += 8 }
        return UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self))
    }

    /// Seven bits a byte, the least significant first, in the shortest form.
    mutating func number() throws(WireError) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            let next = try byte()
            if shift == 63, next > 1 { throw .malformed }
            value |= UInt64(next & 0x7f) << shift
            if next < 0x80 {
                if next == 0, shift > 0 { throw .malformed }
                return value
            }
            shift += 7
            if shift > 63 { throw .malformed }
        }
    }

    /// A number of things that take at least one byte each.
    mutating func count() throws(WireError) -> Int {
        let value = try number()
        guard value <= UInt64(remaining) else { throw .truncated }
        return Int(value)
    }

    mutating func flag() throws(WireError) -> Bool {
        switch try byte() {
        case 0: false
        case 1: true
        case let tag: throw .unknownTag(tag)
        }
    }

    mutating func byteString() throws(WireError) -> [UInt8] {
        let length = try count()
        defer { position += length }
        return Array(UnsafeRawBufferPointer(rebasing: bytes[position..<position + length]))
    }

    func end() throws(WireError) {
        guard remaining == 0 else { throw .trailingBytes(remaining) }
    }
}
