/// The parts of a line: words, strings in quotes, and what stands in brackets. Commas and colons that only set
/// parts apart are passed over, as are the colons before keywords.
struct HistoryTokens {
    enum Token: Hashable {
        case word(String)
        case quoted(String)

        var text: String {
            switch self {
            case .word(let text), .quoted(let text): text
            }
        }

        /// Nil for the word that means none.
        var value: String? {
            switch self {
            case .word("nil"), .word("null"): nil
            default: text
            }
        }
    }

    private var rest: Substring

    init(_ line: Substring) { rest = line }

    func all() throws -> [Token] {
        var tokens = self
        var all: [Token] = []
        while let token = try tokens.next() { all.append(token) }
        return all
    }

    private mutating func next() throws -> Token? {
        rest = rest.drop { $0.isWhitespace || $0 == "," || $0 == ":" }
        switch rest.first {
        case nil: return nil
        case "\"": return .quoted(try quoted())
        case "[": return .word(try bracketed())
        default:
            let word = rest.prefix { !$0.isWhitespace && $0 != "," && $0 != ":" }
            rest = rest.dropFirst(word.count)
            return .word(String(word))
        }
    }

    private mutating func quoted() throws -> String {
        var text = ""
        rest.removeFirst()
        while let character = rest.popFirst() {
            switch character {
            case "\"": return text
            case "\\":
                guard let escaped = rest.popFirst() else { break }
                switch escaped {
                case "n": text.append("\n")
                case "t": text.append("\t")
                case "r": text.append("\r")
                case "u":
                    let digits = rest.prefix(4)
                    guard digits.count == 4, let code = UInt32(digits, radix: 16),
                        let scalar = Unicode.Scalar(code)
                    else { throw HistoryError(line: nil, "\\u\(digits) is no character") }
                    text.unicodeScalars.append(scalar)
                    rest = rest.dropFirst(4)
                default: text.append(escaped)
                }
            default: text.append(character)
            }
        }
        throw HistoryError(line: nil, "a string is not closed")
    }

    /// `[1 2]` and `[1, 2]` are the same value.
    private mutating func bracketed() throws -> String {
        guard let end = rest.firstIndex(of: "]") else {
            throw HistoryError(line: nil, "a bracket is not closed")
        }
        let inner = rest[rest.index(after: rest.startIndex)..<end]
        rest = rest[rest.index(after: end)...]
        let parts = inner.split { $0.isWhitespace || $0 == "," }
        return "[" + parts.joined(separator: " ") + "]"
    }
}
