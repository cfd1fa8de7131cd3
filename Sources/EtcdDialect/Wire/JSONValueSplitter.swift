/// Cuts a stream of bytes into the JSON values that follow one another in it, without reading what they say.
struct JSONValueSplitter {
    private var value: [UInt8] = []
    private var depth = 0
    private var isInString = false
    private var isEscaped = false

    /// Whether a value has begun and not ended.
    var isInValue: Bool { !value.isEmpty }
    /// Bytes of the value that has not ended.
    var pendingBytes: Int { value.count }

    /// Takes bytes and appends the values that they complete. A bare word or number is complete only at the
    /// next byte that cannot belong to it, or at the end.
    mutating func take(_ bytes: some Sequence<UInt8>, into values: inout [[UInt8]]) {
        for byte in bytes { take(byte, into: &values) }
    }

    /// The stream is at its end: a bare word or number that stood last.
    mutating func takeEnd() -> [UInt8]? {
        guard isInValue, depth == 0, !isInString else { return nil }
        defer { value = [] }
        return value
    }

    private mutating func take(_ byte: UInt8, into values: inout [[UInt8]]) {
        if isInString {
            value.append(byte)
            if isEscaped {
                isEscaped = false
            } else if byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else if byte == UInt8(ascii: "\"") {
                isInString = false
                if depth == 0 { complete(&values) }
            }
            return
        }
        switch byte {
        case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"), UInt8(ascii: "\n"):
            if depth > 0 { value.append(byte) } else if isInValue { complete(&values) }
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            if depth == 0, isInValue { complete(&values) }
            depth += 1
            value.append(byte)
        case UInt8(ascii: "}"), UInt8(ascii: "]"):
            depth -= 1
            value.append(byte)
            if depth <= 0 {
                depth = 0
                complete(&values)
            }
        case UInt8(ascii: "\""):
            if depth == 0, isInValue { complete(&values) }
            isInString = true
            value.append(byte)
        default: value.append(byte)
        }
    }

    private mutating func complete(_ values: inout [[UInt8]]) {
        values.append(value)
        value = []
    }
}
