import Testing

@testable import MulticastSimulation

@Suite("Multicast under simulation") struct MulticastRunTests {
    @Test(
        "with loss, duplicates, reordering, cuts and crashes every promise is kept",
        arguments: MulticastKind.allCases.map(\.name))
    func promises(name: String) throws {
        let kind = try #require(MulticastKind(name: name))
        var (crashes, held) = (0, 0)
        for seed in 1...40 as ClosedRange<UInt64> {
            let run = kind.run(seed: seed)
            #expect(run.violation == nil, "seed \(seed): \(run.violation ?? "")")
            crashes += run.crashes
            held = max(held, run.mostHeld)
        }
        #expect(crashes > 5 && held > 5, "runs in which nothing happens prove nothing")
    }

    @Test(
        "what promises less is told from what promises more",
        arguments: [
            (StaticKind.reliable, StaticKind.uniform), (.reliable, .causal), (.bestEffort, .flooding),
            (.flooding, .uniformFlooding),
        ])
    func weaker(running: StaticKind, promising: StaticKind) {
        let broken = (1...1000 as ClosedRange<UInt64>).first {
            running.run(seed: $0, promising: promising).violation != nil
        }
        #expect(broken != nil, "\(promising) is not told from \(running)")
    }

    @Test("in groups too")
    func weakerInGroups() {
        for (running, promising) in [
            (GroupKind.viewsFIFO, GroupKind.viewsCausal), (.viewsFIFO, .viewsUniform),
            (.viewsCausal, .sequencer),
            (.sequencer, .sequencerUniform), (.agreed, .agreedUniform),
        ] {
            let broken = (1...400 as ClosedRange<UInt64>).first {
                GroupRun(running, seed: $0, promising: promising).tally.violation != nil
            }
            #expect(broken != nil, "\(promising) is not told from \(running)")
        }
    }

    @Test("without the flush, and with a sequencer that orders again, promises are broken")
    func flaws() {
        let unflushed = (1...40 as ClosedRange<UInt64>).compactMap {
            GroupRun(.viewsFIFO, seed: $0, flaw: .skipsFlush).tally.violation
        }
        #expect(unflushed.contains { $0.contains("end view") })
        let repeated = (1...40 as ClosedRange<UInt64>).compactMap {
            GroupRun(.sequencer, seed: $0, flaw: .ordersAgain).tally.violation
        }
        #expect(repeated.contains { $0.contains("delivers one twice") })
    }

    @Test("members come and go")
    func views() {
        let runs = (1...40 as ClosedRange<UInt64>).map { GroupRun(.agreed, seed: $0) }
        #expect(runs.reduce(0) { $0 + $1.tally.views } > 100)
        #expect(runs.contains { $0.processes.contains { $0.hasStopped == .left } })
        #expect(runs.contains { $0.processes.contains { $0.hasStopped == .excluded } })
        #expect(runs.contains { $0.processes.contains { ($0.log.first?.view.number ?? 0) > 1 } })
    }

    @Test("senders wait for room, and nothing grows beyond the windows")
    func flowControl() {
        let runs = (1...20 as ClosedRange<UInt64>).map { StaticKind.causal.run(seed: $0, multicasts: 40) }
        #expect(runs.contains { $0.refusals > 0 })
        #expect(runs.allSatisfy { $0.violation == nil })
    }

    @Test(
        "however long it goes on, what is held stays within the windows",
        arguments: MulticastKind.allCases.map(\.name))
    func soak(name: String) throws {
        let kind = try #require(MulticastKind(name: name))
        let short = MulticastSoak(kind, multicasts: 600, seed: 1)
        let long = MulticastSoak(kind, multicasts: 3000, seed: 1)
        #expect(short.isComplete && long.isComplete)
        #expect(long.mostHeld > 10 && long.mostHeld <= MulticastSoak.bound)
        #expect(long.mostOnTheirWay < 4 * max(short.mostOnTheirWay, 500))
    }

    @Test("the same seed gives the same trace", arguments: ["causal", "sequencer", "skeen"])
    func replays(name: String) throws {
        let kind = try #require(MulticastKind(name: name))
        let first = kind.run(seed: 3, keepsTrace: true).trace
        let second = kind.run(seed: 3, keepsTrace: true).trace
        #expect(first.count > 100 && second == first)
    }
}
