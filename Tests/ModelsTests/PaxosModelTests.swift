import Glibc
import ModelChecking
import Models
import Testing

@Suite("Paxos of the production's values", .serialized) struct PaxosModelTests {
    /// The larger one takes longer than all other tests of models: it is a part of the whole run, which sets
    /// SYNOD_EXHAUSTIVE.
    private static let sizes: [(ballots: [Int], states: Int)] =
        [([1, 1], 6_167)] + (getenv("SYNOD_EXHAUSTIVE") == nil ? [] : [([2, 1], 687_503)])

    @Test("agreement and validity hold in every reachable state", arguments: sizes)
    func safe(ballots: [Int], states: Int) throws {
        var options = CheckOptions()
        options.workers = 2
        let report = try ModelCatalogue.model("paxos", ["ballots": .numbers(ballots)]).run(options)
        print(
            "3 acceptors, ballots \(ballots): \(report.distinctStates) distinct states, "
                + "\(report.transitions) transitions, depth \(report.depth)")
        #expect(report.verdict == .holds, "\(report.trace.joined(separator: "\n"))")
        #expect(report.distinctStates == states)
    }

    @Test("an acceptor that forgets its promise on restart is refuted by a shortest trace")
    func forgetful() throws {
        let report = try ModelCatalogue.model("paxos", ["forgetful": .said, "crashes": 1]).run()
        #expect(report.verdict == .violated("agreement"))
        #expect(report.depth == 22 && report.steps.count == 22)
        #expect(report.steps.count { $0.label.hasSuffix("crashes and restarts") } == 1)
        let careful = try ModelCatalogue.model("paxos", ["crashes": 1]).run()
        #expect(careful.verdict == .holds)
    }

    @Test("quorums that miss each other are refuted by a shortest trace")
    func missingQuorums() throws {
        let report = try ModelCatalogue.model("paxos", ["quorum-size": 1]).run()
        #expect(report.verdict == .violated("agreement"))
        // Two ballots that each begin, get one promise made durable, propose, and get one acceptance so.
        #expect(report.steps.count == 1 + 2 * 6)
        let halves = try ModelCatalogue.model("paxos", ["acceptors": 4, "quorum-size": 2]).run()
        #expect(halves.verdict == .violated("agreement") && halves.steps.count == 1 + 2 * 10)
        let all = try ModelCatalogue.model("paxos", ["acceptors": 2, "quorum-size": 2]).run()
        #expect(all.verdict == .holds)
    }
}
