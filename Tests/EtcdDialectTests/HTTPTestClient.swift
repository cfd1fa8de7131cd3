import NIOCore
import NIOPosix

/// A plain TCP connection on which a test writes HTTP/1.1 by hand.
final class HTTPTestClient: Sendable {
    private let channel: NIOAsyncChannel<ByteBuffer, ByteBuffer>

    private init(channel: NIOAsyncChannel<ByteBuffer, ByteBuffer>) { self.channel = channel }

    /// Runs `body` with a connection, and closes it.
    static func with<R: Sendable>(
        port: Int, _ body: (inout Connection) async throws -> R
    ) async throws -> R {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            var connection = Connection(inbound: inbound.makeAsyncIterator(), outbound: outbound)
            return try await body(&connection)
        }
    }

    struct Response {
        var status: Int
        var headers: [String: String]
        var body: String
    }

    struct Connection {
        fileprivate var inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
        fileprivate let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
        private var received: [UInt8] = []

        fileprivate init(
            inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator,
            outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
        ) {
            self.inbound = inbound
            self.outbound = outbound
        }

        func write(_ text: String) async throws { try await outbound.write(ByteBuffer(string: text)) }

        func request(_ method: String, _ path: String, _ body: String = "", headers: String = "") async throws
        {
            try await write(
                "\(method) \(path) HTTP/1.1\r\nHost: x\r\n\(headers)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
            )
        }

        /// Whether the server has closed the connection; what it sent before is kept.
        mutating func isClosed() async throws -> Bool {
            while try await more() {}
            return true
        }

        /// Everything up to the end of the connection.
        mutating func rest() async throws -> [UInt8] {
            while try await more() {}
            defer { received = [] }
            return received
        }

        private mutating func more() async throws -> Bool {
            guard let bytes = try await inbound.next() else { return false }
            received += bytes.readableBytesView
            return true
        }

        private mutating func line() async throws -> String {
            while true {
                if let end = received.firstIndex(of: 10) {
                    let line = String(decoding: received[..<end].filter { $0 != 13 }, as: UTF8.self)
                    received.removeFirst(end + 1)
                    return line
                }
                guard try await more() else { throw ChannelError.eof }
            }
        }

        private mutating func bytes(_ count: Int) async throws -> String {
            while received.count < count {
                guard try await more() else { throw ChannelError.eof }
            }
            defer { received.removeFirst(count) }
            return String(decoding: received[..<count], as: UTF8.self)
        }

        /// Status and headers; the body is still to come.
        mutating func head() async throws -> Response {
            let status = try await line().split(separator: " ")
            var response = Response(status: Int(status[1])!, headers: [:], body: "")
            while true {
                let field = try await line()
                if field.isEmpty { return response }
                let parts = field.split(separator: ":", maxSplits: 1).map(String.init)
                response.headers[parts[0].lowercased()] = String(parts[1].drop { $0 == " " })
            }
        }

        /// The next chunk of a chunked body; empty at its end.
        mutating func chunk() async throws -> String {
            let size = Int(try await line(), radix: 16)!
            let chunk = try await bytes(size)
            _ = try await line()
            return chunk
        }

        mutating func response() async throws -> Response {
            var response = try await head()
            if let length = response.headers["content-length"] {
                response.body = try await bytes(Int(length)!)
            } else if response.headers["transfer-encoding"] == "chunked" {
                while true {
                    let chunk = try await chunk()
                    if chunk.isEmpty { break }
                    response.body += chunk
                }
            }
            return response
        }
    }
}
