import Glibc

/// Holds an answer's message against what was asked, field by field of etcd's `rpc.proto` and `kv.proto`.
struct Answer {
    /// The one key that a range must find, with its digits; the name alone where there is one key.
    private var key: [UInt8]
    private let digits: Range<Int>
    private let valueBytes: Int

    init(_ options: Options) {
        let width = options.keys > 1 ? Request.digitsOfKey : 0
        key = Array(options.key.utf8) + Array(repeating: UInt8(ascii: "0"), count: width)
        digits = key.count - width..<key.count
        valueBytes = options.valueBytes
    }

    /// Throws unless these are one whole gRPC message that says what was asked for.
    mutating func check(_ bytes: UnsafeRawBufferPointer, _ operation: Request.Operation, key number: Int)
        throws(Failure)
    {
        guard bytes.count >= 5, bytes[0] == 0, Int(bytes.word(1)) == bytes.count - 5 else {
            throw Failure("an answer of \(bytes.count) bytes is not one gRPC message")
        }
        var fields = Fields(bytes: bytes.part(5, bytes.count - 5))
        var hasHeader = false
        var found = 0
        while let field = try fields.next() {
            switch (field.number, operation) {
            case (1, _): hasHeader = true
            case (2, .range):
                found += 1
                Request.write(number, digits: digits, of: &key)
                try check(keyValue: field.content)
            default: break
            }
        }
        guard hasHeader else { throw Failure("an answer has no header") }
        guard operation == .put || found == 1 else { throw Failure("a range of one key found \(found)") }
    }

    private func check(keyValue: UnsafeRawBufferPointer) throws(Failure) {
        var fields = Fields(bytes: keyValue)
        var value = 0
        var isAsked = false
        while let field = try fields.next() {
            if field.number == 1 {
                isAsked =
                    field.content.count == key.count
                    && key.withUnsafeBytes { memcmp($0.baseAddress!, field.content.baseAddress!, $0.count) }
                        == 0
            }
            if field.number == 5 { value = field.content.count }
        }
        guard isAsked else { throw Failure("a range found another key than it asked for") }
        guard value == valueBytes else {
            throw Failure("a range found a value of \(value) bytes, not \(valueBytes)")
        }
    }

    /// The fields of one protobuf message.
    private struct Fields {
        let bytes: UnsafeRawBufferPointer
        var position = 0

        /// Content is empty for a number, which nothing here looks at.
        mutating func next() throws(Failure) -> (number: Int, content: UnsafeRawBufferPointer)? {
            guard position < bytes.count else { return nil }
            let tag = try varint()
            switch tag & 7 {
            case 0: _ = try varint()
            case 2:
                let length = try varint()
                guard length >= 0, length <= bytes.count - position else {
                    throw Failure("an answer breaks off")
                }
                defer { position += length }
                return (tag >> 3, bytes.part(position, length))
            default: throw Failure("an answer holds a field of kind \(tag & 7)")
            }
            return (tag >> 3, .init(start: nil, count: 0))
        }

        private mutating func varint() throws(Failure) -> Int {
            var value: UInt64 = 0
            for shift in stride(from: UInt64(0), through: 63, by: 7) {
                guard position < bytes.count else { throw Failure("an answer breaks off") }
                let byte = bytes[position]
                position += 1
                value |= UInt64(byte & 0x7F) << shift
                if byte & 0x80 == 0 { return Int(truncatingIfNeeded: value) }
            }
            throw Failure("an answer holds a number without end")
        }
    }
}
