import ModelChecking
import Testing

@Suite("Liveness") struct LivenessTests {
    typealias P = Property<UInt64>

    @Test("an unfair cycle is no counterexample, and without fairness it is one")
    func unfairCycle() {
        // 0 and 1 may go round for ever only if the step to 2 is put off for ever.
        let steps = "0 round 1, 1 round 0, 0 leave 2, 1 leave 2"
        let done = P.eventually("done") { $0 == 2 }
        #expect(SmallGraph(steps, done, fairness: [.weak("leave")]).lasso() == nil)
        #expect(SmallGraph(steps, done, fairness: [.weak("round")]).lasso() == "0 (1 0)")
        #expect(SmallGraph(steps, done).lasso() == "0 ()")
    }

    @Test("weak fairness does not help an action that is disabled again and again; strong fairness does")
    func weakAndStrong() {
        let steps = "0 round 1, 1 round 0, 0 leave 2"
        let done = P.eventually("done") { $0 == 2 }
        #expect(
            SmallGraph(steps, done, fairness: [.weak("round"), .weak("leave")]).lasso() == "0 (1 0)")
        #expect(SmallGraph(steps, done, fairness: [.weak("round"), .strong("leave")]).lasso() == nil)
    }

    @Test("a fair cycle behind a join is found, though the join is first reached where the property was met")
    func join() {
        // The search comes to 3 through 1, which meets the property; the way through 2, 4 does not.
        let steps = "0 a 1, 0 a 2, 1 a 3, 2 a 4, 4 a 3, 3 a 5, 5 a 3"
        let graph = SmallGraph(steps, .eventually("met") { $0 == 1 }, fairness: [.progress])
        #expect(graph.lasso() == "0 2 4 3 (5 3)")
    }

    @Test("a run that cannot go on stays where it is for ever")
    func terminalState() {
        let graph = SmallGraph("0 a 1, 0 a 2", .eventually("met") { $0 == 2 }, fairness: [.progress])
        #expect(graph.lasso() == "0 1 ()")
        let good = SmallGraph("0 a 1, 1 a 2", .eventually("met") { $0 == 2 }, fairness: [.progress])
        #expect(good.lasso() == nil)
    }

    @Test("a run may stop anywhere unless fairness makes it go on")
    func stopping() {
        #expect(SmallGraph("0 a 1", .eventually("met") { $0 == 1 }).lasso() == "0 ()")
        #expect(SmallGraph("0 a 1", .eventually("met") { $0 == 1 }, fairness: [.weak("a")]).lasso() == nil)
    }

    @Test("a step that changes nothing is neither enabled nor taken")
    func selfLoops() {
        let graph = SmallGraph("0 a 0, 0 b 1", .eventually("met") { $0 == 1 }, fairness: [.weak("a")])
        #expect(graph.lasso() == "0 ()")
    }

    @Test("the cycle is as short as fairness lets it be, not the whole component")
    func shortCycle() {
        let steps = "0 a 1, 1 a 2, 2 a 3, 3 a 4, 4 a 5, 5 a 0, 1 b 0"
        let graph = SmallGraph(steps, .eventually("never") { $0 == 9 }, fairness: [.weak("a"), .weak("b")])
        #expect(graph.lasso() == "0 (1 0)")
    }

    @Test("fairness is tested on the part of a component in which a run really stays")
    func innerComponent() {
        // The component is {0, 1, 2}. It has an `x` enabled in 2, never taken inside; strong fairness
        // forbids to pass 2 for ever but not to stay with 0 and 1.
        let steps = "0 a 1, 1 a 0, 1 b 2, 2 a 0, 2 x 3"
        let done = P.eventually("done") { $0 == 3 }
        #expect(SmallGraph(steps, done, fairness: [.progress, .strong("x")]).lasso() == "0 (1 0)")
        let must = [Fairness<SmallGraph.Step>.progress, .strong("x"), .strong("b")]
        #expect(SmallGraph(steps, done, fairness: must).lasso() == nil)
    }

    @Test("always eventually and eventually always are told apart")
    func twoModalities() {
        let blink = "0 a 1, 1 a 0"
        let fair: [Fairness<SmallGraph.Step>] = [.progress]
        #expect(SmallGraph(blink, .alwaysEventually("on") { $0 == 1 }, fairness: fair).lasso() == nil)
        #expect(
            SmallGraph(blink, .eventuallyAlways("on") { $0 == 1 }, fairness: fair).lasso() == "0 (1 0)")
        #expect(SmallGraph(blink, .eventually("on") { $0 == 1 }, fairness: fair).lasso() == nil)
        let settle = "0 a 1, 1 a 2, 2 a 1, 0 a 3, 3 a 4"
        #expect(SmallGraph(settle, .eventuallyAlways("gone") { $0 != 0 }, fairness: fair).lasso() == nil)
        #expect(
            SmallGraph(settle, .alwaysEventually("low") { $0 < 3 }, fairness: fair).lasso() == "0 3 4 ()")
    }

    @Test("the cycle of eventually always goes through a state without it, even if the stem need not")
    func cycleMeetsTarget() {
        let steps = "0 a 1, 1 a 2, 2 a 1, 2 a 3, 3 a 1"
        let graph = SmallGraph(steps, .eventuallyAlways("not 3") { $0 != 3 }, fairness: [.progress])
        #expect(graph.lasso() == "0 1 (2 3 1)")
    }

    @Test("leads to asks for what follows after every premise, also a later one")
    func leadsTo() {
        let steps = "0 a 1, 1 a 2, 2 a 3, 3 a 4, 4 a 5, 5 a 4"
        let answered = P.leadsTo("answered", from: { $0 == 1 }, to: { $0 == 2 })
        let ignored = P.leadsTo("ignored", from: { $0 == 3 }, to: { $0 == 2 })
        #expect(SmallGraph(steps, answered, fairness: [.progress]).lasso() == nil)
        #expect(SmallGraph(steps, ignored, fairness: [.progress]).lasso() == "0 1 2 3 4 (5 4)")
    }

    @Test("every fair action is taken in the cycle that is shown")
    func fairCycleTakesAll() {
        let steps = "0 a 1, 1 b 0, 0 c 2, 2 d 0"
        let all = ["a", "b", "c", "d"].map { Fairness<SmallGraph.Step>.strong($0) }
        let graph = SmallGraph(steps, .eventually("never") { $0 == 9 }, fairness: all)
        let trace = Checker(graph).run().counterexample?.trace
        let names = trace.map { $0.actions[($0.cycleStart ?? 0)...].map(\.name) } ?? []
        #expect(Set(names) == ["a", "b", "c", "d"] && trace?.states.last == trace?.states[0])
    }

    @Test("a bound on memory ends the look at infinite runs, and says that every state holds")
    func bounds() {
        let tree = ReturningTree(count: 10_000)
        #expect(Checker(tree).run().verdict == .holds)
        var options = CheckOptions()
        // As much as the single states take, and not what the graph takes.
        options.memoryBytes = Checker(ReturningTree(count: 10_000, looksAtRuns: false)).run().bytes
        let late = Checker(tree, options).run()
        #expect(late.verdict == .boundReached(.memory))
        #expect(late.allStatesHold && late.distinctStates == 10_000)
        options.memoryBytes = 1 << 17
        let early = Checker(tree, options).run()
        #expect(early.verdict == .boundReached(.memory) && !early.allStatesHold)
    }
}

/// A tree of numbers in which every number has two children and leads back to the first in many ways.
private struct ReturningTree: Model {
    let count: UInt64
    var looksAtRuns = true

    func initialStates() -> [UInt64] { [0] }
    func addActions(in state: UInt64, to actions: inout [UInt64]) {
        actions += [2 * state + 1, 2 * state + 2].filter { $0 < count }
        actions += (0..<20).map { ($0 * state) % 7 }
    }
    func successor(of state: UInt64, by action: UInt64) -> UInt64? { action }
    var properties: [Property<UInt64>] {
        let count = count
        return looksAtRuns ? [.eventuallyAlways("a number") { $0 < count }] : []
    }
}
