import Glibc

/// A TCP connection that never waits once it stands.
struct Socket: ~Copyable {
    let descriptor: Int32

    init(host: String, port: Int) throws(Failure) {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        guard inet_pton(AF_INET, host, &address.sin_addr) == 1 else {
            throw Failure("--host wants an IPv4 address, not \(host)")
        }
        let made = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard made >= 0 else { throw Failure("no socket: \(Self.reason())") }
        let length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isConnected = withUnsafePointer(to: address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(made, $0, length) == 0 }
        }
        guard isConnected else {
            let reason = Self.reason()
            close(made)
            throw Failure("no connection to \(host):\(port): \(reason)")
        }
        var yes: Int32 = 1
        setsockopt(made, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
        _ = fcntl(made, F_SETFL, O_NONBLOCK)
        descriptor = made
    }

    deinit { close(descriptor) }

    /// How many bytes came; 0 when there are none now. The server's end of the connection is a failure.
    func read(into place: UnsafeMutableRawPointer, _ room: Int) throws(Failure) -> Int {
        let count = recv(descriptor, place, room, 0)
        if count == 0 { throw Failure("the server closed a connection") }
        return try Self.orLater(count)
    }

    /// How many bytes went; 0 when none go now.
    func write(_ bytes: UnsafeRawBufferPointer) throws(Failure) -> Int {
        try Self.orLater(Glibc.send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL)))
    }

    private static func orLater(_ count: Int) throws(Failure) -> Int {
        if count >= 0 { return count }
        if errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR { return 0 }
        throw Failure("a connection broke: \(reason())")
    }

    private static func reason() -> String { String(cString: strerror(errno)) }
}

func monotonicNanoseconds() -> UInt64 {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
}
