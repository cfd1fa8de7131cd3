import Automata
import Testing

@testable import Simulation

@Suite("Simulated cluster") struct SimulatedClusterTests {
    private let ids = (1...3).map { ProcessID(UInt64($0)) }

    /// A run with faults: clients teach numbers to random processes; returns what was said to be known.
    private func faultyRun(seed: UInt64, keeping: Trace.Keeping) -> (GossipCluster, said: [UInt64]) {
        var random = SeededRandom(seed: seed)
        let mix = FaultMix.drawn(processes: 3, from: &random)
        var cluster = gossipCluster(3, mix: mix, seed: random.next(), keeping: keeping)
        var said: [UInt64] = []
        var next: UInt64 = 0
        cluster.startFaults()
        cluster.wake(1, after: .milliseconds(50))
        let end = Instant.zero + .seconds(10)
        while cluster.now < end, let occurrence = cluster.advance() {
            for (_, number) in cluster.takeReports() where !said.contains(number.value) {
                said.append(number.value)
            }
            if case .woke = occurrence {
                next += 1
                _ = cluster.submit(Gossip.Number(value: next), to: random.element(ids))
                cluster.wake(1, after: .milliseconds(50))
            }
        }
        return (cluster, said)
    }

    @Test("the same seed gives the same trace, line by line", arguments: [1, 2, 3, 4, 5] as [UInt64])
    func sameSeedSameTrace(seed: UInt64) {
        let (a, _) = faultyRun(seed: seed, keeping: .everything)
        let (b, _) = faultyRun(seed: seed, keeping: .everything)
        #expect(a.trace.lines == b.trace.lines)
        #expect(a.trace.hash == b.trace.hash)
        #expect(a.trace.lines.count > 100)
    }

    @Test("the hash of a run does not depend on how much of it is kept, and differs between seeds")
    func hashIsIndependentOfKeeping() {
        let hashes = [Trace.Keeping.hashOnly, .last(10), .everything].map {
            faultyRun(seed: 9, keeping: $0).0.trace.hash
        }
        #expect(hashes[0] == hashes[1] && hashes[1] == hashes[2])
        #expect(faultyRun(seed: 10, keeping: .hashOnly).0.trace.hash != hashes[0])
    }

    @Test("whatever a process said it had durably, all know once faults have stopped", arguments: 1...16)
    func convergesAfterFaults(seed: UInt64) {
        var (cluster, said) = faultyRun(seed: seed, keeping: .hashOnly)
        cluster.stopFaults(healthy: ids)
        cluster.advance(for: .seconds(5))
        #expect(!said.isEmpty)
        for id in ids {
            let known = cluster[id]?.known ?? []
            #expect(said.allSatisfy(known.contains))
        }
    }

