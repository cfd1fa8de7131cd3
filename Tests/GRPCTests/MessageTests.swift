import GRPC
import GRPCTestSupport
import Testing

/// Messages against frames: neither knows the other's borders.
@Suite struct MessageTests {
    @Test("a whole conversation fed byte by byte gives the same answers", arguments: [1, 2, 3, 7, 1000])
    func fragments(step: Int) {
        let pair = SessionPair()
        pair.step = step
        #expect(pair.call("Unary", [1, 2, 3]).messages == [[1, 2, 3]])
        let id = pair.open("Both")
        let messages: [[UInt8]] = [[], [1], Array(repeating: 9, count: 3000)]
        pair.client.send(id, messages.flatMap { GRPCWire.frame($0) }, ends: true)
        #expect(pair.reply(to: id).messages == messages)
        #expect(pair.server.openStreams == 0)
    }

    @Test("a message may be spread over many DATA frames")
    func manyFrames() {
        let pair = SessionPair()
        let message = (0..<5000).map { UInt8(truncatingIfNeeded: $0) }
        let id = pair.open("Unary")
        for byte in GRPCWire.frame(message) {
            pair.client.send(id, [byte])
            pair.feed(pair.client.takeOutput())
        }
        pair.client.send(id, [], ends: true)
        #expect(pair.reply(to: id).messages == [message])
    }

    @Test("one DATA frame may hold many messages and the start of another")
    func manyMessages() {
        let pair = SessionPair()
        let id = pair.open("Both")
        let messages = (0..<100).map { [UInt8](repeating: UInt8($0), count: $0) }
        let bytes = messages.flatMap { GRPCWire.frame($0) }
        pair.client.send(id, Array(bytes.dropLast(50)))
        pair.run()
        #expect(pair.client.exchanges[id]?.messages.count == 99)
        pair.client.send(id, Array(bytes.suffix(50)), ends: true)
        #expect(pair.reply(to: id).messages == messages)
    }

    @Test("a message of the largest size passes, one byte more is refused before it is sent")
    func largest() {
        var settings = GRPCSettings()
        settings.maxMessageBytes = 100_000
        let pair = SessionPair(settings)
        let largest = [UInt8](repeating: 5, count: 100_000)
        #expect(pair.call("Unary", largest).messages == [largest])
        let id = pair.open("Unary")
        pair.client.send(id, Array(GRPCWire.frame(largest + [5]).prefix(6)))
        let reply = pair.reply(to: id)
        #expect(reply.code == 8)
        #expect(reply.message == "grpc: received message larger than max (100001 vs. 100000)")
        #expect(reply.resetCode == 0, "the client is told to stop sending")
        #expect(pair.log.cancelled == 1)
        #expect(pair.call("Unary", [1]).code == 0)
    }

    @Test("the default limit is etcd's 1.5 MiB and 512 KiB")
    func defaultLimit() {
        let pair = SessionPair()
        #expect(
            pair.call("Unary", [UInt8](repeating: 1, count: 2_097_153)).message
                == "grpc: received message larger than max (2097153 vs. 2097152)")
    }

    @Test("a call that is half-closed inside a message ends with an error")
    func truncated() {
        let pair = SessionPair()
        let reply = pair.reply(
            to: pair.client.request(
                GRPCWire.fields("/test.Echo/Unary"), body: Array(GRPCWire.frame([1, 2, 3]).dropLast())))
        #expect(reply.code == 13)
        #expect(reply.message == "unexpected EOF")
        #expect(pair.log.cancelled == 1)
    }

    @Test("a call without any message is the service's to judge")
    func noMessage() {
        let pair = SessionPair()
        let reply = pair.reply(to: pair.client.request(GRPCWire.fields("/test.Echo/Both")))
        #expect(reply.code == 0)
        #expect(reply.messages.isEmpty)
    }

    @Test("unfinished messages of all calls together are bounded")
    func unfinished() {
        var settings = GRPCSettings()
        settings.maxUnfinishedBytes = 100_000
        let pair = SessionPair(settings)
        let begun = Array(GRPCWire.frame([UInt8](repeating: 1, count: 50_000)).prefix(40_000))
        let ids = (0..<4).map { _ in
            let id = pair.open("Unary")
            pair.client.send(id, begun)
            return id
        }
        pair.run()
        let codes = ids.map { id in
            GRPCTestReply(pair.client.exchanges[id]!, messages: []).code
        }
        #expect(codes.filter { $0 == 8 }.count == 2)
        for id in ids { pair.client.reset(id) }
        pair.run()
        #expect(pair.call("Unary", [UInt8](repeating: 1, count: 60_000)).code == 0)
    }
}
