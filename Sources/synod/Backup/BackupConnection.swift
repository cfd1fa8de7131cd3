import Glibc

/// Asks a running member for a backup, with HTTP/1.0: the response is its bytes, and ends with the connection.
struct BackupConnection {
    private static let path = "/synod/backup"
    /// How long a member may be silent.
    private static let patienceSeconds = 60
    private static let headLimit = 16 << 10

    private let url: ServerURL

    /// `endpoint`: a client URL, or what etcdctl takes for one, a host and a port.
    init(_ endpoint: String) throws(UsageError) {
        url = try ServerURL(endpoint.contains("://") ? endpoint : "http://\(endpoint)")
    }

    /// Calls `write` with what the member sends, in order. Throws what that throws, and `UsageError`.
    func read(into write: ([UInt8]) throws -> Void) throws {
        let socket = try connect()
        defer { close(socket) }
        var patience = timeval(tv_sec: Self.patienceSeconds, tv_usec: 0)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        writeAll("GET \(Self.path) HTTP/1.0\r\nHost: \(url.host)\r\n\r\n", to: socket)
        var beginning: [UInt8] = []
        while true {
            let bytes = try receive(from: socket)
            guard !bytes.isEmpty else { throw failure("it ends the connection without an answer") }
            beginning += bytes
            if let end = beginning.firstRange(of: Array("\r\n\r\n".utf8)) {
                try judge(
                    String(decoding: beginning[..<end.lowerBound], as: UTF8.self),
                    beginning[end.upperBound...])
                beginning = Array(beginning[end.upperBound...])
                break
            }
            guard beginning.count < Self.headLimit else {
                throw failure("it does not answer as a member does")
            }
        }
        if !beginning.isEmpty { try write(beginning) }
        while case let bytes = try receive(from: socket), !bytes.isEmpty { try write(bytes) }
    }

    private func judge(_ head: String, _ body: ArraySlice<UInt8>) throws(UsageError) {
        let words = head.prefix { $0 != "\r\n" }.split(separator: " ", maxSplits: 2)
        guard words.count >= 2, words[0].hasPrefix("HTTP/") else {
            throw failure("it does not answer as a member does")
        }
        switch words[1] {
        case "200": return
        case "404": throw failure("it gives no backups: it is an etcd, or an earlier version of synod")
        default:
            let text = trimmed(String(decoding: body.prefix(500), as: UTF8.self))
            throw failure(text.isEmpty ? words[1...].joined(separator: " ") : text)
        }
    }

    private func receive(from socket: Int32) throws(UsageError) -> [UInt8] {
        var chunk = [UInt8](repeating: 0, count: 256 << 10)
        while true {
            let count = recv(socket, &chunk, chunk.count, 0)
            if count >= 0 { return Array(chunk[..<count]) }
            if errno == EINTR { continue }
            throw failure(
                errno == EAGAIN
                    ? "nothing was heard from it for \(Self.patienceSeconds) s"
                    : String(cString: strerror(errno)))
        }
    }

    private func connect() throws(UsageError) -> Int32 {
        if let path = url.socketPath {
            guard let socket = UnixSocket.connect(.stream, to: path) else {
                throw failure(String(cString: strerror(errno)))
            }
            return socket
        }
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(url.host, String(url.port), &hints, &found)
        guard code == 0 else { throw failure(String(cString: gai_strerror(code))) }
        defer { freeaddrinfo(found) }
        var next = found
        while let address = next?.pointee {
            let descriptor = socket(address.ai_family, address.ai_socktype | Int32(SOCK_CLOEXEC.rawValue), 0)
            if descriptor >= 0 {
                if Glibc.connect(descriptor, address.ai_addr, address.ai_addrlen) == 0 { return descriptor }
                let reason = errno
                close(descriptor)
                errno = reason
            }
            next = address.ai_next
        }
        throw failure(String(cString: strerror(errno)))
    }

    private func failure(_ reason: String) -> UsageError {
        UsageError(message: "cannot take a backup from \(url.text): \(reason)")
    }
}
