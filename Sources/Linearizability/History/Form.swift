/// A value as EDN or JSON writes it. What both write differently, such as a keyword and a string, is the same here.
indirect enum Form: Hashable, Sendable {
    /// `nil`, `null`.
    case none
    /// A number, a symbol, a keyword without its colon.
    case word(String)
    case quoted(String)
    /// A vector, list, set or array.
    case list([Form])
    /// With a name and a value alternating.
    case map([Form])

    /// Nil for the absence of a value; a list in brackets, with what would not be one word in it in quotes.
    var text: String? {
        switch self {
        case .none: nil
        case .word(let text), .quoted(let text): text
        case .list(let parts): "[" + parts.map(\.part).joined(separator: " ") + "]"
        case .map(let parts): "{" + parts.map(\.part).joined(separator: " ") + "}"
        }
    }

    private var part: String {
        if case .quoted(let text) = self,
            text.isEmpty || text == "nil" || text == "null" || text.utf8.contains(where: FormReader.endsWord)
        {
            return "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
        }
        return text ?? "nil"
    }

    /// The values in the text of a list; nil where it is none.
    static func parts(of text: String) -> [String?]? {
        var reader = FormReader(text)
        guard case .list(let parts)? = try? reader.form() else { return nil }
        return parts.map(\.text)
    }
}

/// Reads forms one after another from the bytes of a text: EDN and JSON, of which neither uses what means something
/// else in the other. Commas are blanks. Tags such as `#jepsen.history.Op` and metadata say nothing that is needed
/// here, and are passed over.
struct FormReader {
    static let deepest = 64

    private let bytes: [UInt8]
    private(set) var place = 0
    /// Of the next byte, from 1.
    private(set) var line = 1

    init(_ text: String) {
        bytes = Array(text.utf8)
        // A mark of the order of bytes says nothing about UTF-8.
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { place = 3 }
    }

    var isAtEnd: Bool { place >= bytes.count }

    static func endsWord(_ byte: UInt8) -> Bool {
        isBlank(byte) || byte < 0x20 || "\"()[]{};".utf8.contains(byte)
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == 0x20 || (0x09...0x0D).contains(byte) || byte == UInt8(ascii: ",")
    }

    private var next: UInt8? { place < bytes.count ? bytes[place] : nil }

    private mutating func take() -> UInt8? {
        guard let byte = next else { return nil }
        place += 1
        if byte == 0x0A { line += 1 }
        return byte
    }

    private func fault(_ message: String, at line: Int? = nil) -> HistoryError {
        HistoryError(line: line ?? self.line, message)
    }

    /// Passes over what stands between forms.
    mutating func skipBlanks() {
        while let byte = next, Self.isBlank(byte) { _ = take() }
    }

    /// The rest of the line, without its end.
    mutating func restOfLine() -> String {
        let start = place
        while let byte = next, byte != 0x0A { place += 1 }
        var end = place
        while end > start, bytes[end - 1] == 0x0D { end -= 1 }
        _ = take()
        return String(decoding: bytes[start..<end], as: UTF8.self)
    }

    /// Whether a value with a tag stands here, such as `#jepsen.history.Op{…}`, that begins with one of `brackets`,
    /// rather than a word or comment that begins with `#`.
    func isAtTag(of brackets: String) -> Bool {
        guard next == UInt8(ascii: "#"), place + 1 < bytes.count, !Self.endsWord(bytes[place + 1]) else {
            return false
        }
        var ahead = place + 1
        while ahead < bytes.count, !Self.endsWord(bytes[ahead]) { ahead += 1 }
        while ahead < bytes.count, bytes[ahead] == 0x20 { ahead += 1 }
        return ahead < bytes.count && brackets.utf8.contains(bytes[ahead])
    }

    /// The next byte, where it is a character by itself.
    var first: Character? { next.map { Character(Unicode.Scalar($0)) } }

