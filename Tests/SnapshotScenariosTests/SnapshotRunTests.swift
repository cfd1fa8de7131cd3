import GlobalSnapshot
import SnapshotScenarios
import Testing

@Suite("Snapshots under simulation") struct SnapshotRunTests {
    /// A few of what `simulate snapshots` runs.
    @Test("whatever the schedule, every snapshot conserves what there is and its witness passes through it")
    func sweep() {
        var sweep = SnapshotSweep()
        var lines: [String] = []
        let isWell = sweep.run(count: 300) { lines.append($0) }
        #expect(isWell, "\(lines.joined(separator: "\n"))")
        print(lines.last ?? "")
        // Runs in which nothing of interest happens would prove nothing.
        #expect(sweep.total.snapshots > 300)
        #expect(sweep.total.aborted > 10)
        #expect(sweep.total.swaps > 1_000)
        #expect(sweep.total.messagesInChannels > 300)
    }

    private func firstViolation(
        of flaw: SnapshotFlaw, _ algorithm: SnapshotRunOptions.Algorithm
    ) -> (seed: UInt64, sentence: String)? {
        for seed in 1...100 as ClosedRange<UInt64> {
            var options = SnapshotRunOptions(
                seed: seed, algorithm: algorithm, application: .tokens, initiators: 2)
            options.flaw = flaw
            options.collection = .byHost
            if let violation = SnapshotRun.run(options).violation { return (seed, violation) }
        }
        return nil
    }

    @Test("Chandy and Lamport's algorithm is refuted on channels that do not keep order")
    func overtaking() throws {
        let violation = try #require(firstViolation(of: .overtakes, .chandyLamport))
        print("overtakes: seed \(violation.seed): \(violation.sentence)")
    }

    @Test("Lai and Yang's algorithm is refuted when the white messages are not counted")
    func uncounted() throws {
        let violation = try #require(firstViolation(of: .dropsWhiteCounts, .laiYang))
        #expect(violation.sentence.contains("holds"), "\(violation.sentence)")
        print("dropsWhiteCounts: seed \(violation.seed): \(violation.sentence)")
    }

    @Test("the same seed gives the same run, and another seed another", arguments: [3, 4] as [UInt64])
    func sameSeed(seed: UInt64) {
        let first = SnapshotRun.run(SnapshotSweep.options(seed: seed))
        #expect(first == SnapshotRun.run(SnapshotSweep.options(seed: seed)))
        #expect(first.hash != SnapshotRun.run(SnapshotSweep.options(seed: seed + 20)).hash)
    }

    @Test(
        "on channels that do not keep order Lai and Yang's snapshots hold late white messages",
        arguments: 1...5)
    func laiYang(initiators: Int) {
        var late = 0
        for seed in 1...10 as ClosedRange<UInt64> {
            let outcome = SnapshotRun.run(
                SnapshotRunOptions(
                    seed: seed, algorithm: .laiYang, application: .bank, initiators: initiators))
            #expect(outcome.violation == nil)
            late += outcome.messagesInChannels
        }
        #expect(late > 0)
    }
}
