import Automata
import Foundation
import ModelChecking
import Testing

@testable import Multicast

@Suite("Causal order") struct CausalOrderTests {
    private func check(_ model: CausalModel) -> CheckResult<CausalModel> {
        var options = CheckOptions()
        options.keepsStates = true
        return Checker(model, options).run()
    }

    @Test(
        "whatever the order of receipt, causes are delivered first",
        arguments: [[1, 1, 1], [2, 1, 0], [2, 2, 0]])
    func exhaustive(sends: [Int]) {
        let result = check(CausalModel(sends: sends))
        #expect(result.verdict == .holds && result.distinctStates > 20)
    }

    @Test("without the own entry a multicast overtakes its predecessor: the shortest run")
    func skipsOwnEntry() throws {
        let model = CausalModel(sends: [2, 0, 0], flaw: .skipsOwnEntry)
        let result = check(model)
        #expect(result.verdict == .violated)
        let trace = try #require(result.counterexample?.trace)
        // Which of the other two receives it is all the same.
        let steps = zip(trace.states, trace.actions).map { model.describe($1, in: $0) }
        #expect(steps.dropLast() == ["p1 multicasts its next", "p1 multicasts its next"])
        #expect(["p2 receives p1.2", "p3 receives p1.2"].contains(steps.last))
    }

    @Test("without the other entries an answer overtakes its question: the shortest run")
    func ignoresCauses() throws {
        let model = CausalModel(sends: [1, 1, 0], flaw: .ignoresCauses)
        let trace = try #require(check(model).counterexample?.trace)
        // Which of the first two asks is all the same.
        let steps = zip(trace.states, trace.actions).map { model.describe($1, in: $0) }
        #expect(steps.count == 4)
        #expect(
            [
                ["p1 multicasts its next", "p2 receives p1.1", "p2 multicasts its next", "p3 receives p2.1"],
                ["p2 multicasts its next", "p1 receives p2.1", "p1 multicasts its next", "p3 receives p1.1"],
            ].contains(steps))
    }

    @Test("only what changed is carried")
    func compressed() {
        let names = (1...3).map { ProcessID(UInt64($0)) }
        var order = CausalOrder(process: names[0], group: names)
        var deliveries: [CausalOrder.Delivery] = []
        let other = CausalOrder.Stamp(number: 1, changes: [])
        _ = order.receive(Payload("x"), other, from: names[1], into: &deliveries)
        let first = order.stampNext()
        let second = order.stampNext()
        #expect(first.changes.map(\.member) == [1] && second.changes.isEmpty)
    }

    @Test("what is held back has a bound, beyond which it must be offered again")
    func bound() {
        let names = (1...2).map { ProcessID(UInt64($0)) }
        var order = CausalOrder(process: names[0], group: names, limit: 1)
        var deliveries: [CausalOrder.Delivery] = []
        func offer(_ number: UInt64) -> Bool {
            order.receive(
                Payload("x"), CausalOrder.Stamp(number: number, changes: []), from: names[1],
                into: &deliveries)
        }
        let answers = [offer(2), offer(3), offer(1), offer(3)]
        #expect(answers == [true, false, true, true])
        #expect(deliveries.map(\.id.number) == [1, 2, 3])
    }

    @Test("stamps and payloads go over the wire and back, and what is no stamp is none")
    func wire() {
        let stamp = CausalOrder.Stamp(
            number: 7, changes: [.init(member: 1, count: 1 << 40), .init(member: 3, count: 2)])
        let bytes = CausalMulticast.encode(stamp, Payload("hello"))
        let back = CausalMulticast.decode(bytes, number: 7)
        #expect(back?.0 == stamp && back?.1 == Payload("hello"))
        #expect(CausalMulticast.decode(Payload([]), number: 1) == nil)
        #expect(CausalMulticast.decode(Payload([2, 0, 0]), number: 1) == nil)
    }
}
