import ReplicaSimulation
import Simulation
import Testing

/// Each deliberate error breaks one rule on which the safety of the replica rests. A checker that lets one
/// of them pass would let the same error in the replica pass.
@Suite("Deliberate errors are caught") struct MutationTests {
    struct Mutation: Sendable, CustomTestStringConvertible {
        let flaw: HostFlaw
        let processes: Int
        /// One of these must be seen to be broken.
        let rules: [Violation.Rule]
        /// Instead of the mixes that the seeds draw.
        var mix: FaultMix?

        var testDescription: String { "\(flaw)" }
    }

    private static let unsafe: [Violation.Rule] = [.acceptance, .agreement, .state, .linearizability]

    static let mutations: [Mutation] = [
        Mutation(flaw: .answersBeforeDurable, processes: 3, rules: [.durability]),
        Mutation(flaw: .forgetsPromises, processes: 3, rules: unsafe, mix: .restless),
        Mutation(flaw: .losesTail, processes: 3, rules: unsafe + [.recovery]),
        Mutation(flaw: .readsWithoutQuorum, processes: 3, rules: [.linearizability]),
        Mutation(flaw: .retriesProposals, processes: 3, rules: [.atMostOnce]),
        Mutation(flaw: .hidesAccepted, processes: 3, rules: unsafe),
        Mutation(flaw: .countsOneForAll, processes: 5, rules: unsafe),
        Mutation(flaw: .emptyMembersVote, processes: 3, rules: unsafe),
        Mutation(flaw: .startsWithoutLog, processes: 3, rules: unsafe + [.recovery]),
        Mutation(flaw: .appliesOutOfOrder, processes: 3, rules: unsafe),
    ]

    private static let mostSeeds: UInt64 = 100

    @Test("the checkers see it within a bounded number of seeds, and name the seed", arguments: mutations)
    func isCaught(_ mutation: Mutation) {
        for seed in 1...Self.mostSeeds {
            var options = RunOptions(seed: seed, processes: mutation.processes)
            options.flaw = mutation.flaw
            options.mix = mutation.mix
            guard let violation = ReplicaRun.run(options).violation else { continue }
            // A flaw may first show as a cluster that does not recover; what counts is the rule it breaks.
            guard mutation.rules.contains(violation.rule) else { continue }
            print(
                "\(mutation.flaw) is caught by seed \(seed) of \(mutation.processes) processes: \(violation)")
            return
        }
        Issue.record("\(mutation.flaw) is not caught by seeds 1 to \(Self.mostSeeds)")
    }

    @Test("every deliberate error has its test")
    func allAreListed() {
        #expect(Set(Self.mutations.map(\.flaw)) == Set(HostFlaw.allCases))
    }

    @Test("a failing sweep says the seed, the rule, the last of the trace and the command that replays it")
    func failureIsReplayable() {
        var options = SeedSweep.Options()
        options.seeds = 5
        options.flaw = .appliesOutOfOrder
        options.mix = .restless
        options.lastLines = 20
        options.command = "synod simulate"
        var sweep = SeedSweep(options)
        var lines: [String] = []
        #expect(!sweep.run { lines.append($0) })
        let seed = sweep.failures[0].seed
        let replay = "synod simulate --seed \(seed) --processes 3 --flaw appliesOutOfOrder --restless --trace"
        #expect(lines.contains("replay: \(replay)"))
        #expect(lines.contains { $0.hasPrefix("seed \(seed) fails: ") })
        #expect(lines.count > 20)
    }
}
