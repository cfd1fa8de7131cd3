import GRPC
import GRPCTestSupport
import Testing

@Suite struct ShutdownTests {
    @Test("a graceful end serves what is open, refuses what is new, and then is finished")
    func graceful() {
        let pair = SessionPair()
        let open = pair.open("Both")
        pair.run()
        pair.server.shutDown()
        // Sent before the client has heard of it: still served.
        let onItsWay = pair.client.request(
            GRPCWire.fields("/test.Echo/Unary"), body: GRPCWire.frame([1]))
        pair.feed(pair.client.takeOutput())
        #expect(pair.reply(to: onItsWay).code == 0)
        #expect(pair.client.goAways.map(\.lastStream) == [Int32.max, onItsWay])
        #expect(pair.client.goAways.map(\.code) == [0, 0])
        #expect(!pair.server.isFinished)
        pair.client.send(open, GRPCWire.frame([2]), ends: true)
        #expect(pair.reply(to: open).messages == [[2]])
        #expect(pair.server.isFinished)
    }

    @Test("a client that does not answer holds up a graceful end no longer than the owner likes")
    func unanswered() {
        let pair = SessionPair()
        let open = pair.open("Both")
        pair.run()
        pair.server.shutDown()
        pair.client.receive(pair.serverOutput())
        pair.server.finishShutDown()
        pair.server.finishShutDown()
        pair.client.receive(pair.serverOutput())
        #expect(pair.client.goAways.map(\.lastStream) == [Int32.max, open])
        #expect(!pair.server.isFinished)
        pair.client.send(open, GRPCWire.frame([2]), ends: true)
        #expect(pair.reply(to: open).messages == [[2]])
        #expect(pair.server.isFinished)
    }

    @Test("with nothing open, a graceful end is immediate")
    func idle() {
        let pair = SessionPair()
        pair.run()
        pair.server.shutDown()
        pair.run()
        #expect(pair.server.isFinished)
    }

    @Test(
        "bytes that are not HTTP/2 end the connection",
        arguments: [
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nGET / HTTP/1.1\r\n\r\n and then some more of it",
            "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        ])
    func garbage(text: String) {
        let pair = SessionPair()
        pair.feed(Array(text.utf8))
        _ = pair.serverOutput()
        #expect(pair.server.isFinished)
    }

    @Test("a malformed frame is answered with GOAWAY, and open calls are cancelled at the close")
    func malformed() {
        let pair = SessionPair()
        _ = pair.open("Silent")
        pair.run()
        // WINDOW_UPDATE of a wrong size: FRAME_SIZE_ERROR of the connection.
        pair.feed([0, 0, 1, 8, 0, 0, 0, 0, 0, 0])
        pair.client.receive(pair.serverOutput())
        #expect(pair.client.goAways.map(\.code) == [6])
        #expect(pair.server.isFinished)
        pair.server.close()
        #expect(pair.log.cancelled == 1)
        #expect(pair.log.live == 0)
    }
}
