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
}
