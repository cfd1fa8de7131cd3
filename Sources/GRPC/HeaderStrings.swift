import CNghttp2

/// Header fields as strings, each made once.
///
/// HPACK sends a repeated field as an index into a table whose entries nghttp2 shares by reference, so the
/// same pointer means the same bytes for as long as it is held. One small table per connection, where a
/// newcomer evicts whoever has its place, makes a repeated path or token cost a look instead of a copy.
struct HeaderStrings: ~Copyable {
    private var held: [(buffer: OpaquePointer?, text: String)]

    private static let places = 64
    private static let longestHeld = 1024

    init() { held = Array(repeating: (nil, ""), count: Self.places) }

    deinit {
        for (buffer, _) in held {
            if let buffer { nghttp2_rcbuf_decref(buffer) }
        }
    }

    mutating func string(_ buffer: OpaquePointer) -> String {
        let address = UInt(bitPattern: buffer)
        let place = Int((address >> 4 ^ address >> 10) & UInt(Self.places - 1))
        if held[place].buffer == buffer { return held[place].text }
        let bytes = Self.bytes(buffer)
        let text = Self.copy(bytes)
        if bytes.count <= Self.longestHeld {
            if let old = held[place].buffer { nghttp2_rcbuf_decref(old) }
            nghttp2_rcbuf_incref(buffer)
            held[place] = (buffer, text)
        }
        return text
    }

    static func bytes(_ buffer: OpaquePointer) -> UnsafeBufferPointer<UInt8> {
        let vector = nghttp2_rcbuf_get_buf(buffer)
        return UnsafeBufferPointer(start: vector.base, count: vector.len)
    }

    static func copy(_ bytes: UnsafeBufferPointer<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }
}
