import GRPCTestSupport
import Testing

@testable import GRPC

@Suite struct DeadlineTests {
    @Test(
        "a timeout has up to eight digits and a unit",
        arguments: [
            ("1H", 3_600_000_000_000 as Int64?), ("2M", 120_000_000_000), ("3S", 3_000_000_000),
            ("500m", 500_000_000), ("7u", 7000), ("99999999n", 99_999_999), ("99999999H", .max),
            ("", nil), ("S", nil), ("100000000n", nil), ("1x", nil), ("-1S", nil), ("1.5S", nil),
        ])
    func parse(text: String, nanoseconds: Int64?) {
        #expect(Array(text.utf8).withUnsafeBufferPointer(GRPCTimeout.parse) == nanoseconds)
    }

    @Test("the service sees the time that is left")
    func timeLeft() {
        let pair = SessionPair()
        pair.server.now = 1000
        _ = pair.call("Unary", [1], timeout: "5m")
        #expect(pair.log.timeout == 5_000_000)
        _ = pair.call("Unary", [1])
        #expect(pair.log.timeout == nil)
    }

    @Test("a malformed timeout refuses the call")
    func malformed() {
        let pair = SessionPair()
        let reply = pair.call("Unary", [1], timeout: "soon")
        #expect(reply.httpStatus == "400")
        #expect(reply.code == 13)
        #expect(reply.message == "malformed grpc-timeout: \"soon\"")
    }

    @Test("calls whose deadlines pass end with DEADLINE_EXCEEDED, and only those")
    func expiry() {
        let pair = SessionPair()
        let late = pair.open("Silent", timeout: "2S")
        let soon = pair.open("Silent", timeout: "1S")
        let never = pair.open("Silent")
        pair.run()
        #expect(pair.server.nextDeadline == 1_000_000_000)
        pair.server.now = 1_000_000_000
        pair.server.onDeadline()
        let reply = pair.reply(to: soon)
        #expect(reply.code == 4)
        #expect(reply.message == "context deadline exceeded")
        #expect(pair.log.cancelled == 1)
        #expect(pair.server.nextDeadline == 2_000_000_000)
        pair.server.now = 3_000_000_000
        pair.server.onDeadline()
        #expect(pair.reply(to: late).code == 4)
        #expect(pair.client.exchanges[never]?.isClosed == false)
        #expect(pair.server.nextDeadline == .max)
    }

    @Test("an answer that is stuck behind flow control is dropped at the deadline")
    func stuckAnswer() {
        let pair = SessionPair(window: 10, clientReadsAlways: false)
        let id = pair.open("Large", timeout: "1S")
        pair.client.send(id, GRPCWire.frame(Array("100000".utf8)), ends: true)
        pair.run()
        #expect(pair.server.queuedBytes > 90_000)
        pair.server.now = 1_000_000_000
        pair.server.onDeadline()
        #expect(pair.reply(to: id).resetCode == 8, "CANCEL")
        #expect(pair.server.queuedBytes == 0)
        #expect(pair.server.openStreams == 0)
    }
}
