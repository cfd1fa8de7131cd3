import ReplicaSimulation
import Simulation
import Testing

@Suite("Whole members under simulation") struct MemberRunTests {
    @Test("the same seed gives the same trace twice", arguments: [3, 8] as [UInt64])
    func sameTrace(seed: UInt64) {
        var options = MemberRun.Options(seed: seed)
        options.keeping = .everything
        let (first, second) = (MemberRun.run(options), MemberRun.run(options))
        #expect(first.trace.count > 1_000)
        #expect(first.hash == second.hash)
        #expect(first.trace == second.trace)
    }

    /// A few of what `make simulate` runs; `Tests/System/simulation.py` runs more of them, built for speed.
    @Test(
        "with faults of every kind clients are told nothing wrong, and once they stop everything is well again"
    )
    func sweep() {
        var options = MemberSweep.Options()
        options.seeds = 12
        var sweep = MemberSweep(options)
        var lines: [String] = []
        let isWell = sweep.run { lines.append($0) }
        #expect(isWell, "\(lines.joined(separator: "\n"))")
        // Runs that see nothing of interest would prove nothing.
        #expect(sweep.statistics.answered > 500)
        #expect(sweep.statistics.crashes > 0)
        #expect(sweep.statistics.points[.leaseExpired, default: 0] > 0)
        #expect(sweep.statistics.watchEvents > 500)
        let ofWatches: [MemberPoint] = [
            .watchCrossed, .watchResumed, .watchCompacted, .watchSlowed, .watchMissed, .watchToldUpTo,
        ]
        let ofStores: [MemberPoint] = [
            .storeMadeAnew, .syncFailed, .pointWithoutRoom, .copyCaughtUp, .copiedWhileAway, .switchPutOff,
            .copyFailed,
        ]
        for point in ofWatches + ofStores {
            #expect(sweep.statistics.points[point, default: 0] > 0, "\(point.rawValue)")
        }
    }

    @Test("deliberate errors are caught", arguments: MemberFlaw.allCases)
    func flaws(flaw: MemberFlaw) {
        var options = MemberSweep.Options()
        options.flaw = flaw
        options.seeds = 60
        options.lastLines = 5
        options.shrinks = false
        var sweep = MemberSweep(options)
        var lines: [String] = []
        #expect(!sweep.run { lines.append($0) }, "\(flaw) is not caught")
        if let (seed, violation) = sweep.failures.first {
            print("\(flaw) is caught by seed \(seed): \(violation)")
            #expect(violation.rule != .liveness)
            #expect(
                lines.contains(
                    "replay: synod simulate members --seed \(seed) --flaw \(flaw.rawValue) --trace"))
        }
    }
}
