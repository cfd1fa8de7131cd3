import GRPC
import GRPCTestSupport
import NIOCore
import NIOHTTP1
import NIOPosix
import Testing

/// The whole stack over real sockets.
@Suite struct GRPCServerTests {
    private static var loopback: SocketAddress {
        get throws { try SocketAddress(ipAddress: "127.0.0.1", port: 0) }
    }

    static func withServer(
        _ options: GRPCServer.Options = .init(),
        _ body: (GRPCServer, GRPCTestClient) async throws -> Void
    ) async throws {
        let server = try await GRPCServer.bind(
            to: [loopback], group: MultiThreadedEventLoopGroup.singleton, options: options,
            configureHTTP1: { try $0.pipeline.syncOperations.addHandler(HelloHandler()) },
            makeService: { _ in EchoService() })
        let client = try await GRPCTestClient.connect(to: server.localAddresses[0])
        try await body(server, client)
        try? await client.close()
        await server.stop(grace: .zero)
        #expect(server.connectionCount == 0)
    }

    @Test("a unary call is answered with its message and status 0")
    func unary() async throws {
        try await Self.withServer { _, client in
            let reply = try await client.unary("/test.Echo/Unary", Array("hello".utf8))
            #expect(reply.messages == [Array("hello".utf8)])
            #expect(reply.code == 0)
            #expect(reply.httpStatus == "200")
            #expect(reply.resetCode == nil)
        }
    }

    @Test("messages of a bidirectional call are answered while it is open")
    func bidirectional() async throws {
        try await Self.withServer { _, client in
            let call = try await client.open("/test.Echo/Both")
            for text in ["one", "two", ""] {
                call.send(Array(text.utf8))
                #expect(try await call.next() == Array(text.utf8))
            }
            call.halfClose()
            #expect(try await call.next() == nil)
            #expect(try await call.reply().code == 0)
        }
    }

    @Test("a call past its deadline is ended by the server")
    func deadline() async throws {
        try await Self.withServer { _, client in
            let reply = try await client.unary("/test.Echo/Silent", [1], timeout: "20m")
            #expect(reply.code == 4)
            #expect(reply.message == "context deadline exceeded")
        }
    }

    @Test("the same port speaks HTTP/1.1, however its bytes arrive")
    func http1() async throws {
        try await Self.withServer { server, _ in
            for step in [1, 5, 1000] {
                let reply = try await RawClient.converse(
                    server.localAddresses[0], "POST /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
                    step: step)
                #expect(reply.hasPrefix("HTTP/1.1 200 OK\r\n"))
                #expect(reply.hasSuffix("hello"))
            }
        }
    }

