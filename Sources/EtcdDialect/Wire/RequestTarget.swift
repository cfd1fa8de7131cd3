import NIOHTTP1

/// What the first line of an HTTP/1.1 request is about (RFC 9112, 3.2), as Go's server reads it.
enum RequestTarget: Equatable {
    /// A path with its percent signs resolved.
    case path(String)
    /// The path has another form that is meant, with the query if there is one.
    case moved(String)
    case malformed

    init(_ method: HTTPMethod, _ text: String) {
        if method == .CONNECT {
            self = .path(text)
            return
        }
        var rest = Substring(text)
        if let authority = Self.authority(of: rest) { rest = rest[authority...] }
        let query = rest.firstIndex(of: "?").map { rest[$0...] } ?? ""
        let encoded = rest.dropLast(query.count)
        guard !encoded.isEmpty || rest.startIndex > text.startIndex else {
            self = .malformed
            return
        }
        guard encoded.isEmpty || encoded.first == "/" || (method == .OPTIONS && encoded == "*"),
            let path = Self.decoded(encoded)
        else {
            self = .malformed
            return
        }
        let clean = path == "*" ? path : Self.cleaned(path)
        self = clean == path ? .path(path) : .moved(Self.encoded(clean) + query)
    }

    /// Where the path begins in a target that names scheme and authority, as proxies are asked.
    private static func authority(of text: Substring) -> String.Index? {
        guard let mark = text.firstRange(of: "://"), mark.lowerBound > text.startIndex else { return nil }
        let scheme = text[..<mark.lowerBound]
        guard scheme.first?.isLetter == true,
            scheme.utf8.allSatisfy({ byte in
                byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "z")
                    || byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
                    || byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
            })
        else { return nil }
        return text[mark.upperBound...].firstIndex { $0 == "/" || $0 == "?" } ?? text.endIndex
    }

    /// Nil where a percent sign is not followed by two digits.
    private static func decoded(_ text: Substring) -> String? {
        guard text.utf8.contains(UInt8(ascii: "%")) else { return String(text) }
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            let digits = rest.prefix(2)
            guard digits.count == 2, digits.allSatisfy({ Character(UnicodeScalar($0)).isHexDigit }),
                let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 16)
            else { return nil }
            bytes.append(value)
            rest.removeFirst(2)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Without empty, `.` and `..` segments; a slash at the end stays.
    private static func cleaned(_ path: String) -> String {
        var segments: [Substring] = []
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        for part in parts {
            switch part {
            case "", ".": continue
            case "..": _ = segments.popLast()
            default: segments.append(part)
            }
        }
        let clean = "/" + segments.joined(separator: "/")
        return path.hasSuffix("/") && clean != "/" ? clean + "/" : clean
    }

    private static func encoded(_ path: String) -> String {
        var text = ""
        for byte in path.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "/"), UInt8(ascii: "-"),
                UInt8(ascii: "_"),
                UInt8(ascii: "."), UInt8(ascii: "~"), UInt8(ascii: "$"), UInt8(ascii: "&"), UInt8(ascii: "+"),
                UInt8(ascii: ","), UInt8(ascii: ":"), UInt8(ascii: ";"), UInt8(ascii: "="), UInt8(ascii: "@"):
                text.unicodeScalars.append(UnicodeScalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                text += "%" + (digits.count == 1 ? "0" : "") + digits
            }
        }
        return text
    }
}

/// The header `Grpc-Timeout` of a request to the gateway, which reads it more freely than gRPC does.
enum GatewayTimeout: Equatable {
    /// The time is over when the request comes.
    case over
    case nanoseconds(Int64)
    /// None was given, or zero, which counts as none.
    case unlimited
    case malformed

    init(_ text: String?) {
        guard let text, !text.isEmpty else {
            self = .unlimited
            return
        }
        let units: [Character: Int64] = [
            "H": 3_600_000_000_000, "M": 60_000_000_000, "S": 1_000_000_000, "m": 1_000_000, "u": 1_000,
            "n": 1,
        ]
        // One of the digits' signs is allowed, nothing else.
        guard let unit = units[text.last!], let count = Int64(text.dropLast()) else {
            self = .malformed
            return
        }
        let (span, isLong) = count.multipliedReportingOverflow(by: unit)
        if count < 0 {
            self = .over
        } else {
            self = count == 0 || isLong ? .unlimited : .nanoseconds(span)
        }
    }
}
