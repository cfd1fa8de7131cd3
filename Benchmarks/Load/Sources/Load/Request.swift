/// The bytes of one kind of request, of which only the key's digits and the stream differ from one to the next.
struct Request {
    enum Operation: String {
        case put = "Put"
        case range = "Range"
    }

    /// The HEADERS frame; it refers to nothing but the static table, so that it is the same on every stream.
    private(set) var headers: [UInt8]
    /// The gRPC message with its prefix of five bytes.
    private(set) var payload: [UInt8]
    private let digits: Range<Int>

    static let digitsOfKey = 8
    /// Where a HEADERS or DATA frame names its stream.
    static let streamOffset = 5

    init(_ operation: Operation, _ options: Options) {
        let width = options.keys > 1 ? Self.digitsOfKey : 0
        let key = Array(options.key.utf8) + Array(repeating: UInt8(ascii: "0"), count: width)
        let keyField = Self.field(1, key)
        var message = keyField
        if operation == .put {
            message += Self.field(2, Array(repeating: UInt8(ascii: "v"), count: options.valueBytes))
        }
        payload = [0] + Frame.bytes(UInt32(message.count)) + message
        let keyEnd = payload.count - message.count + keyField.count
        digits = keyEnd - width..<keyEnd

        // Entries 3 and 6 of the static table as they are; names 1, 4 and 31 of it with values of our own.
        let block =
            [0x83, 0x86] + [0x01] + Self.string("\(options.host):\(options.port)")
            + [0x04] + Self.string("/etcdserverpb.KV/\(operation.rawValue)")
            + [0x0F, 31 - 15] + Self.string("application/grpc") + [0x00] + Self.string("te")
            + Self.string("trailers")
        headers = Frame.head(.headers, flags: Frame.endHeaders, length: block.count) + block
    }

    mutating func set(stream: UInt32) {
        headers.withUnsafeMutableBytes {
            $0.storeBytes(of: stream.bigEndian, toByteOffset: Self.streamOffset, as: UInt32.self)
        }
    }

    mutating func set(key: Int) {
        Self.write(key, digits: digits, of: &payload)
    }

    /// A number in decimal, with zeros in front.
    static func write(_ number: Int, digits: Range<Int>, of bytes: inout [UInt8]) {
        var rest = number
        for place in digits.reversed() {
            bytes[place] = UInt8(ascii: "0") + UInt8(rest % 10)
            rest /= 10
        }
    }

    /// A length-delimited protobuf field.
    private static func field(_ number: Int, _ content: [UInt8]) -> [UInt8] {
        var size: [UInt8] = []
        var length = content.count
        while length > 0x7F {
            size.append(UInt8(length & 0x7F | 0x80))
            length >>= 7
        }
        return [UInt8(number << 3 | 2)] + size + [UInt8(length)] + content
    }

    /// An HPACK string as it is, of fewer than 127 bytes.
    private static func string(_ text: String) -> [UInt8] { [UInt8(text.utf8.count)] + Array(text.utf8) }
}
