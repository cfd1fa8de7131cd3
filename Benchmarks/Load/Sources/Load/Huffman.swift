/// HPACK's code for strings (RFC 7541, appendix B), as far as printable text needs it.
///
/// The code is canonical: codes of one length count upwards in the order of their symbols, and the first of a length
/// follows the last of the length before. So the symbols of each length are all there is to know.
enum Huffman {
    private static let symbols: [(length: Int, of: String)] = [
        (5, "012aceiost"), (6, " %-./3456789=A_bdfghlmnpru"), (7, ":BCDEFGHIJKLMNOPQRSTUVWYjkqvwxyz"),
        (8, "&*,;XZ"), (10, "!\"()?"), (11, "'+|"), (12, "#>"), (13, "\0$@[]~"), (14, "^}"), (15, "<`{"),
    ]

    /// By length: the first code, and the symbols from it on.
    private static let codes: [(first: Int, symbols: [UInt8])] = {
        var codes: [(first: Int, symbols: [UInt8])] = Array(repeating: (0, []), count: 16)
        var next = 0
        for length in 1...15 {
            next <<= 1
            let text = symbols.first { $0.length == length }?.of ?? ""
            codes[length] = (next, Array(text.utf8))
            next += text.utf8.count
        }
        return codes
    }()

    static func decode(_ bytes: UnsafeRawBufferPointer) throws(Failure) -> String {
        var text: [UInt8] = []
        var code = 0
        var length = 0
        for byte in bytes {
            for shift in stride(from: 7, through: 0, by: -1) {
                code = code << 1 | Int(byte >> shift) & 1
                length += 1
                guard length < codes.count else {
                    throw Failure("an answer's headers are not printable text")
                }
                let place = code - codes[length].first
                if codes[length].symbols.indices.contains(place) {
                    text.append(codes[length].symbols[place])
                    (code, length) = (0, 0)
                }
            }
        }
        // What is left over fills the last byte with ones.
        guard length < 8, code == 1 << length - 1 else { throw Failure("an answer's headers break off") }
        return String(decoding: text, as: UTF8.self)
    }
}
