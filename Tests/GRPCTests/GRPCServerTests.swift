import GRPC
import GRPCTestSupport
import NIOCore
import NIOPosix
import Testing

/// The whole stack over real sockets.
@Suite struct GRPCServerTests {
    static func withServer(
        _ options: GRPCServer.Options = .init(),
        _ body: (GRPCServer, GRPCTestClient) async throws -> Void
    ) async throws {
        let server = try await GRPCServer.bind(
            to: [SocketAddress(ipAddress: "127.0.0.1", port: 0)],
            group: MultiThreadedEventLoopGroup.singleton, options: options
        ) { _ in EchoService() }
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
}
