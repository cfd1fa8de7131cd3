/// The fields of an answer's headers or trailers that say how it went (HPACK, RFC 7541).
///
/// The connection allows the server no dynamic table, so that a block stands for itself.
struct HeaderBlock {
    private(set) var httpStatus: String?
    private(set) var grpcStatus: String?
    private(set) var grpcMessage: String?

    init(_ bytes: UnsafeRawBufferPointer) throws(Failure) {
        var reader = Reader(bytes: bytes)
        while let first = reader.peek() {
            if first & 0x80 != 0 {
                note(
                    try Self.name(ofStatic: reader.integer(bits: 7)),
                    Self.statuses[Int(first & 0x7F)] ?? "")
            } else if first & 0xE0 == 0x20 {
                if try reader.integer(bits: 5) != 0 {
                    throw Failure("the server keeps a table of headers that it was asked not to keep")
                }
            } else {
                let index = try reader.integer(bits: first & 0x40 != 0 ? 6 : 4)
                let name = try index == 0 ? reader.string() : Self.name(ofStatic: index)
                note(name, try reader.string())
            }
        }
    }

    private mutating func note(_ name: String, _ value: String) {
        switch name {
        case ":status": httpStatus = value
        case "grpc-status": grpcStatus = value
        case "grpc-message": grpcMessage = value
        default: break
        }
    }

    /// Of the static table only the names that matter here, and one for all others.
    private static func name(ofStatic index: Int) throws(Failure) -> String {
        guard (1...61).contains(index) else {
            throw Failure(
                "an answer's headers name entry \(index) of a table that the server was asked not to keep")
        }
        return statuses[index] == nil ? "" : ":status"
    }

    private static let statuses = [
        8: "200", 9: "204", 10: "206", 11: "304", 12: "400", 13: "404", 14: "500",
    ]

    /// Integers and strings, by RFC 7541, section 5.
    private struct Reader {
        let bytes: UnsafeRawBufferPointer
        var position = 0

        func peek() -> UInt8? { position < bytes.count ? bytes[position] : nil }

        mutating func next() throws(Failure) -> UInt8 {
            guard let byte = peek() else { throw Failure("an answer's headers break off") }
            position += 1
            return byte
        }

        mutating func integer(bits: Int) throws(Failure) -> Int {
            let limit = 1 << bits - 1
            var value = Int(try next()) & limit
            guard value == limit else { return value }
            for shift in stride(from: 0, through: 21, by: 7) {
                let byte = try next()
                value += Int(byte & 0x7F) << shift
                if byte & 0x80 == 0 { return value }
            }
            throw Failure("an answer's headers hold a number without end")
        }

        mutating func string() throws(Failure) -> String {
            let isCoded = (peek() ?? 0) & 0x80 != 0
            let length = try integer(bits: 7)
            guard bytes.count - position >= length else { throw Failure("an answer's headers break off") }
            let text = bytes.part(position, length)
            position += length
            return isCoded ? try Huffman.decode(text) : String(decoding: text, as: UTF8.self)
        }
    }
}