    @Test("the HTTP/2 preface is known when it comes byte by byte")
    func prefaceByByte() async throws {
        try await Self.withServer { server, _ in
            let session = HTTP2TestSession()
            session.request(GRPCWire.fields("/test.Echo/Unary"), body: GRPCWire.frame([1]))
            let bytes = session.takeOutput() + [0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
            let reply = try await RawClient.converse(
                server.localAddresses[0], String(decoding: bytes, as: UTF8.self), bytes: bytes, step: 1)
            #expect(!reply.isEmpty)
        }
    }

    @Test("a connection on which nothing is said is closed after its time")
    func silence() async throws {
        var options = GRPCServer.Options()
        options.firstByteTimeLimit = .milliseconds(20)
        try await Self.withServer(options) { server, _ in
            let reply = try await RawClient.converse(server.localAddresses[0], "PRI * HT", step: 100)
            #expect(reply.isEmpty)
        }
    }

    @Test("connections beyond the limit are closed, and room is made when one ends")
    func connectionLimit() async throws {
        var options = GRPCServer.Options()
        options.maxConnections = 1
        try await Self.withServer(options) { server, client in
            #expect(try await client.unary("/test.Echo/Unary", [1]).code == 0)
            let second = try await GRPCTestClient.connect(to: server.localAddresses[0])
            try await second.waitUntilClosed()
            try await client.close()
            while server.connectionCount > 0 { await Task.yield() }
            let third = try await GRPCTestClient.connect(to: server.localAddresses[0])
            #expect(try await third.unary("/test.Echo/Unary", [1]).code == 0)
            try await third.close()
        }
    }

    @Test("a graceful stop lets an open call end")
    func gracefulStop() async throws {
        try await Self.withServer { server, client in
            let call = try await client.open("/test.Echo/Both")
            call.send([1])
            #expect(try await call.next() == [1])
            async let stopped: Void = server.stop(grace: .seconds(30))
            while try await client.goAways.count < 2 { await Task.yield() }
            call.send([2], ends: true)
            #expect(try await call.next() == [2])
            #expect(try await call.reply().code == 0)
            await stopped
            try await client.waitUntilClosed()
        }
    }

    @Test("who connects before the server accepts waits, and is served then")
    func acceptsLater() async throws {
        var options = GRPCServer.Options()
        options.acceptsAtOnce = false
        let server = try await GRPCServer.bind(
            to: [Self.loopback], group: MultiThreadedEventLoopGroup.singleton, options: options
        ) { _ in EchoService() }
        let client = try await GRPCTestClient.connect(to: server.localAddresses[0])
        async let reply = client.unary("/test.Echo/Unary", [1])
        // A connection that was accepted would have been counted long before another server can be bound.
        for _ in 0..<20 {
            try await GRPCServer.bind(to: [Self.loopback], group: MultiThreadedEventLoopGroup.singleton) {
                _ in
                EchoService()
            }.stop(grace: .zero)
        }
        #expect(server.connectionCount == 0)
        try await server.accept()
        #expect(try await reply.messages == [[1]])
        try await client.close()
        await server.stop(grace: .zero)
    }

    @Test("a drain serves who has connected and says nothing yet, and ends when everybody has gone")
    func drainServesTheFirstRequest() async throws {
        var options = GRPCServer.Options()
        options.drainLinger = .seconds(30)
        try await Self.withServer(options) { server, client in
            #expect(try await client.unary("/test.Echo/Unary", [1]).code == 0)
            let address = server.localAddresses[0]
            let quiet = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connect(to: address) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                    }
                }
            while server.connectionCount < 2 { await Task.yield() }
            async let drained: Void = server.drain(limit: .seconds(60))
            try await client.waitUntilClosed()
            var reply = ByteBuffer()
            do {
                try await quiet.executeThenClose { inbound, outbound in
                    try await outbound.write(ByteBuffer(string: "GET / HTTP/1.1\r\nHost: x\r\n\r\n"))
                    for try await part in inbound { reply.writeImmutableBuffer(part) }
                }
            } catch ChannelError.ioOnClosedChannel {
                // The server has closed after its reply, and there is nothing left for this side to end.
            }
            #expect(String(buffer: reply).hasSuffix("hello"))
            await drained
            #expect(server.connectionCount == 0)
        }
    }

    @Test("a drain that takes too long returns, and leaves what is open to be closed")
    func drainLimit() async throws {
        try await Self.withServer { server, client in
            let call = try await client.open("/test.Echo/Both")
            call.send([1])
            #expect(try await call.next() == [1])
            await server.drain(limit: .milliseconds(50))
            #expect(server.connectionCount == 1)
            call.send([2])
            #expect(try await call.next() == [2])
        }
    }

    @Test("a client that stops reading for a while still gets everything")
    func slowReader() async throws {
        try await Self.withServer { _, client in
            let call = try await client.open("/test.Echo/Many")
            try await client.setReading(false)
            call.send(Array("20000".utf8), ends: true)
            try await client.setReading(true)
            let reply = try await call.reply()
            #expect(reply.messages.count == 20_000)
            #expect(reply.code == 0)
        }
    }

    @Test("a quiet client is pinged, and given up when it does not answer")
    func keepalive() async throws {
        var options = GRPCServer.Options()
        options.grpc.keepaliveInterval = .milliseconds(20)
        options.grpc.keepaliveTimeout = .milliseconds(50)
        try await Self.withServer(options) { server, client in
            // Sends the preface and then nothing, not even answers to pings.
            let bytes = HTTP2TestSession().takeOutput()
            let reply = try await RawClient.converse(server.localAddresses[0], "", bytes: bytes, step: 1000)
            #expect(!reply.isEmpty, "the connection was closed by the server")
        }
    }

    @Test("several addresses are served, a path in the file system among them")
    func addresses() async throws {
        let path = "/tmp/synod-grpc-tests.\(UInt32.random(in: 0 ... .max)).sock"
        let server = try await GRPCServer.bind(
            to: [Self.loopback, SocketAddress(unixDomainSocketPath: path)],
            group: MultiThreadedEventLoopGroup.singleton
        ) { _ in EchoService() }
        for address in server.localAddresses {
            let client = try await GRPCTestClient.connect(to: address)
            #expect(try await client.unary("/test.Echo/Unary", [4]).messages == [[4]])
            try await client.close()
        }
        await server.stop()
    }

    @Test("an address in use is an error, and nothing stays bound")
    func addressInUse() async throws {
        try await Self.withServer { server, _ in
            let error = await #expect(throws: GRPCServer.ListenError.self) {
                try await GRPCServer.bind(
                    to: [Self.loopback, server.localAddresses[0]],
                    group: MultiThreadedEventLoopGroup.singleton
                ) { _ in EchoService() }
            }
            #expect(error?.address == server.localAddresses[0])
        }
    }
}

/// Answers every HTTP/1.1 request with "hello".
private final class HelloHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .end = unwrapInboundIn(data) else { return }
        let head = HTTPResponseHead(
            version: .http1_1, status: .ok, headers: ["content-length": "5", "connection": "close"])
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: "hello")))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        context.close(promise: nil)
    }
}

/// Sends bytes in pieces and gathers what comes back until the server closes.
private final class RawClient: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let received: EventLoopPromise<String>
    private var bytes = ByteBuffer()

    init(_ received: EventLoopPromise<String>) { self.received = received }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var buffer = unwrapInboundIn(data)
        bytes.writeBuffer(&buffer)
    }

    func channelInactive(context: ChannelHandlerContext) { received.succeed(String(buffer: bytes)) }

    static func converse(
        _ address: SocketAddress, _ text: String, bytes: [UInt8]? = nil, step: Int
    ) async throws -> String {
        let (channel, received) = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .connect(to: address)
            .flatMapThrowing { channel in
                let received = channel.eventLoop.makePromise(of: String.self)
                try channel.pipeline.syncOperations.addHandler(RawClient(received))
                return (channel, received.futureResult)
            }.get()
        var rest = (bytes ?? Array(text.utf8))[...]
        while !rest.isEmpty {
            let piece = ByteBuffer(bytes: rest.prefix(step))
            rest = rest.dropFirst(step)
            guard (try? await channel.writeAndFlush(piece)) != nil else { break }
        }
        return try await received.get()
    }
}
