/// Where a member can be reached by the others: `http://host:port`.
struct PeerURL: Hashable, Sendable, CustomStringConvertible {
    /// Without the brackets of an IPv6 address.
    var host: String
    var port: Int
    var isSecure: Bool

    /// Throws `ServerError.badOptions`.
    init(_ text: String) throws {
        func bad(_ why: String) -> ServerError {
            ServerError(.badOptions, "\"\(text)\" is not a peer URL: \(why)")
        }
        var rest = Substring(text)
        if rest.hasPrefix("http://") {
            isSecure = false
            rest = rest.dropFirst(7)
        } else if rest.hasPrefix("https://") {
            isSecure = true
            rest = rest.dropFirst(8)
        } else {
            throw bad("it must begin with http:// or https://")
        }
        if rest.hasSuffix("/") { rest = rest.dropLast() }
        guard !rest.contains("/") else { throw bad("a path is not allowed") }
        let portText: Substring
        if rest.hasPrefix("[") {
            guard let close = rest.firstIndex(of: "]") else { throw bad("the bracket is not closed") }
            host = String(rest[rest.index(after: rest.startIndex)..<close])
            let tail = rest[rest.index(after: close)...]
            guard tail.hasPrefix(":") else { throw bad("the port is missing") }
            portText = tail.dropFirst()
        } else {
            guard let colon = rest.lastIndex(of: ":") else { throw bad("the port is missing") }
            host = String(rest[..<colon])
            portText = rest[rest.index(after: colon)...]
            guard !host.contains(":") else { throw bad("an IPv6 address stands in brackets") }
        }
        guard !host.isEmpty else { throw bad("the host is missing") }
        guard let number = Int(portText), (0...65535).contains(number) else {
            throw bad("\"\(portText)\" is not a port")
        }
        port = number
    }

    var description: String {
        "\(isSecure ? "https" : "http")://\(host.contains(":") ? "[\(host)]" : host):\(port)"
    }
}
