import Automata
import ModelChecking
import Testing

@Suite("Systems of processes") struct SystemTests {
    private typealias System = ProcessSystem<PingProcess>

    private func check(
        _ system: ProcessSystem<PingProcess>, workers: Int = 1
    ) -> CheckResult<ProcessSystem<PingProcess>> {
        var options = CheckOptions()
        options.workers = workers
        return Checker(system, options).run()
    }

    private func labels(_ system: ProcessSystem<PingProcess>) -> [String]? {
        check(system).counterexample?.trace.changes(system).map(\.label)
    }

    @Test("one ping and one answer are five states, counted by hand")
    func countedByHand() {
        // Nothing; a ping under way; received; durable, and a pong under way; answered.
        let result = check(.pair(pings: 1))
        #expect(result.verdict == .holds && result.distinctStates == 5 && result.depth == 5)
    }

    @Test("a channel that is FIFO keeps the order, and one that is not breaks it by a shortest run")
    func order() {
        #expect(check(.pair(pings: 3, [.ordered, .once, .kept])).verdict == .holds)
        for network in [SystemOptions.Network.overtaking, .unordered] {
            let system = System.pair(pings: 2, [.ordered]) { $0.network = network }
            let labels = labels(system)
            #expect(labels?.count == 5, "\(labels ?? [])")
            #expect(labels?.last?.hasPrefix("p2 receives ping(1) from p1") == true)
        }
    }

    @Test("messages are lost, and repeated, as often as the options say and not more often")
    func faults() {
        #expect(check(.pair(pings: 2, [.once])).verdict == .holds)
        let repeated = System.pair(pings: 2, [.once]) { $0.duplicates = 1 }
        #expect(
            labels(repeated) == [
                "initially", "p1 is asked: begin", "p2 receives ping(1) from p1, which will come again",
                "p2 receives ping(1) from p1",
            ])
        let two = System.pair(
            pings: 3, [.always("at most one lost") { $0.losses <= 1 }, .sometimes("lost") { $0.losses == 1 }]
        ) { $0.losses = 1 }
        #expect(check(two).verdict == .holds)
        let silent = SystemProperty<PingProcess>.sometimes("a gap") { $0.process(at: 1).received == [2] }
        #expect(check(.pair(pings: 2, [silent])).verdict == .violated)
        #expect(check(.pair(pings: 2, [silent]) { $0.losses = 1 }).verdict == .holds)
    }

    @Test("what was ever sent may come again and never, without a bound")
    func everSent() {
        let system = System.pair(pings: 1, [.once]) { $0.network = .everSent }
        #expect(labels(system)?.count == 4)
    }

    @Test("a crash loses what is not durable, with the answer that waits for it, and nothing else")
    func crash() {
        for durability in SystemOptions.Durability.allCases {
            for network in [SystemOptions.Network.fifo, .unordered] {
                let system = System.pair(pings: 2, [.kept]) {
                    ($0.durability, $0.network, $0.crashes) = (durability, network, 2)
                    $0.mayCrash = [System.two]
                }
                #expect(check(system).verdict == .holds)
            }
        }
        let lost = SystemProperty<PingProcess>.sometimes("lost") { view in
            view.crashes == 1 && view.messages.isEmpty && view.process(at: 0).sent == 1
                && view.process(at: 1).received.isEmpty
        }
        let crashing: (inout SystemOptions) -> Void = { ($0.crashes, $0.mayCrash) = (1, [System.two]) }
        #expect(check(.pair(pings: 1, [lost], crashing)).verdict == .holds)
        let atOnce = System.pair(pings: 1, [lost]) {
            crashing(&$0)
            $0.durability = .withStep
        }
        #expect(check(atOnce).verdict == .violated, "nothing is lost where there is no time for a crash")
    }

    @Test("a process that forgets what it made durable is refuted by a shortest run")
    func forgetful() {
        let system = System.pair(pings: 1, isForgetful: true, [.kept]) {
            ($0.crashes, $0.mayCrash) = (1, [System.two])
        }
        // The answer arrives and the process crashes in either order; which is shown is the same every time.
        #expect(
            labels(system) == [
                "initially", "p1 is asked: begin", "p2 receives ping(1) from p1",
                "what p2 has handed over becomes durable", "p1 receives pong(1) from p2",
                "p2 crashes and restarts",
            ])
    }

    @Test("a timer that is set may fire at any time, once")
    func timers() {
        let asked = check(.pair(pings: 2))
        let timed = check(.pair(pings: 2, usesTimer: true))
        #expect(asked.distinctStates == timed.distinctStates && timed.verdict == .holds)
    }

    @Test("a system has fair runs: every message is answered unless one may be lost for ever")
    func liveness() {
        let fair = Fairness<SystemAction>.eachProcess(2)
        #expect(check(.pair(pings: 2, usesTimer: true, [.all(2)], fairness: fair)).verdict == .holds)
        let losing = System.pair(pings: 1, usesTimer: true, [.all(1)], fairness: fair) { $0.losses = 1 }
        let result = check(losing)
        #expect(result.verdict == .violated)
        #expect(result.counterexample?.trace.changes(losing).last?.label.hasSuffix("is lost") == true)
        #expect(check(.pair(pings: 1, usesTimer: true, [.all(1)])).verdict == .violated, "it may stop")
    }

    @Test(
        "the number of workers changes no number and no trace", arguments: [2, 3],
        SystemOptions.Network.allCases)
    func workers(count: Int, network: SystemOptions.Network) {
        // Numbers of messages depend on who comes first, so each checks a system of its own.
        let make = {
            System.pair(pings: 4, [.always("not so") { $0.process(at: 1).received.suffix(2) != [4, 3] }]) {
                ($0.network, $0.losses, $0.duplicates) = (network, 1, 1)
            }
        }
        let (system, again) = (make(), make())
        let (alone, together) = (check(system), check(again, workers: count))
        #expect(alone.distinctStates == together.distinctStates)
        #expect(
            alone.counterexample?.trace.changes(system) == together.counterexample?.trace.changes(again))
    }

    @Test("a trace says what each step changes, and who takes it")
    func changes() throws {
        let system = System.pair(pings: 2, [.ordered]) { $0.network = .unordered }
        let steps = try #require(check(system).counterexample?.trace.changes(system))
        #expect(steps[0].process == nil && steps[0].changed.map(\.name) == ["p1", "p2", "under way"])
        #expect(steps[1].process == "p1" && steps[1].changed.map(\.name) == ["p1", "under way"])
        #expect(steps.last?.process == "p2")
    }
}

