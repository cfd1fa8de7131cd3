/// Writes a message into a buffer that is used again for the next one.
///
/// Fields with the value that absence means are left out, as proto3 does.
struct ProtobufWriter {
    private(set) var bytes: [UInt8] = []

    mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

    /// What was written, with its memory.
    mutating func takeBytes() -> [UInt8] {
        defer { bytes = [] }
        return bytes
    }

    /// Gives back the memory of an unusually large message.
    mutating func trim(to limit: Int) {
        if bytes.capacity > limit { bytes = [] }
    }

    mutating func uint64(_ value: UInt64, field: Int) {
        guard value != 0 else { return }
        tag(field, .varint)
        varint(value)
    }

    mutating func int64(_ value: Int64, field: Int) { uint64(UInt64(bitPattern: value), field: field) }

    mutating func bool(_ value: Bool, field: Int) {
        guard value else { return }
        tag(field, .varint)
        bytes.append(1)
    }

    mutating func bytes(_ value: [UInt8], field: Int) {
        guard !value.isEmpty else { return }
        element(value, field: field)
    }

    mutating func bytes(_ value: ArraySlice<UInt8>, field: Int) {
        guard !value.isEmpty else { return }
        tag(field, .bytes)
        varint(UInt64(value.count))
        bytes.append(contentsOf: value)
    }

    /// An element of a repeated field, which stands even when it is empty.
    mutating func element(_ value: [UInt8], field: Int) {
        tag(field, .bytes)
        varint(UInt64(value.count))
        bytes.append(contentsOf: value)
    }

    mutating func string(_ value: String, field: Int) {
        guard !value.isEmpty else { return }
        tag(field, .bytes)
        varint(UInt64(value.utf8.count))
        bytes.append(contentsOf: value.utf8)
    }

    /// Fields that somebody wrote before.
    mutating func append(_ encoded: [UInt8]) { bytes.append(contentsOf: encoded) }

    mutating func append(_ encoded: ArraySlice<UInt8>) { bytes.append(contentsOf: encoded) }

    /// A message within the message. Its length is known only when `body` has written it, so room for as
    /// many bytes as `expected` would need is left for it, and the body moved when it needs more or less.
    mutating func message(field: Int, expected: Int = 0, _ body: (inout ProtobufWriter) -> Void) {
        tag(field, .bytes)
        let lengthAt = bytes.count
        let reserved = Self.varintLength(UInt64(expected))
        for _ in 0..<reserved { bytes.append(0) }
        let start = bytes.count
        body(&self)
        let length = UInt64(bytes.count - start)
        let needed = Self.varintLength(length)
        if needed > reserved {
            bytes.insert(contentsOf: repeatElement(0, count: needed - reserved), at: start)
        } else if needed < reserved {
            bytes.removeSubrange(lengthAt..<lengthAt + reserved - needed)
        }
        var rest = length
        for position in lengthAt..<lengthAt + needed {
            bytes[position] =
                UInt8(truncatingIfNeeded: rest & 0x7f) | (position == lengthAt + needed - 1 ? 0 : 0x80)
            rest >>= 7
        }
    }

    /// What stands before a message within the message whose length is known.
    mutating func lengthField(_ field: Int, count: Int) {
        tag(field, .bytes)
        varint(UInt64(count))
    }

    /// How many bytes that is; the field's number is below 16.
    static func lengthFieldBytes(field: Int, count: Int) -> Int { 1 + varintLength(UInt64(count)) }

    static func varintLength(_ value: UInt64) -> Int { (64 - (value | 1).leadingZeroBitCount + 6) / 7 }

    private mutating func tag(_ field: Int, _ type: ProtobufWireType) {
        varint(UInt64(field) << 3 | UInt64(type.rawValue))
    }

    private mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }
}
