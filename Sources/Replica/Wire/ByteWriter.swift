/// Appends the forms that `ByteReader` reads.
extension [UInt8] {
    mutating func write(byte: UInt8) { append(byte) }

    mutating func write(fixed value: UInt64) {
        Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
    }

    mutating func write(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(truncatingIfNeeded: rest))
    }

    mutating func write(count: Int) { write(UInt64(count)) }
    mutating func write(flag: Bool) { append(flag ? 1 : 0) }

    mutating func write(byteString: [UInt8]) {
        write(count: byteString.count)
        append(contentsOf: byteString)
    }
}
