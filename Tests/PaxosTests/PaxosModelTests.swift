import Glibc
import Testing

@Suite("Model checking", .serialized) struct PaxosModelTests {
    /// The larger one takes a quarter of the time of all the cores' tests together: it is a part of the whole
    /// run, which sets SYNOD_EXHAUSTIVE, and not of `make core`.
    private static let sizes: [(ballots: [Int], states: Int)] =
        [([1, 1], 8_726)] + (getenv("SYNOD_EXHAUSTIVE") == nil ? [] : [([2, 1], 982_574)])

    @Test(
        "agreement and validity hold in every reachable state of the production values", arguments: sizes)
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
