/// `http://127.0.0.1:2379` or `unix://NAME`, as etcd's flags take them.
struct ServerURL: Hashable, Sendable {
    /// `http` or `unix`.
    var scheme: String
    /// The path of a socket's file, absolute or from the working directory; nil for an address of the network. What
    /// looks like a host and a port in `unix://localhost:2379` is the name of a file.
    var socketPath: String?
    /// Without the brackets of an IPv6 address.
    var host: String
    var port: UInt16

    /// The canonical text, which is what members are told and compared by.
    var text: String {
        if let socketPath { return "unix://\(socketPath)" }
        return "\(scheme)://\(host.contains(":") ? "[\(host)]" : host):\(port)"
    }

    init(scheme: String = "http", host: String, port: UInt16) {
        self.scheme = scheme
        self.host = host
        self.port = port
    }

    init(_ text: String) throws(UsageError) {
        guard let mark = text.firstRange(of: "://") else {
            throw UsageError(message: "URL scheme must be http, https, unix, or unixs: \(text)")
        }
        scheme = String(text[..<mark.lowerBound])
        switch scheme {
        case "http": break
        case "https": throw UsageError(message: "\(noTLS): use http:// instead of \(text)")
        case "unixs": throw UsageError(message: "\(noTLS): use unix:// instead of \(text)")
        case "unix":
            let path = String(text[mark.upperBound...])
            // The name has its place in an address of the system, which ends with a zero byte.
            guard (1...107).contains(path.utf8.count) else {
                throw UsageError(message: "URL must name a socket file of 1 to 107 bytes: \(text)")
            }
            socketPath = path
            host = ""
            port = 0
            return
        default:
            throw UsageError(message: "URL scheme must be http, https, unix, or unixs: \(text)")
        }
        var address = text[mark.upperBound...]
        if address.hasSuffix("/") { address = address.dropLast() }
        guard !address.contains("/") else {
            throw UsageError(message: "URL must not contain a path: \(text)")
        }
        guard let colon = address.lastIndex(of: ":"), !address[colon...].contains("]"),
            let port = UInt16(address[address.index(after: colon)...])
        else {
            throw UsageError(message: "URL address does not have the form \"host:port\": \(text)")
        }
        self.port = port
        var host = address[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            throw UsageError(message: "URL address does not have the form \"host:port\": \(text)")
        }
        self.host = String(host)
    }

    static func list(_ text: String) throws(UsageError) -> [ServerURL] {
        var urls: [ServerURL] = []
        for piece in text.split(separator: ",", omittingEmptySubsequences: true) {
            urls.append(try ServerURL(trimmed(piece)))
        }
        return urls
    }

    /// Only an address can be bound: a name could mean several, or another machine.
    var canBeBound: Bool {
        if socketPath != nil { return true }
        if host == "localhost" || host.contains(":") { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts.allSatisfy { UInt8($0) != nil }
    }
}

/// Without the blanks at both ends.
func trimmed(_ text: some StringProtocol) -> String {
    let start = text.firstIndex { !$0.isWhitespace } ?? text.endIndex
    let end = text.lastIndex { !$0.isWhitespace }.map { text.index(after: $0) } ?? start
    return String(text[start..<end])
}
