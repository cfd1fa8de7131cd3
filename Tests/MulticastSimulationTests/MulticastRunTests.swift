import Testing

@testable import MulticastSimulation

@Suite("Multicast under simulation") struct MulticastRunTests {
    @Test(
        "with loss, duplicates, reordering, cuts and crashes every promise is kept",
        arguments: MulticastKind.allCases)
    func promises(kind: MulticastKind) {
        var (crashes, held) = (0, 0)
        for seed in 1...40 as ClosedRange<UInt64> {
            let run = MulticastRun(kind, seed: seed)
            #expect(run.violation == nil, "seed \(seed): \(run.violation ?? "")")
            crashes += run.crashes
            held = max(held, run.mostHeld)
        }
        #expect(crashes > 5 && held > 5, "runs in which nothing happens prove nothing")
    }

    @Test("what is only reliable is neither uniform nor causal, and the checker sees it")
    func weaker() {
        for kind in [MulticastKind.uniform, .causal] {
            let broken = (1...400 as ClosedRange<UInt64>).first {
                MulticastRun(kind, seed: $0, running: .reliable).violation != nil
            }
            #expect(broken != nil, "\(kind) is not told from reliable")
        }
    }

    @Test("senders wait for room, and nothing grows beyond the windows")
    func flowControl() {
        let runs = (1...20 as ClosedRange<UInt64>).map { MulticastRun(.causal, seed: $0, multicasts: 40) }
        #expect(runs.contains { $0.refusals > 0 })
        #expect(runs.allSatisfy { $0.violation == nil })
    }

    @Test("however long it goes on, what is held stays within the windows")
    func soak() {
        let short = MulticastSoak(multicasts: 600, seed: 1)
        let long = MulticastSoak(multicasts: 6000, seed: 1)
        #expect(short.isComplete && long.isComplete && long.refusals > 0)
        #expect(long.mostHeld <= 2 * MulticastSoak.members * MulticastSoak.window)
        #expect(long.mostOnTheirWay < 4 * max(short.mostOnTheirWay, 500))
    }

    @Test("the same seed gives the same trace")
    func replays() {
        let first = MulticastRun(.causal, seed: 3, keepsTrace: true).trace
        #expect(first.count > 100 && MulticastRun(.causal, seed: 3, keepsTrace: true).trace == first)
    }
}
