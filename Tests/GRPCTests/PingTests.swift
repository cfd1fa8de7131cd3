import GRPC
import GRPCTestSupport
import Testing

@Suite struct PingTests {
    @Test("thousands of pings in one read are all answered when there is no rule against them")
    func flood() {
        var settings = GRPCSettings()
        settings.minimumPingInterval = nil
        let pair = SessionPair(settings)
        for _ in 0..<15_000 { pair.client.ping() }
        pair.run()
        #expect(pair.client.pingAnswers == 15_000)
        #expect(pair.client.goAways.isEmpty)
        #expect(pair.call("Unary", [1]).code == 0)
    }

    @Test("a Go client's pings after every answer never end the connection")
    func bandwidthPings() {
        let pair = SessionPair()
        for _ in 0..<2000 {
            #expect(pair.call("Unary", [1]).code == 0)
            pair.client.ping()
        }
        pair.run()
        #expect(pair.client.goAways.isEmpty)
    }

    @Test("pings at the allowed pace never end the connection")
    func allowedPace() {
        let pair = SessionPair()
        _ = pair.open("Silent")
        pair.run()
        for beat in 1...100 {
            pair.server.now = Int64(beat) * 5_000_000_000
            pair.client.ping()
            pair.run()
        }
        #expect(pair.client.pingAnswers == 100)
        #expect(pair.client.goAways.isEmpty)
    }

    @Test("the third ping too soon ends the connection with too_many_pings")
    func tooMany() {
        let pair = SessionPair()
        _ = pair.open("Silent")
        pair.run()
        for _ in 0..<3 {
            pair.client.ping()
            pair.run()
        }
        // The first ping after something was sent is free, the next two are strikes.
        #expect(pair.client.goAways.isEmpty)
        pair.client.ping()
        pair.client.ping()
        pair.run()
        #expect(pair.client.goAways.map(\.debug) == ["too_many_pings"])
        #expect(pair.client.goAways.map(\.code) == [11])
        #expect(pair.server.isFinished)
    }

    @Test("without an open call, pings five seconds apart are too many unless that is allowed")
    func withoutCalls() {
        for isAllowed in [true, false] {
            var settings = GRPCSettings()
            settings.pingsWithoutCalls = isAllowed
            let pair = SessionPair(settings)
            pair.run()
            for beat in 1...10 {
                pair.server.now = Int64(beat) * 5_000_000_000
                pair.client.ping()
                pair.run()
            }
            #expect(pair.client.goAways.isEmpty == isAllowed)
        }
    }
}