@Suite("Structural hashes") struct StructuralHashTests {
    private enum Shape: Hashable {
        case point
        case circle(Int)
        case square(side: Int)
    }

    @Test("different values have different hashes, equal values the same")
    func differ() {
        let values: [AnyHashable] = [
            0, 1, true, "a", "b", [UInt8(1)], [1, 2], [2, 1], [[1], [2]] as [[Int]],
            [[1, 2]] as [[Int]], Shape.point, Shape.circle(1), Shape.square(side: 1), Shape.circle(2),
            Payload("x"), Payload("y"),
        ]
        let hashes = values.map { StructuralHash.fingerprint(of: $0.base) }
        let none = StructuralHash.fingerprint(of: [Int?.none])
        #expect(none != StructuralHash.fingerprint(of: [Int?.some(0)]))
        #expect(none != StructuralHash.fingerprint(of: [Int?]()))
        for (index, hash) in hashes.enumerated() {
            for other in 0..<index where hashes[other] == hash {
                Issue.record("\(values[index]) and \(values[other]) have one hash")
            }
        }
        #expect(StructuralHash.fingerprint(of: [1, 2]) == StructuralHash.fingerprint(of: [1, 2]))
        let set: Set = [5, 1, 9, 12, 40]
        #expect(
            StructuralHash.fingerprint(of: set)
                == StructuralHash.fingerprint(of: Set(set.sorted().reversed())))
    }
}
