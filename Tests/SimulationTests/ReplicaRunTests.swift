import ReplicaSimulation
import Simulation
import Testing

@Suite("Replicas under simulation") struct ReplicaRunTests {
    private func outcome(_ seed: UInt64, _ processes: Int, _ keeping: Trace.Keeping = .hashOnly)
        -> ReplicaRun.Outcome
    {
        var options = RunOptions(seed: seed, processes: processes)
        options.keeping = keeping
        return ReplicaRun.run(options)
    }

    @Test("the same seed gives the same trace twice", arguments: [(11, 3), (13, 5)])
    func sameTrace(seed: UInt64, processes: Int) {
        let first = outcome(seed, processes, .everything)
        let second = outcome(seed, processes, .everything)
        #expect(first.hash == second.hash)
        #expect(first.trace == second.trace)
        #expect(first.statistics == second.statistics)
    }

    /// A few of what `make simulate` runs; `Tests/System/simulation.py` runs more of them, built for speed.
    @Test(
        "with faults of every kind nothing goes wrong, and once they stop everything is well again",
        arguments: [(3, 6), (5, 3)])
    func sweep(processes: Int, seeds: Int) {
        var options = SeedSweep.Options()
        options.seeds = seeds
        options.processes = processes
        var sweep = SeedSweep(options)
        var lines: [String] = []
        let isWell = sweep.run { lines.append($0) }
        #expect(isWell, "\(lines.joined(separator: "\n"))")

        // Runs that see nothing of interest would prove nothing.
        let seen = sweep.statistics
        for (name, count) in [
            ("elections", seen.elections), ("crashes", seen.crashes), ("losses of power", seen.powerLosses),
            ("segments begun", seen.points[.segmentBegun, default: 0]),
            ("files used anew", seen.points[.segmentKept, default: 0]),
            ("partitions", seen.partitions),
            ("pauses", seen.pauses), ("clogged links", seen.clogs), ("checkpoints", seen.checkpoints),
            ("trims", seen.trims), ("reconfigurations", seen.reconfigurations),
            ("reads", seen.readsAnswered), ("acknowledged", seen.acknowledged), ("unknown", seen.unknown),
        ] {
            #expect(count > 0, "no \(name) in \(seeds) runs")
        }
    }
}
