import GRPC
import GRPCTestSupport
import Testing

/// Flow control, many calls at once, and calls that do not end well.
@Suite struct FlowTests {
    @Test("10 MiB pass through a client's window of 64 KiB unharmed")
    func large() {
        let pair = SessionPair()
        let count = 10 << 20
        let reply = pair.call("Large", Array("\(count)".utf8))
        #expect(reply.code == 0)
        let message = reply.messages.first ?? []
        #expect(message.count == count)
        let isIntact = message.withUnsafeBytes { bytes in
            stride(from: 0, to: bytes.count, by: 997).allSatisfy {
                bytes[$0] == UInt8(truncatingIfNeeded: $0)
            }
        }
        #expect(isIntact)
        #expect(pair.server.queuedBytes == 0)
    }

    @Test("a message in pieces arrives whole between others, and what has left is let go of")
    func pieces() {
        let pair = SessionPair()
        let count = 3 << 20
        let reply = pair.call("Pieces", Array("\(count)".utf8))
        #expect(reply.code == 0 && reply.messages.count == 3)
        #expect(reply.messages.first == Array("\(count)".utf8) && reply.messages.last == reply.messages.first)
        let large = reply.messages[1]
        #expect(large.count == count)
        #expect(large.indices.allSatisfy { $0 % 991 != 0 || large[$0] == UInt8(truncatingIfNeeded: $0) })
        #expect(pair.server.queuedBytes == 0)
    }

    @Test("a client that opens no window gets what fits, and the rest waits")
    func stuck() {
        let pair = SessionPair(window: 1000, clientReadsAlways: false)
        let id = pair.open("Large")
        pair.client.send(id, GRPCWire.frame(Array("5000".utf8)), ends: true)
        pair.run()
        #expect(pair.client.exchanges[id]?.dataBytes == 1000)
        #expect(pair.server.queuedBytes == 4005)
        while pair.client.exchanges[id]?.isClosed == false {
            pair.client.widen(id, by: 1000)
            pair.run()
        }
        #expect(pair.client.exchanges[id]?.messages.first?.count == 5000)
        #expect(pair.server.queuedBytes == 0)
    }

    @Test("new calls are refused while too much waits for a client that does not read")
    func refusesWhenFull() {
        var settings = GRPCSettings()
        settings.maxQueuedBytes = 50_000
        let pair = SessionPair(settings, window: 10, clientReadsAlways: false)
        let first = pair.open("Large")
        pair.client.send(first, GRPCWire.frame(Array("60000".utf8)), ends: true)
        pair.run()
        let second = pair.reply(
            to: pair.client.request(GRPCWire.fields("/test.Echo/Unary"), body: GRPCWire.frame([1])))
        #expect(second.resetCode == 7, "REFUSED_STREAM")
        #expect(pair.log.opened == 1)
        pair.client.reset(first)
        #expect(pair.call("Unary", [1]).code == 0)
    }

    @Test("a sender that waits for drained keeps little queued")
    func drained() {
        let pair = SessionPair()
        let id = pair.open("Many")
        pair.client.send(id, GRPCWire.frame(Array("5000".utf8)), ends: true)
        let reply = pair.reply(to: id)
        #expect(reply.code == 0)
        #expect(reply.messages.count == 5000)
        #expect(pair.log.largestQueue < 110_000)
    }

    @Test("1,000 calls are open at once and each gets its own answer")
    func thousand() {
        let pair = SessionPair()
        let ids = (0..<1000).map { _ in pair.open("Unary") }
        pair.run()
        #expect(pair.server.openStreams == 1000)
        for (index, id) in ids.enumerated() {
            pair.client.send(id, GRPCWire.frame(Array("\(index)".utf8)), ends: true)
        }
        pair.run()
        for (index, id) in ids.enumerated() {
            #expect(pair.client.exchanges[id]?.messages == [Array("\(index)".utf8)])
        }
        #expect(pair.server.openStreams == 0)
        #expect(pair.log.live == 0)
    }

    @Test("calls beyond the limit on concurrent streams are refused")
    func concurrencyLimit() {
        var settings = GRPCSettings()
        settings.concurrentStreams = 10
        let pair = SessionPair(settings)
        // All are sent before the client has seen the limit.
        let ids = (0..<15).map { _ in pair.open("Silent") }
        pair.run()
        #expect(pair.server.openStreams == 10)
        #expect(ids.filter { pair.client.exchanges[$0]?.resetCode == 7 }.count == 5)
    }

    @Test("a reset call is cancelled once, and what is sent to it afterwards goes nowhere")
    func reset() {
        let pair = SessionPair()
        pair.log.keepsCalls = true
        let id = pair.open("Both")
        pair.client.send(id, GRPCWire.frame([1]))
        pair.run()
        pair.client.reset(id)
        pair.run()
        #expect(pair.log.cancelled == 1)
        #expect(pair.log.halfClosed == 0)
        #expect(pair.server.openStreams == 0)
        let call = pair.log.calls[0]
        [UInt8](repeating: 0, count: 100).withUnsafeBytes { call.send($0) }
        call.finish(.ok)
        #expect(call.queuedBytes == 0)
        #expect(pair.serverOutput().isEmpty)
    }

    @Test("a call that is answered before the client is done is closed for the client too")
    func earlyEnd() {
        let pair = SessionPair()
        pair.log.keepsCalls = true
        let id = pair.open("Both")
        pair.client.send(id, GRPCWire.frame([1]))
        pair.run()
        pair.log.calls[0].finish(GRPCStatus(.unavailable, "gone"))
        let reply = pair.reply(to: id)
        #expect(reply.code == 14)
        #expect(reply.message == "gone")
        #expect(reply.resetCode == 0)
        #expect(pair.server.openStreams == 0)
    }

    @Test("20,000 calls that are opened and reset in one go do not end the connection")
    func manyResets() {
        let pair = SessionPair()
        for _ in 0..<20 {
            for id in (0..<1000).map({ _ in pair.open("Silent") }) {
                pair.client.reset(id)
                pair.client.forget(id)
            }
            pair.run()
        }
        #expect(pair.call("Unary", [1]).code == 0)
        #expect(pair.client.goAways.isEmpty)
    }

    @Test("closing cancels every call, tells the service, and leaves nothing alive")
    func close() {
        weak var session: HTTP2Session?
        let log: EchoService.Log
        do {
            let pair = SessionPair()
            for _ in 0..<10 { _ = pair.open("Silent") }
            pair.run()
            session = pair.server
            log = pair.log
            #expect(log.live == 10)
            pair.server.close()
        }
        #expect(log.cancelled == 10)
        #expect(log.closed == 1)
        #expect(log.live == 0)
        #expect(session == nil)
    }
}
