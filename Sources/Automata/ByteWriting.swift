// The forms that `ByteReader` reads, and numbers at fixed places. Nothing is aligned, and the places are the caller's
// to check.

extension [UInt8] {
    /// The least significant byte first.
    @inlinable
    public mutating func appendLittleEndian<Number: FixedWidthInteger>(_ number: Number) {
        Swift.withUnsafeBytes(of: number.littleEndian) { append(contentsOf: $0) }
    }

    /// The most significant byte first.
    @inlinable
    public mutating func appendBigEndian<Number: FixedWidthInteger>(_ number: Number) {
        Swift.withUnsafeBytes(of: number.bigEndian) { append(contentsOf: $0) }
    }

    /// Seven bits a byte, the least significant first, in the shortest form.
    @inlinable
    public mutating func appendNumber(_ number: UInt64) {
        var rest = number
        while rest >= 0x80 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(truncatingIfNeeded: rest))
    }

    /// With its length as a number in front.
    @inlinable
    public mutating func appendString(_ string: [UInt8]) {
        appendNumber(UInt64(string.count))
        append(contentsOf: string)
    }
}

extension UnsafeRawBufferPointer {
    @inlinable
    public func littleEndian<Number: FixedWidthInteger>(_ type: Number.Type, at offset: Int) -> Number {
        Number(littleEndian: loadUnaligned(fromByteOffset: offset, as: type))
    }

    @inlinable
    public func bigEndian<Number: FixedWidthInteger>(_ type: Number.Type, at offset: Int) -> Number {
        Number(bigEndian: loadUnaligned(fromByteOffset: offset, as: type))
    }
}
