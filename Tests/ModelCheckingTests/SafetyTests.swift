import ModelChecking
import Synchronization
import Testing

@Suite("Safety") struct SafetyTests {
    private func options(_ change: (inout CheckOptions) -> Void) -> CheckOptions {
        var options = CheckOptions()
        change(&options)
        return options
    }

    @Test("every state is counted once, and an initial state has depth 1")
    func counts() {
        let result = Checker(BitStrings(longest: 9)).run()
        #expect(result.verdict == .holds)
        #expect(result.distinctStates == 1023 && result.depth == 10 && result.transitions == 1023)
        #expect(result.witnesses.map(\.property) == ["some ones"])
        #expect(result.witnesses[0].trace.states.count == 2)
    }

    @Test("symmetric states are one, and a trace keeps to the states that really follow each other")
    func symmetry() {
        let model = BitStrings(longest: 9, usesSymmetry: true, forbidden: 0b1_0110_1011)
        let result = Checker(model).run()
        let trace = result.counterexample?.trace
        #expect(result.verdict == .violated && trace?.states.count == 10)
        for (state, next) in zip(trace?.states ?? [], trace?.states.dropFirst() ?? []) {
            #expect(next.bits & (1 << state.length - 1) == state.bits)
        }
        #expect(Checker(BitStrings(longest: 9, usesSymmetry: true)).run().distinctStates == 512)
    }

    @Test("a boundary leaves out what is beyond it")
    func boundary() {
        #expect(Checker(BitStrings(longest: 9, boundary: 4)).run().distinctStates == 31)
    }

    @Test("a counterexample is a shortest one")
    func shortest() {
        // Two ways to 9: a long one that comes first, and a short one.
        let graph = SmallGraph(
            "0 a 1, 1 a 2, 2 a 3, 3 a 9, 0 b 4, 4 b 9, 9 c 10", .always("not 9") { $0 < 9 })
        let result = Checker(graph).run()
        #expect(result.counterexample?.trace.states == [0, 4, 9])
        #expect(result.counterexample?.trace.actions.map(\.name) == ["b", "b"])
        #expect(result.depth == 3)
        let deep = Checker(graph, options { $0.strategy = .depthFirst }).run()
        #expect(deep.verdict == .violated && deep.counterexample?.trace.states.last == 9)
    }

    @Test("a sometimes that no state meets is violated, and only once all states are known")
    func sometimes() {
        let graph = SmallGraph("0 a 1, 1 a 2", .sometimes("far") { $0 == 5 })
        #expect(Checker(graph).run().verdict == .violated)
        #expect(Checker(graph, options { $0.depthLimit = 2 }).run().verdict == .boundReached(.depth))
        #expect(Checker(graph, options { $0.strategy = .depthFirst }).run().verdict == .violated)
    }

    @Test("the result is the same for every number of workers", arguments: [2, 3, 7])
    func workers(count: Int) {
        for forbidden in [UInt64?.none, 0b101_1001_1101, 0] {
            let model = BitStrings(longest: 11, forbidden: forbidden)
            let alone = Checker(model).run()
            let together = Checker(model, options { $0.workers = count }).run()
            #expect(alone.verdict == together.verdict)
            #expect(alone.distinctStates == together.distinctStates && alone.depth == together.depth)
            #expect(alone.counterexample?.trace.states == together.counterexample?.trace.states)
            #expect(alone.witnesses.map(\.trace.states) == together.witnesses.map(\.trace.states))
            #expect(alone.bytes == together.bytes)
        }
    }

    @Test("with whole states kept, equal fingerprints do not make two states one")
    func exactStates() {
        let model = BitStrings(longest: 6, confusesFingerprints: true, forbidden: 0b10_1101)
        #expect(Checker(model).run().distinctStates == 1)
        let result = Checker(model, options { $0.keepsStates = true }).run()
        #expect(result.verdict == .violated && result.counterexample?.trace.states.count == 7)
        let all = BitStrings(longest: 6, confusesFingerprints: true)
        #expect(Checker(all, options { $0.keepsStates = true }).run().distinctStates == 127)
    }

    @Test("a bound on memory or states ends the search and says so")
    func bounds() {
        let model = BitStrings(longest: 40)
        let memory = Checker(model, options { $0.memoryBytes = 1 << 21 }).run()
        #expect(memory.verdict == .boundReached(.memory))
        #expect(memory.bytes <= 1 << 21 && memory.distinctStates > 1000)
        #expect(memory.bytesPerState > 24)
        #expect(
            Checker(model, options { $0.statesLimit = 500 }).run().verdict == .boundReached(.states))
        #expect(
            Checker(
                model,
                options {
                    $0.strategy = .depthFirst
                    $0.memoryBytes = 1 << 21
                }
            ).run().verdict == .boundReached(.memory))
    }

    @Test("depth first and breadth first see the same states")
    func strategies() {
        let model = BitStrings(longest: 8)
        let deep = Checker(model, options { $0.strategy = .depthFirst }).run()
        #expect(deep.verdict == .holds && deep.distinctStates == 511)
    }

    @Test("a random walk that fails is found again from its seed, by any number of workers")
    func randomWalks() {
        let model = BitStrings(longest: 6, forbidden: 0b11_0101)
        let walks = CheckOptions.Strategy.randomWalks(count: 500, length: 20, seed: 3)
        let first = Checker(model, options { $0.strategy = walks }).run()
        let second = Checker(
            model,
            options {
                $0.strategy = walks
                $0.workers = 3
            }
        ).run()
        #expect(first.verdict == .violated)
        #expect(first.counterexample?.trace.states == second.counterexample?.trace.states)
        let safe = Checker(BitStrings(longest: 6), options { $0.strategy = walks }).run()
        #expect(safe.verdict == .boundReached(.walks))
    }

    @Test("random walks count a state once, and visits beside it", arguments: [1, 3])
    func visitsOfWalks(workers: Int) {
        let all = Checker(BitStrings(longest: 4)).run()
        #expect(all.distinctStates == 31 && all.visits == nil)
        let walks = Checker(
            BitStrings(longest: 4),
            options {
                $0.strategy = .randomWalks(count: 2000, length: 20, seed: 1)
                $0.workers = workers
            }
        ).run()
        // 2,000 walks of four steps each see all of 31 states, again and again.
        #expect(walks.distinctStates == 31 && walks.visits == 10_000 && walks.transitions == 8000)
    }

    @Test(
        "a search that is interrupted says what it has found so far",
        arguments: [
            CheckOptions.Strategy.breadthFirst, .depthFirst,
            .randomWalks(count: 1 << 30, length: 20, seed: 1),
        ])
    func interrupt(strategy: CheckOptions.Strategy) {
        let asked = Mutex(0)
        let result = Checker(
            BitStrings(longest: 40),
            options {
                $0.strategy = strategy
                $0.isInterrupted = {
                    asked.withLock {
                        $0 += 1
                        return $0 > 20
                    }
                }
            }
        ).run()
        #expect(result.verdict == .boundReached(.interrupt) && result.distinctStates > 1)
    }

    @Test("progress tells of all states in the end")
    func progress() {
        let most = Mutex(0)
        let model = BitStrings(longest: 8)
        let result = Checker(
            model, options { $0.progress = { now in most.withLock { $0 = max($0, now.distinctStates) } } }
        ).run()
        #expect(most.withLock { $0 } == result.distinctStates)
    }
}
