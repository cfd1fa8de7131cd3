import Glibc

/// Keeps every connection full until all requests are answered, on the calling thread.
struct Generator {
    private let workload: Workload
    private let connections: [Connection]
    private var polled: [pollfd]
    private var hasBegun = false
    /// When the last answer came, and how many there were then.
    private var last: (answered: Int, at: UInt64) = (0, monotonicNanoseconds())

    init(_ workload: Workload) throws(Failure) {
        self.workload = workload
        var connections: [Connection] = []
        for _ in 0..<workload.options.connections { connections.append(try Connection(workload.options)) }
        self.connections = connections
        polled = connections.map { pollfd(fd: $0.socket.descriptor, events: 0, revents: 0) }
    }

    /// Seconds from the first request, sent once every connection has been greeted, to the last answer.
    mutating func run() throws(Failure) -> Double {
        for connection in connections { try connection.flush() }
        while !connections.allSatisfy(\.isGreeted) { try turn() }
        hasBegun = true
        let begun = monotonicNanoseconds()
        for connection in connections {
            connection.send(workload, now: begun)
            try connection.flush()
        }
        while !workload.isComplete { try turn() }
        return Double(monotonicNanoseconds() - begun) / 1e9
    }

    /// Waits for sockets and serves those that are ready.
    private mutating func turn() throws(Failure) {
        for (place, connection) in connections.enumerated() {
            polled[place].events = Int16(POLLIN) | (connection.hasOutput ? Int16(POLLOUT) : 0)
        }
        let ready = poll(&polled, nfds_t(polled.count), 1_000)
        if ready < 0, errno != EINTR { throw Failure("poll: \(String(cString: strerror(errno)))") }
        let now = monotonicNanoseconds()
        if ready > 0 {
            for (place, connection) in connections.enumerated() where polled[place].revents != 0 {
                try connection.receive(workload)
                if hasBegun { connection.send(workload, now: monotonicNanoseconds()) }
                try connection.flush()
            }
        }
        if workload.answered != last.answered {
            last = (workload.answered, now)
        } else if now - last.at > UInt64(workload.options.patienceSeconds) * 1_000_000_000 {
            throw Failure("no answer for \(workload.options.patienceSeconds) s")
        }
    }
}
