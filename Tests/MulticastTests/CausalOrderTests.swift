import Automata
import Testing

@testable import Multicast

@Suite("Causal order") struct CausalOrderTests {
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
