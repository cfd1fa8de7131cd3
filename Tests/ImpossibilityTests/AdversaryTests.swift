import Testing

@testable import Impossibility

@Suite("The adversary") struct AdversaryTests {
    @Test(
        "keeps Paxos undecided, fairly, until Ω names a leader", arguments: [2, 3, 5], [1, 2, 3] as [UInt64])
    func undecided(processes: Int, seed: UInt64) throws {
        let report = AdversaryReport(processes: processes, deliveries: 3000, seed: seed, omega: true)
        #expect(report.stayedUndecided && report.isSafe)
        #expect(
            report.fairness.surrenders == 0 && report.fairness.longestDetour <= SynodAdversary.detourLimit)
        // Everybody takes part, and nothing waits for long.
        #expect(report.fairness.receivedBy.allSatisfy { $0 > 3000 / processes / 2 })
        #expect(report.fairness.longestWait < 60 * processes)
        #expect(try #require(report.decidedAt) < report.fairness.deliveries + 1000)
    }

    @Test("the same seed is the same run")
    func replays() {
        let runs = (0..<2).map { _ in
            AdversaryReport(processes: 3, deliveries: 1000, seed: 9, omega: true).lines
        }
        #expect(runs[0] == runs[1])
    }

    @Test("left alone, with the oldest message first, Paxos with one proposer decides")
    func aloneDecides() {
        let report = AdversaryReport(processes: 3, deliveries: 1, seed: 1, omega: true)
        #expect(report.decidedAt != nil)
    }

    @Test("Ben-Or decides, whoever crashes, under a hostile order of messages")
    func benOr() {
        for (processes, crashes) in [(2, 0), (3, 1), (5, 2), (7, 3)] {
            for seed in 1...25 as ClosedRange<UInt64> {
                let run = BenOrRun(processes: processes, crashes: crashes, seed: seed)
                #expect(run.isDecided && run.isSafe, "seed \(seed) of \(processes)")
                #expect(run.crashed.count { $0 } <= crashes)
            }
        }
    }

    @Test(
        "a wrong command line ends with 2",
        arguments: [
            [], ["fly"], ["valence", "--protocol", "x"], ["adversary", "--seed", "x"],
            ["ben-or", "--crashes", "9"],
            ["adversary", "--rounds", "2"], ["valence", "--ballots", "1,,2"], ["valence", "--ballots"],
        ])
    func usage(arguments: [String]) {
        #expect(ImpossibilityProgram(say: { _ in }, complain: { _ in }).run(arguments) == 2)
    }

    @Test("exit codes: 0 seen, 1 disagreement, 3 too many configurations")
    func exitCodes() {
        let program = ImpossibilityProgram(say: { _ in }, complain: { _ in })
        #expect(program.run(["adversary", "--deliveries", "200", "--omega", "--json"]) == 0)
        #expect(program.run(["valence", "--protocol", "wait-for-all-but-one"]) == 1)
        #expect(program.run(["valence", "--max-configurations", "50"]) == 3)
        #expect(program.run(["ben-or", "--seeds", "5", "--json"]) == 0)
    }
}