    /// The next form. Nil at the end, or before a bracket that closes.
    mutating func form(depth: Int = 0) throws -> Form? {
        guard depth < Self.deepest else { throw fault("nested deeper than \(Self.deepest)") }
        while true {
            skipBlanks()
            switch next.map({ Character(Unicode.Scalar($0)) }) {
            case nil, "]", ")", "}": return nil
            case "\"": return .quoted(try quoted())
            case "[": return .list(try collection("]", depth).map(\.form))
            case "(": return .list(try collection(")", depth).map(\.form))
            case "{": return .map(try pairs(depth))
            case ";": _ = restOfLine()
            // JSON's colon between a name and its value, and EDN's before a keyword.
            case ":": place += 1
            case "^" where isBefore("{:"):
                place += 1
                _ = try form(depth: depth + 1)
            case "#" where isBefore("{"):
                place += 1
                return .list(try collection("}", depth).map(\.form))
            case "#" where isBefore("_"):
                place += 2
                _ = try form(depth: depth + 1)
            case "#" where isAtTag(of: "[({\""):
                place += 1
                _ = word(from: place)
            case "\\":
                // A character of EDN, such as \a.
                let start = place + 1
                place += 2
                return .quoted(word(from: min(start, bytes.count)))
            default: return try symbol()
            }
        }
    }

    /// What the next form holds, a list, with the line of each part.
    mutating func parts() throws -> [(line: Int, form: Form)] {
        try collection(next == UInt8(ascii: "(") ? ")" : "]", 0)
    }

    private func isBefore(_ characters: String) -> Bool {
        place + 1 < bytes.count && characters.utf8.contains(bytes[place + 1])
    }

    private mutating func symbol() throws -> Form {
        let text = word(from: place)
        guard !text.isEmpty else { throw fault("byte \(next ?? 0) belongs nowhere") }
        return ["nil", "null"].contains(text) ? .none : .word(text)
    }

    private mutating func word(from start: Int) -> String {
        while let byte = next, !Self.endsWord(byte) { place += 1 }
        place = min(place, bytes.count)
        return String(decoding: bytes[start..<place], as: UTF8.self)
    }

    private mutating func pairs(_ depth: Int) throws -> [Form] {
        let start = line
        let parts = try collection("}", depth)
        guard parts.count % 2 == 0 else { throw fault("a name without a value", at: start) }
        return parts.map(\.form)
    }

    private mutating func collection(_ end: Character, _ depth: Int) throws -> [(line: Int, form: Form)] {
        let start = line
        place += 1
        var parts: [(line: Int, form: Form)] = []
        while true {
            skipBlanks()
            let line = line
            guard let part = try form(depth: depth + 1) else { break }
            parts.append((line, part))
        }
        guard let byte = take() else { throw fault("a \(end) is missing at the end", at: start) }
        guard Character(Unicode.Scalar(byte)) == end else {
            throw fault("\(Character(Unicode.Scalar(byte))) where \(end) is missing")
        }
        return parts
    }

    private mutating func quoted() throws -> String {
        let start = line
        var text: [UInt8] = []
        place += 1
        while let byte = take() {
            if byte == UInt8(ascii: "\"") { return String(decoding: text, as: UTF8.self) }
            guard byte == UInt8(ascii: "\\") else {
                text.append(byte)
                continue
            }
            guard let escaped = take() else { break }
            switch escaped {
            case UInt8(ascii: "n"): text.append(0x0A)
            case UInt8(ascii: "t"): text.append(0x09)
            case UInt8(ascii: "r"): text.append(0x0D)
            case UInt8(ascii: "b"): text.append(0x08)
            case UInt8(ascii: "f"): text.append(0x0C)
            case UInt8(ascii: "u"): text += Array(String(try unicode()).utf8)
            default: text.append(escaped)
            }
        }
        throw fault("a string is not closed", at: start)
    }

    /// A character by number; above U+FFFF in two halves, as JSON writes it.
    private mutating func unicode() throws -> Character {
        let first = try hexadecimal()
        guard (0xD800..<0xDC00).contains(first) else {
            guard let scalar = Unicode.Scalar(first) else { throw fault("half a character") }
            return Character(scalar)
        }
        guard take() == UInt8(ascii: "\\"), take() == UInt8(ascii: "u") else {
            throw fault("half a character")
        }
        let second = try hexadecimal()
        guard (0xDC00..<0xE000).contains(second),
            let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
        else { throw fault("half a character") }
        return Character(scalar)
    }

    private mutating func hexadecimal() throws -> UInt32 {
        let digits = bytes[place..<min(place + 4, bytes.count)]
        let text = String(decoding: digits, as: UTF8.self)
        guard digits.count == 4, !text.hasPrefix("+"), !text.hasPrefix("-"),
            let code = UInt32(text, radix: 16)
        else { throw fault("\\u\(text) is no character") }
        place += 4
        return code
    }
}
