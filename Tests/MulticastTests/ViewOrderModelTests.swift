import ModelChecking
import Multicast
import Testing

@Suite("Orders in a view, exhaustively") struct ViewOrderModelTests {
    private func check(_ model: ViewOrderModel) -> CheckResult<ViewOrderModel> {
        var options = CheckOptions()
        options.keepsStates = true
        return Checker(model, options).run()
    }

    private func steps(_ model: ViewOrderModel) throws -> [String] {
        let trace = try #require(check(model).counterexample?.trace)
        return zip(trace.states, trace.actions).map { model.describe($1, in: $0) }
    }

    /// How many states there are; a number that changes says that the rules did.
    private struct Size: Sendable {
        let order: MulticastOrder
        let isUniform: Bool
        let sends: [Int]
        let states: Int
    }

    private static let sizes = [
        Size(order: .fifo, isUniform: false, sends: [2, 0, 0], states: 112),
        Size(order: .fifo, isUniform: false, sends: [1, 1, 0], states: 392),
        Size(order: .fifo, isUniform: true, sends: [2, 0, 0], states: 861),
        Size(order: .fifo, isUniform: true, sends: [1, 1, 0], states: 3728),
        Size(order: .causal, isUniform: false, sends: [1, 1, 0], states: 360),
        Size(order: .causal, isUniform: true, sends: [1, 1, 0], states: 3332),
        Size(order: .sequencer, isUniform: false, sends: [2, 0, 0], states: 280),
        Size(order: .sequencer, isUniform: false, sends: [1, 1, 0], states: 1120),
        Size(order: .sequencer, isUniform: false, sends: [0, 1, 1], states: 1508),
        Size(order: .sequencer, isUniform: true, sends: [2, 0, 0], states: 7552),
        Size(order: .sequencer, isUniform: true, sends: [1, 1, 0], states: 36883),
        Size(order: .sequencer, isUniform: true, sends: [0, 1, 1], states: 54714),
        Size(order: .agreed, isUniform: false, sends: [2, 0, 0], states: 38488),
        Size(order: .agreed, isUniform: false, sends: [1, 1, 0], states: 137_720),
        Size(order: .agreed, isUniform: true, sends: [2, 0, 0], states: 158_980),
    ]

    @Test(
        "whatever the pace, whoever crashes and whenever the view ends, every promise is kept",
        arguments: sizes)
    private func holds(size: Size) {
        let result = check(ViewOrderModel(size.order, isUniform: size.isUniform, sends: size.sends))
        #expect(
            result.verdict == .holds && result.distinctStates == size.states,
            "\(size): \(result.distinctStates)")
    }

    @Test("who takes over from the sequencer and orders again repeats: the shortest run")
    func ordersAgain() throws {
        let found = try steps(
            ViewOrderModel(.sequencer, isUniform: false, sends: [1, 0, 0], flaw: .ordersAgain))
        // The sequencer delivers its own at once.
        #expect(found == ["p1 multicasts", "the view ends"])
        let afterCrash = try steps(
            ViewOrderModel(.sequencer, isUniform: true, sends: [0, 1, 0], flaw: .ordersAgain))
        #expect(afterCrash.first == "p2 multicasts" && afterCrash.last == "the view ends")
    }

    @Test("without the flush those that stay have delivered different things: the shortest run")
    func skipsFlush() throws {
        let found = try steps(ViewOrderModel(.fifo, isUniform: false, sends: [1, 0, 0], skipsFlush: true))
        #expect(found == ["p1 multicasts", "the view ends"])
    }
}
