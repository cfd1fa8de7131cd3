import ModelChecking
import Models
import Testing

@Suite("Multicast, every schedule") struct MulticastModelTests {
    private func check(_ kind: String, _ others: [String: ParameterValue] = [:]) throws -> CheckReport {
        try ModelCatalogue.model("multicast", others.merging(["kind": .word(kind)]) { $1 }).run()
    }

    @Test(
        "two multicasts among three, and one of them may crash",
        arguments: [
            ("best-effort", 90), ("flooding", 767), ("reliable", 6390), ("causal", 6390), ("skeen", 720),
        ])
    func holds(kind: String, states: Int) throws {
        let report = try check(kind, ["multicasts": [2, 0, 0], "crash": 1])
        #expect(report.verdict == .holds && report.distinctStates == states)
    }

    @Test("groups go from view to view", arguments: ["views", "views-causal", "sequencer"])
    func views(kind: String) throws {
        let report = try check(kind, ["multicasts": [1, 0, 0], "crash": 1])
        #expect(report.verdict == .holds && report.distinctStates > 1000)
    }

    @Test(
        "what promises less does not keep what promises more",
        arguments: [
            ("best-effort", "flooding", "agreement"), ("flooding", "uniform-flooding", "agreement"),
            ("reliable", "uniform", "agreement"), ("views", "views-uniform", "virtual synchrony"),
        ])
    func weaker(kind: String, promising: String, broken: String) throws {
        let values: [String: ParameterValue] = [
            "multicasts": [1, 0, 0], "crash": 1, "promising": .word(promising),
        ]
        #expect(try check(kind, values).verdict == .violated(broken))
    }

    @Test(
        "where groups overlap, not everything is for everybody, and nothing is violated by that",
        arguments: [[2, 0, 0], [0, 1, 0], [0, 2, 0], [1, 1, 0], [0, 0, 0], [1, 1]])
    func overlappingGroups(multicasts: [Int]) throws {
        let report = try check("skeen", ["multicasts": .numbers(multicasts)])
        #expect(report.verdict == .holds, "\(report.verdict)")
    }

    @Test("what Skeen's multicast keeps without promising it is judged by whom each is for")
    func overlappingPromises() throws {
        // Nobody crashes, so that all for whom one is deliver it.
        let agreement = try check("skeen", ["multicasts": [2, 1, 0], "promising": "reliable"])
        #expect(agreement.verdict == .holds, "\(agreement.verdict)")
        let crashed = try check("skeen", ["multicasts": [1, 0, 0], "crash": 2, "promising": "reliable"])
        #expect(crashed.verdict == .holds || crashed.verdict == .violated("agreement"))
    }

    @Test("an answer that overtakes its question, and two that are seen in different orders")
    func orders() throws {
        let question = try check("reliable", ["multicasts": [1, 1, 0], "promising": "causal"])
        #expect(question.verdict == .violated("causal order") && question.trace.count == 5)
        let both = try check("views", ["multicasts": [1, 1, 0], "promising": "sequencer"])
        #expect(both.verdict == .violated("total order") && both.trace.count == 5)
    }

    @Test(
        "in causal order, whatever the order of receipt, causes are delivered first",
        arguments: [([1, 1, 1], 690), ([2, 1, 0], 301), ([2, 2, 0], 3037)])
    func causal(multicasts: [Int], states: Int) throws {
        let values: [String: ParameterValue] = ["multicasts": .numbers(multicasts)]
        let report = try ModelCatalogue.model("causal-order", values).run()
        #expect(report.verdict == .holds && report.distinctStates == states)
    }

    @Test("without the own entry a multicast overtakes its predecessor, without the others its cause")
    func causalFlaws() throws {
        let own = try ModelCatalogue.model(
            "causal-order", ["multicasts": [2, 0, 0], "flaw": "skips-own-entry"]
        ).run()
        #expect(own.verdict == .violated("causal order") && own.trace.count == 4)
        let others = try ModelCatalogue.model(
            "causal-order", ["multicasts": [1, 1, 0], "flaw": "ignores-causes"]
        ).run()
        #expect(others.verdict == .violated("causal order") && others.trace.count == 5)
    }

    @Test(
        "without memory one is delivered twice; where only its sender repeats it, it is lost with its sender")
    func flawsOfReliability() throws {
        let again = try check("flooding", ["multicasts": [1, 0, 0], "flaw": "forgets"])
        #expect(again.verdict == .violated("integrity") && again.trace.count == 4)
        let lost = try check(
            "reliable", ["multicasts": [1, 0, 0], "crash": 1, "flaw": "only-sender-repeats"])
        #expect(lost.verdict == .violated("agreement") && lost.trace.count == 9)
    }

    @Test("a flaw of another kind is refused, and its kinds are named")
    func flawOfAnotherKind() {
        let refusal = #expect(throws: CatalogueError.self) {
            try check("views", ["multicasts": [1, 0, 0], "crash": 1, "flaw": "orders-again"])
        }
        #expect(refusal?.description.contains("sequencer, sequencer-uniform, not of views") == true)
    }

    @Test("without the flush; with a sequencer that orders again")
    func flaws() throws {
        let unflushed = try check("views", ["multicasts": [1, 0, 0], "crash": 1, "flaw": "skips-flush"])
        #expect(unflushed.verdict == .violated("virtual synchrony") && unflushed.trace.count == 12)
        let again = try check("sequencer", ["multicasts": [1, 0, 0], "crash": 1, "flaw": "orders-again"])
        #expect(again.verdict == .violated("integrity") && again.trace.count == 12)
    }
}
