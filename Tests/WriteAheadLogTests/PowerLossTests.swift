import Automata
import Simulation
import Testing

@testable import WriteAheadLog

/// The log on a disk with a page cache, which fails on purpose.
@Suite struct PowerLossTests {
    @Test("whatever the machine does, what was said to be durable is there, and nothing that nobody wrote")
    func trials() throws {
        var (acknowledged, lives, cuts, unfinished) = (0, 0, 0, 0)
        var counts = SimulatedFiles.Counts()
        for seed in 1...200 as ClosedRange<UInt64> {
            var trial = LogOnTrial(seed: seed)
            do {
                for _ in 0..<120 { try trial.step() }
                try trial.finish()
            } catch {
                Issue.record("seed \(seed): \(error)")
                return
            }
            acknowledged += trial.acknowledged
            lives += trial.lives
            cuts += trial.cuts
            unfinished += trial.unfinishedOpenings
            counts.add(trial.files.counts)
        }
        for (name, count) in [
            ("acknowledged", acknowledged), ("lives", lives), ("cuts", cuts),
            ("openings cut short", unfinished),
            ("failed syncs", counts.failedSyncs), ("losses of power", counts.losses),
            ("torn sectors", counts.tornSectors), ("lost names", counts.lostNames),
            ("forgotten sectors", counts.forgottenSectors), ("refusals", counts.refusedForWantOfRoom),
        ] {
            #expect(count > 10, "\(name): \(count)")
        }
    }
}
