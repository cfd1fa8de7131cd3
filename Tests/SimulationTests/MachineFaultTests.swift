import Automata
import Testing

@testable import Simulation

@Suite("Faults of one machine") struct MachineFaultTests {
    private let first = ProcessID(1)
    private let second = ProcessID(2)

    private func run(_ cluster: inout GossipCluster, for span: TimeSpan) {
        let end = cluster.now + span
        cluster.wake(9, after: span)
        while cluster.now < end, cluster.advance() != nil {}
    }

    @Test("a machine that slept has lost what was sent to it, its timers are late and its clock went on")
    func suspension() throws {
        var cluster = gossipCluster(2, mix: FaultMix(), seed: 1, keeping: .hashOnly)
        run(&cluster, for: .milliseconds(500))
        let (fired, clock) = (cluster[second]?.fired.count, cluster.clock(of: second))
        cluster.suspend(second, lasting: .seconds(5))
        _ = cluster.submit(Gossip.Number(value: 7), to: first)
        run(&cluster, for: .milliseconds(4_900))
        #expect(cluster[second]?.fired.count == fired)
        #expect(cluster.clock(of: second) >= clock + .milliseconds(4_900))
        #expect(cluster.counts.suspensions == 1)
        let lost = cluster.counts.lost
        run(&cluster, for: .seconds(3))
        #expect(cluster.counts.lost > lost)
        // What the other repeats comes all the same.
        #expect(cluster[second]?.known.contains(7) == true)
        #expect(try #require(cluster[second]?.fired.count) > fired ?? 0)
    }

    @Test("a clock that leaps ahead shows a later time, and only that one")
    func clockJump() {
        var cluster = gossipCluster(2, mix: FaultMix(), seed: 1, keeping: .hashOnly)
        let before = (cluster.clock(of: first), cluster.clock(of: second))
        cluster.advanceClock(of: first, by: .seconds(3))
        #expect(cluster.clock(of: first) == before.0 + .seconds(3))
        #expect(cluster.clock(of: second) == before.1)
        #expect(cluster.jumped == .seconds(3))
    }

    @Test("a copy of files shares nothing with them")
    func copies() throws {
        let files = SimulatedFiles(random: SeededRandom(seed: 1))
        try files.makeDirectory("d")
        let file = try files.create("d/a")
        try [1, 2, 3].withUnsafeBytes { (bytes: UnsafeRawBufferPointer) in try file.write(bytes, at: 0) }
        let copy = files.copied()
        let before = copy.bytes(of: "d/a")
        files.damage("d/a") { if !$0.isEmpty { $0[0] = 9 } }
        #expect(copy.bytes(of: "d/a") == before)
        #expect(files.bytes(of: "d/a") != before)
        #expect(copy.paths == ["d/a"])
    }
}
