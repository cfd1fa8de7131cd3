import Automata
import PeerLinks
import Testing

@Suite("What may wait on a connection") struct SendBudgetTests {
    private static let ceiling = 16 << 20

    private func admits(_ budget: inout SendBudget, _ bytes: Int, at now: Instant) -> Bool {
        budget.admit(bytes, at: now)
    }

    /// Offers frames as fast as they are taken, over a link of this rate; returns the budget after `span`.
    private func budget(bytesPerSecond: UInt64, frame: Int, for span: TimeSpan) -> SendBudget {
        var budget = SendBudget(patience: .seconds(1), ceiling: Self.ceiling)
        var now = Instant(nanoseconds: 1)
        let end = now + span
        while now < end {
            // Bounded, so that a budget without a bound fails below and not here.
            for _ in 0..<1_000 where !budget.admit(frame, at: now) { break }
            now = now + TimeSpan(nanoseconds: UInt64(frame) * 1_000_000_000 / bytesPerSecond)
            budget.carried(frame, at: now)
        }
        return budget
    }

    @Test("on a slow link no more waits than it carries within the patience")
    func slow() {
        let budget = budget(bytesPerSecond: 1_250_000, frame: 64 << 10, for: .seconds(20))
        #expect(budget.limit > 1_000_000 && budget.limit < 1_500_000, "\(budget.limit)")
        #expect(budget.waiting <= budget.limit)
    }

    @Test("a fast link may hold as much as the ceiling allows, and no more")
    func fast() {
        let budget = budget(bytesPerSecond: 1_000_000_000, frame: 64 << 10, for: .seconds(2))
        #expect(budget.limit == Self.ceiling)
        #expect(budget.waiting <= Self.ceiling)
    }

    @Test("a frame above every bound travels when nothing else waits, and a second one does not join it")
    func single() {
        var budget = SendBudget(patience: .seconds(1), ceiling: 1 << 20)
        let now = Instant(nanoseconds: 1)
        #expect(admits(&budget, 5 << 20, at: now))
        #expect(!admits(&budget, 1, at: now))
        budget.carried(5 << 20, at: now + .seconds(1))
        #expect(admits(&budget, 1, at: now + .seconds(1)))
    }

    @Test("once the link keeps up again the bound rises to the ceiling")
    func recovers() {
        var budget = budget(bytesPerSecond: 200_000, frame: 10_000, for: .seconds(10))
        #expect(budget.limit < 1 << 20)
        var now = Instant(nanoseconds: 1) + .seconds(60)
        budget.carried(budget.waiting, at: now)
        for _ in 1...10 {
            now = now + .milliseconds(10)
            #expect(admits(&budget, 1000, at: now))
            now = now + .milliseconds(1)
            budget.carried(1000, at: now)
        }
        #expect(budget.limit == Self.ceiling)
    }

    @Test("what was lost with its connection does not count on the next")
    func reset() {
        var budget = SendBudget(patience: .seconds(1), ceiling: 1000)
        #expect(admits(&budget, 900, at: .zero))
        budget.reset()
        #expect(budget.waiting == 0)
        #expect(admits(&budget, 900, at: .zero))
    }
}
