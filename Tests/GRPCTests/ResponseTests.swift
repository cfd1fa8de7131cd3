import GRPC
import GRPCTestSupport
import Testing

@Suite struct ResponseTests {
    @Test("an answer is headers, the message, and the status in trailers")
    func answer() {
        let pair = SessionPair()
        let reply = pair.call("Unary", [1, 2, 3])
        #expect(reply.headers.lines == [":status: 200", "content-type: application/grpc"])
        #expect(reply.messages == [[1, 2, 3]])
        #expect(reply.trailers.lines == ["grpc-status: 0"])
        #expect(pair.log.halfClosed == 1)
        #expect(pair.log.cancelled == 0)
        #expect(pair.log.live == 0)
    }

    @Test("an error without a message is one header block, percent-encoded")
    func trailersOnly() {
        let pair = SessionPair()
        let text = "naïve 100%\n~"
        let reply = pair.call("Fail", Array(text.utf8))
        #expect(
            reply.headers.lines == [
                ":status: 200", "content-type: application/grpc", "grpc-status: 9",
                "grpc-message: na%C3%AFve 100%25%0A~",
            ])
        #expect(reply.message == text)
        #expect(reply.trailers.isEmpty)
        #expect(reply.resetCode == nil)
    }

    @Test(
        "a path that nobody serves is UNIMPLEMENTED in grpc-go's words",
        arguments: [
            ("/test.Nobody/Get", "unknown service test.Nobody"),
            ("/test.Echo/Missing", "unknown method Missing for service test.Echo"),
            ("/a/b/c", "unknown service a/b"),
            ("/nothing", "malformed method name: \"/nothing\""),
        ])
    func unknownPath(path: String, text: String) {
        let pair = SessionPair()
        let reply = pair.reply(
            to: pair.client.request(GRPCWire.fields(path), body: GRPCWire.frame([1])))
        #expect(reply.code == 12)
        #expect(reply.message == text)
        #expect(reply.httpStatus == "200")
    }

    @Test(
        "only gRPC's content type makes a call; anything else is 415",
        arguments: [
            ("application/grpc", "200"), ("application/grpc+proto", "200"),
            ("application/grpc;charset=x", "200"),
            ("application/grpcx", "415"), ("application/json", "415"), ("", "415"),
        ])
    func contentType(type: String, status: String) {
        let pair = SessionPair()
        let fields = GRPCWire.fields("/test.Echo/Unary")
            .filter { $0.name != "content-type" || !type.isEmpty }
            .map { $0.name == "content-type" ? ($0.name, type) : $0 }
        let reply = pair.reply(to: pair.client.request(fields, body: GRPCWire.frame([1])))
        #expect(reply.httpStatus == status)
        #expect(reply.code == (status == "200" ? 0 : 3))
        if status != "200" { #expect(reply.message == "invalid gRPC request content-type \"\(type)\"") }
    }

    @Test("a plain GET over HTTP/2 is refused as 405")
    func get() {
        let pair = SessionPair()
        let reply = pair.reply(
            to: pair.client.request([
                (":method", "GET"), (":scheme", "http"), (":path", "/health"), (":authority", "x"),
            ]))
        #expect(reply.httpStatus == "405")
    }

    @Test("compressed requests are refused by name, identity is not")
    func encoding() {
        let pair = SessionPair()
        let gzip = pair.call("Unary", [1], metadata: [("grpc-encoding", "gzip")])
        #expect(gzip.code == 12)
        #expect(gzip.message == "grpc: Decompressor is not installed for grpc-encoding \"gzip\"")
        #expect(pair.call("Unary", [1], metadata: [("grpc-encoding", "identity")]).code == 0)
        #expect(pair.log.opened == 1)
    }

    @Test(
        "a message flag that means nothing here ends the call",
        arguments: [
            (UInt8(1), "grpc: compressed flag set with identity or empty encoding"),
            (UInt8(2), "grpc: received unexpected payload format 2"),
        ])
    func flag(flag: UInt8, text: String) {
        let pair = SessionPair()
        let reply = pair.reply(
            to: pair.client.request(
                GRPCWire.fields("/test.Echo/Unary"), body: GRPCWire.frame([1, 2], flag: flag)))
        #expect(reply.code == 13)
        #expect(reply.message == text)
        #expect(pair.log.cancelled == 1)
        #expect(pair.log.live == 0)
    }

    @Test("metadata reaches the service in order, the transport's own fields do not")
    func metadata() {
        let pair = SessionPair()
        for _ in 0..<3 {
            let reply = pair.call(
                "Unary", [1],
                metadata: [
                    ("token", "abc.1"), ("user-agent", "x"), ("hasleader", "true"),
                    ("grpc-accept-encoding", "gzip"), ("token", "second"),
                ])
            #expect(reply.code == 0)
            #expect(pair.log.metadata.lines == ["token: abc.1", "hasleader: true", "token: second"])
        }
    }

    @Test("headers spread over CONTINUATION frames are read whole")
    func continuation() {
        let pair = SessionPair()
        let long = String(repeating: "t", count: 40_000)
        #expect(pair.call("Unary", [1], metadata: [("token", long)]).code == 0)
        #expect(pair.log.metadata.map(\.value) == [long])
    }

    @Test("headers beyond the limit are refused without harm to other calls")
    func headerLimit() {
        var settings = GRPCSettings()
        settings.maxHeaderListBytes = 4096
        let pair = SessionPair(settings)
        let reply = pair.call("Unary", [1], metadata: [("token", String(repeating: "t", count: 5000))])
        #expect(reply.httpStatus == "431")
        #expect(reply.code == 8)
        #expect(pair.call("Unary", [1]).code == 0)
    }
}
