import Testing

@Suite("Model checking", .serialized) struct PaxosModelTests {
    @Test(
        "agreement and validity hold in every reachable state of the production values",
        arguments: [([1, 1], 8_726), ([2, 1], 982_574)])
    func safe(ballots: [Int], states: Int) {
        var explorer = PaxosExplorer(PaxosModel(ballots: ballots))
        let outcome = explorer.explore()
        print(
            "3 acceptors, ballots \(ballots): \(outcome.distinctStates) distinct states, "
                + "\(outcome.transitions) transitions, depth \(outcome.depth)")
        #expect(outcome.violation == nil, "\(outcome.trace.joined(separator: "\n"))")
        #expect(outcome.distinctStates == states)
    }

    @Test("an acceptor that forgets its promise on restart is refuted by a shortest trace")
    func forgetful() {
        var explorer = PaxosExplorer(PaxosModel(ballots: [1, 1], forgetsPromise: true))
        let outcome = explorer.explore()
        print(
            (["refuted after \(outcome.distinctStates) states: \(outcome.violation ?? "-")"] + outcome.trace)
                .joined(separator: "\n  "))
        #expect(outcome.violation?.hasPrefix("agreement") == true)
        #expect(outcome.trace.contains { $0.hasSuffix("crashes and restarts") })
    }
}
