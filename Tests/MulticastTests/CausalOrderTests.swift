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

    @Test("a group of more members than a byte counts keeps causal order")
    func largeGroup() {
        let names = (1...300).map { ProcessID($0) }
        var members = Dictionary(
            uniqueKeysWithValues: [names[0], names[298], names[299]].map {
                ($0, CausalMulticast(process: $0, group: names))
            })
        func multicast(_ text: String, by sender: ProcessID) -> MulticastMessage? {
            var outputs: [CausalMulticast.Output] = []
            members[sender]?.step(.multicast(Payload(text)), at: .zero, into: &outputs)
            return outputs.lazy.compactMap { output in
                if case .send(let message, names[299]) = output { message } else { nil }
            }.first
                ?? outputs.lazy.compactMap { output in
                    if case .send(let message, names[0]) = output { message } else { nil }
                }.first
        }
        func deliver(_ message: MulticastMessage?, from sender: ProcessID, to receiver: ProcessID)
            -> [MulticastID]
        {
            var outputs: [CausalMulticast.Output] = []
            guard let message else { return [] }
            members[receiver]?.step(.received(message, from: sender), at: .zero, into: &outputs)
            return outputs.compactMap { if case .deliver(let id, _) = $0 { id } else { nil } }
        }
        // The question of the 299th reaches the first, whose answer overtakes it on the way to the 300th.
        let question = multicast("question", by: names[298])
        #expect(deliver(question, from: names[298], to: names[0]).count == 1)
        let answer = multicast("answer", by: names[0])
        #expect(deliver(answer, from: names[0], to: names[299]) == [])
        #expect(deliver(question, from: names[298], to: names[299]).map(\.sender) == [names[298], names[0]])
    }

    @Test("stamps and payloads go over the wire and back, and what is no stamp is none")
    func wire() {
        let stamp = CausalOrder.Stamp(
            number: 7, changes: [.init(member: 1, count: 1 << 40), .init(member: 3, count: 2)])
        let bytes = CausalMulticast.encode(stamp, Payload("hello"))
        let back = CausalMulticast.decode(bytes, number: 7)
        #expect(back?.0 == stamp && back?.1 == Payload("hello"))
        let large = CausalOrder.Stamp(
            number: 1, changes: (0..<CausalOrder.largestGroup - 1).map { .init(member: $0, count: 9) })
        let returned = CausalMulticast.decode(CausalMulticast.encode(large, Payload("x")), number: 1)
        #expect(returned?.0 == large && returned?.1 == Payload("x"))
        #expect(CausalMulticast.decode(Payload([]), number: 1) == nil)
        #expect(CausalMulticast.decode(Payload([2, 0, 0]), number: 1) == nil)
    }
}