    @Test(
        "the processes that are left outside are not heard, and the healthy ones converge", arguments: 1...10)
    func quorumCore(seed: UInt64) {
        var (cluster, said) = faultyRun(seed: seed, keeping: .hashOnly)
        cluster.stopFaults(healthy: Array(ids.prefix(2)), cuttingOff: .both)
        let before = cluster[ids[2]]?.received.count
        cluster.advance(for: .seconds(5))
        _ = cluster.submit(Gossip.Number(value: 1_000_000), to: ids[0])
        cluster.advance(for: .seconds(2))
        #expect(cluster[ids[1]]?.known.contains(1_000_000) == true)
        #expect(cluster[ids[2]]?.known.contains(1_000_000) != true)
        if let before { #expect(cluster[ids[2]].map { $0.received.count >= before } ?? true) }
        _ = said
    }

    @Test("a crash loses what was not synced and nothing that was")
    func crashKeepsWhatWasSynced() {
        var lost = 0
        for seed in 1...200 as ClosedRange<UInt64> {
            var cluster = gossipCluster(1, seed: seed)
            var durable: [UInt64] = []
            var taught: [UInt64] = []
            var random = SeededRandom(seed: seed)
            for number in 1...20 as ClosedRange<UInt64> {
                _ = cluster.submit(Gossip.Number(value: number), to: ids[0])
                taught.append(number)
                if random.coin(), cluster.advance() != nil {
                    durable += cluster.takeReports().map(\.report.value)
                }
            }
            cluster.crash(ids[0], restartingAfter: .milliseconds(1))
            cluster.advance(for: .milliseconds(2))
            let known = cluster[ids[0]]?.known ?? []
            #expect(durable.allSatisfy(known.contains))
            #expect(known == Array(taught.prefix(known.count)))
            if known.count < taught.count { lost += 1 }
        }
        #expect(lost > 50)
    }

    @Test("a message that waits for a write does not leave before it is durable, nor after a crash")
    func sendWaitsForTheDisk() {
        var mix = FaultMix()
        mix.sync = Delay(least: .milliseconds(50))
        var cluster = gossipCluster(2, mix: mix, seed: 1)
        cluster.advance(for: .milliseconds(10))
        _ = cluster.submit(Gossip.Number(value: 7), to: ids[0])
        cluster.advance(for: .milliseconds(40))
        #expect(cluster[ids[1]]?.known == [])
        cluster.crash(ids[0], restartingAfter: .seconds(100))
        cluster.advance(for: .seconds(1))
        #expect(cluster[ids[1]]?.known == [])

        var second = gossipCluster(2, mix: mix, seed: 1)
        _ = second.submit(Gossip.Number(value: 7), to: ids[0])
        second.advance(for: .milliseconds(60))
        #expect(second[ids[1]]?.known == [7])
    }

    @Test("a paused process sees its messages and timers late and in order")
    func pauseDelays() {
        var mix = FaultMix()
        mix.network.isOrdered = true
        var cluster = gossipCluster(2, mix: mix, seed: 3)
        cluster.advance(for: .milliseconds(50))
        cluster.pause(ids[1], lasting: .seconds(3))
        for number in 1...5 as ClosedRange<UInt64> {
            _ = cluster.submit(Gossip.Number(value: number), to: ids[0])
            cluster.advance(for: .milliseconds(100))
        }
        #expect(cluster[ids[1]]?.known == [])
        #expect(cluster[ids[1]]?.fired.count == 0)
        cluster.advance(for: .seconds(3))
        #expect(cluster[ids[1]]?.known == [1, 2, 3, 4, 5])
        #expect((cluster[ids[1]]?.fired.count ?? 0) > 0)
    }

    @Test("a clock that runs fast fires its timers earlier and reads more")
    func clocksSkew() {
        let clock = SkewedClock(origin: 0, started: .zero, skewPPM: 100_000)
        #expect(clock.reading(at: .zero + .seconds(10)) == .zero + .seconds(11))
        #expect(clock.virtual(.seconds(11)).nanoseconds - TimeSpan.seconds(10).nanoseconds <= 1)
        let slow = SkewedClock(origin: 5, started: .zero + .seconds(1), skewPPM: -100_000)
        #expect(slow.reading(at: .zero + .seconds(2)).nanoseconds == 5 + 900_000_000)
    }

    @Test("a cut link loses one direction only, a clogged one delivers late")
    func cutAndClog() {
        var cluster = gossipCluster(2, seed: 5)
        cluster.advance(for: .milliseconds(10))
        cluster.cut(ids[0], ids[1])
        _ = cluster.submit(Gossip.Number(value: 1), to: ids[0])
        _ = cluster.submit(Gossip.Number(value: 2), to: ids[1])
        cluster.advance(for: .milliseconds(100))
        #expect(cluster[ids[0]]?.known == [1, 2])
        #expect(cluster[ids[1]]?.known == [2])
        cluster.heal()
        cluster.clog(ids[0], ids[1], lasting: .seconds(1))
        cluster.advance(for: .milliseconds(900))
        #expect(cluster[ids[1]]?.known == [2])
        cluster.advance(for: .milliseconds(300))
        #expect(cluster[ids[1]]?.known == [2, 1])
    }

    @Test("a line of the trace says when, where, what, and its logical time")
    func traceLines() {
        let (cluster, _) = faultyRun(seed: 1, keeping: .everything)
        let received = cluster.trace.lines.first { $0.contains("received") }
        #expect(
            received?.wholeMatch(of: /\d+\.\d{6} p\d \d+\.p\d \[[p\d: ]+\] received rumour \[.*\] from p\d/)
                != nil)
    }
}
