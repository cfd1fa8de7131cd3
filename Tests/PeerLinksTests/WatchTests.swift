import Automata
import PeerLinks
import Testing

@Suite("Waiting for a peer") struct WatchTests {
    private let times = LinkTimes(electionTimeout: .milliseconds(1000))

    /// How many ticks it takes until the peer is given up, a thousand at most.
    private func ticks(of watch: inout SilenceWatch) -> Int {
        for tick in 1..<1000 where watch.tick() { return tick }
        return 1000
    }

    @Test("a peer is given up after two election timeouts of silence, and not before")
    func silence() {
        var watch = SilenceWatch()
        #expect(times.silence == .seconds(2))
        for _ in 1..<LinkTimes.silentTicksLimit { _ = watch.tick() }
        watch.heard()
        #expect(ticks(of: &watch) == LinkTimes.silentTicksLimit)
    }

    @Test("who does not read gives nobody up, and begins to count anew when it reads again")
    func notReading() {
        var watch = SilenceWatch()
        for _ in 1..<LinkTimes.silentTicksLimit { _ = watch.tick() }
        watch.isReading = false
        #expect(ticks(of: &watch) == 1000)
        watch.isReading = true
        #expect(ticks(of: &watch) == LinkTimes.silentTicksLimit)
    }

    @Test("a transfer whose peer is silent ends as soon as any connection, one that only stalls later")
    func transfers() {
        var silent = TransferWatch(times)
        let verdicts = (1...LinkTimes.silentTicksLimit).map { _ in silent.tick() }
        #expect(verdicts.last == .silent && verdicts.dropLast().allSatisfy { $0 == .goOn })

        var stalled = TransferWatch(times)
        var ticks = 0
        var verdict = TransferWatch.Verdict.goOn
        while verdict == .goOn, ticks < 10_000 {
            ticks += 1
            stalled.heard()
            verdict = stalled.tick()
        }
        #expect(verdict == .stalled)
        #expect(times.tick * UInt64(ticks) == .seconds(30))
    }

    @Test("a transfer that gets on is never given up, however long it takes")
    func progress() {
        var watch = TransferWatch(times)
        var verdicts: [TransferWatch.Verdict] = []
        for _ in 1...20 {
            for _ in 1..<times.stalledTicksLimit {
                watch.heard()
                verdicts.append(watch.tick())
            }
            watch.progressed()
        }
        #expect(verdicts.allSatisfy { $0 == .goOn })
    }

    @Test("every wait follows from the election timeout", arguments: [50, 300, 1000, 5000] as [UInt64])
    func proportions(milliseconds: UInt64) {
        let times = LinkTimes(electionTimeout: .milliseconds(milliseconds))
        #expect(times.tick * 4 == times.electionTimeout || times.tick == .milliseconds(5))
        #expect(times.silence == times.tick * UInt64(LinkTimes.silentTicksLimit))
        #expect(times.nextAttempt <= .seconds(1))
        #expect(times.connecting > times.nextAttempt && times.unacknowledged > times.silence)
        #expect(times.stall > times.silence)
    }

    @Test(
        "attempts to connect come soon, then half as often each, and never more seldom than twice a timeout")
    func redial() {
        var redial = Redial(times)
        let waits = (0..<12).map { _ in redial.failed() }
        #expect(waits[0].lowerBound == .milliseconds(20) && waits[1].lowerBound == .milliseconds(40))
        #expect(zip(waits, waits.dropFirst()).allSatisfy { $0.lowerBound <= $1.lowerBound })
        #expect(
            waits.allSatisfy { $0.lowerBound <= .milliseconds(500) && $0.upperBound <= .milliseconds(750) })
        redial.succeeded()
        #expect(redial.failed().lowerBound == .milliseconds(20))
    }
}
