import Automata
import Multicast
import Simulation
import Testing

@Suite("Total order in a view") struct TotalOrderTests {
    private let names = (1...3).map { ProcessID(UInt64($0)) }

    private func id(_ sender: Int, _ number: UInt64) -> MulticastID {
        MulticastID(sender: names[sender - 1], number: number)
    }

    @Test("the sequencer tells places; a multicast waits for its place, and a place for its multicast")
    func sequencer() {
        var first = SequencerOrder(process: names[0], group: names)
        var other = SequencerOrder(process: names[1], group: names)
        var deliveries: [OrderedMulticast] = []
        first.receive(Payload("a"), from: names[2], into: &deliveries)
        first.receive(Payload("b"), from: names[1], into: &deliveries)
        let places = first.tell()
        #expect(places == [id(3, 1), id(2, 1)] && deliveries.isEmpty)
        other.receive(Payload("b"), from: names[1], into: &deliveries)
        other.receive(places: [id(3, 1), id(2, 1)], into: &deliveries)
        #expect(deliveries.isEmpty && other.heldBack == [id(2, 1)])
        other.receive(Payload("a"), from: names[2], into: &deliveries)
        #expect(deliveries.map(\.id) == [id(3, 1), id(2, 1)])
    }

    @Test("when the view ends, what has a place comes first, and a place that nobody can fill is passed over")
    func endOfView() {
        var order = SequencerOrder(process: names[1], group: names)
        var deliveries: [OrderedMulticast] = []
        order.receive(Payload("x"), from: names[1], into: &deliveries)
        order.receive(Payload("y"), from: names[2], into: &deliveries)
        order.receive(places: [id(1, 1), id(3, 1)], into: &deliveries)
        #expect(deliveries.isEmpty)
        order.end(into: &deliveries)
        #expect(deliveries.map(\.id) == [id(3, 1), id(2, 1)])
    }

    @Test("when the view ends, what nobody has ordered comes in one order, however it was received")
    func unorderedAtTheEnd() {
        func ending(_ senders: [Int]) -> (sequencer: [MulticastID], agreed: [MulticastID]) {
            var sequencer = SequencerOrder(process: names[1], group: names)
            var agreed = AgreedOrder(process: names[1], group: names)
            var deliveries: (sequencer: [OrderedMulticast], agreed: [OrderedMulticast]) = ([], [])
            for sender in senders {
                sequencer.receive(Payload("x"), from: names[sender], into: &deliveries.sequencer)
                agreed.receive(Payload("x"), from: names[sender], into: &deliveries.agreed)
            }
            sequencer.end(into: &deliveries.sequencer)
            agreed.end(into: &deliveries.agreed)
            return (deliveries.sequencer.map(\.id), deliveries.agreed.map(\.id))
        }
        let (one, other) = (ending([2, 0, 1]), ending([1, 2, 0]))
        #expect(one.sequencer.count == 3 && one.sequencer == other.sequencer)
        #expect(one.agreed.count == 3 && one.agreed == other.agreed)
    }

    @Test("agreed: delivered once all have proposed, by the greatest proposal")
    func agreed() {
        var order = AgreedOrder(process: names[0], group: names)
        var deliveries: [OrderedMulticast] = []
        order.receive(Payload("a"), from: names[0], into: &deliveries)
        order.receive(Payload("b"), from: names[1], into: &deliveries)
        let own = order.tell() ?? []
        #expect(own.map(\.priority) == [1, 2])
        order.receive(proposals: own, from: names[0], into: &deliveries)
        let theirs = [
            AgreedOrder.Proposal(id: id(2, 1), priority: 1), AgreedOrder.Proposal(id: id(1, 1), priority: 5),
        ]
        order.receive(proposals: theirs, from: names[1], into: &deliveries)
        #expect(deliveries.isEmpty)
        order.receive(
            proposals: [.init(id: id(2, 1), priority: 1), .init(id: id(1, 1), priority: 2)], from: names[2],
            into: &deliveries)
        // b has 2, a has 5.
        #expect(deliveries.map(\.payload.description) == ["b", "a"])
    }

    @Test("what is no part of a stream changes nothing", arguments: MulticastOrder.allCases)
    func fuzzed(kind: MulticastOrder) {
        var random = SeededRandom(seed: 5)
        var order = ViewOrder(kind, process: names[0], group: names)
        var deliveries: [OrderedMulticast] = []
        var data = 0
        for _ in 0..<4000 {
            let length = random.number(in: 0...40)
            var bytes = (0..<length).map { _ in UInt8(random.below(256)) }
            if !bytes.isEmpty, random.coin() { bytes[0] = UInt8(random.below(4)) }
            // What a user says begins with 0, or with 1 where it is stamped.
            if bytes.first == (kind == .causal ? 1 : 0) { data += 1 }
            order.receive(Payload(bytes), from: names[1], into: &deliveries)
        }
        #expect(order.heldBack.count + deliveries.count <= data)
        let before = order
        order.receive(Payload([0]), from: ProcessID(9), into: &deliveries)
        #expect(order == before)
    }

    @Test("a priority so great that none could follow is none")
    func greatestPriority() {
        var order = ViewOrder(.agreed, process: names[0], group: names)
        var deliveries: [OrderedMulticast] = []
        var form = ByteForm()
        form.append(3 as UInt8)
        form.append([id(2, 1)]) {
            $0.append($1)
            $0.append(UInt64.max)
        }
        let before = order
        order.receive(Payload(form.bytes), from: names[1], into: &deliveries)
        #expect(order == before)
        // The next one still finds a priority.
        order.receive(order.wrap(Payload("x")), from: names[0], into: &deliveries)
        let words = order.next()
        #expect(words != nil)
    }

    @Test(
        "every order delivers what all have, by itself in a view of one", arguments: MulticastOrder.allCases)
    func alone(kind: MulticastOrder) {
        var order = ViewOrder(kind, process: names[0], group: [names[0]])
        var deliveries: [OrderedMulticast] = []
        for word in ["one", "two"] {
            order.receive(order.wrap(Payload(word)), from: names[0], into: &deliveries)
            while let item = order.next() { order.receive(item, from: names[0], into: &deliveries) }
        }
        #expect(deliveries.map(\.payload.description) == ["one", "two"])
    }
}

@Suite("Skeen's multicast") struct SkeenMulticastTests {
    private let names = (1...3).map { ProcessID(UInt64($0)) }

    /// Carries messages until there are none, in an order that the seed draws, each channel in its own.
    private func settle(
        _ cores: inout [SkeenMulticast], _ outputs: [(Int, SkeenMulticast.Output)], seed: UInt64
    )
        -> [[String]]
    {
        var random = SeededRandom(seed: seed)
        var log: [[String]] = cores.map { _ in [] }
        var pending = outputs
        while !pending.isEmpty {
            let (from, output) = pending.remove(at: random.index(pending.count))
            switch output {
            case .send(let frame, let receiver):
                let to = Int(receiver.rawValue) - 1
                var next: [SkeenMulticast.Output] = []
                cores[to].step(.received(frame, from: names[from]), at: .zero, into: &next)
                for case .deliver(_, let payload) in next { log[to].append(payload.description) }
                pending += next.filter { if case .send = $0 { true } else { false } }.map { (to, $0) }
            default: break
            }
        }
        return log
    }

    @Test("groups that overlap deliver what they share in one order, and others take no part")
    func overlapping() {
        for seed in 1...60 as ClosedRange<UInt64> {
            let groups = [[names[0], names[1]], [names[1], names[2]]]
            var cores = names.map { SkeenMulticast(process: $0, groups: groups) }
            var outputs: [(Int, SkeenMulticast.Output)] = []
            var early: [[String]] = names.map { _ in [] }
            for (sender, to) in [(0, [0, 1]), (2, [0, 1]), (1, [1])] {
                var next: [SkeenMulticast.Output] = []
                cores[sender].step(.multicast(Payload("\(sender + 1)"), to: to), at: .zero, into: &next)
                for case .deliver(_, let payload) in next { early[sender].append(payload.description) }
                outputs += next.map { (sender, $0) }
            }
            let log = settle(&cores, outputs, seed: seed)
            #expect(early.allSatisfy { $0.isEmpty })
            #expect(
                Set(log[0]) == ["1", "3"] && Set(log[1]) == ["1", "2", "3"] && Set(log[2]) == ["1", "2", "3"])
            #expect(log[0] == log[1].filter { $0 != "2" } && log[1] == log[2], "seed \(seed): \(log)")
            #expect(cores.allSatisfy { $0.heldBack.isEmpty && $0.heldCount == 0 })
        }
    }

    @Test("no group is refused, and so is one more than the window")
    func refusals() {
        var core = SkeenMulticast(process: names[0], groups: [[names[1]]], window: 1)
        var outputs: [SkeenMulticast.Output] = []
        core.step(.multicast(Payload("a"), to: []), at: .zero, into: &outputs)
        core.step(.multicast(Payload("b"), to: [0]), at: .zero, into: &outputs)
        core.step(.multicast(Payload("c"), to: [0]), at: .zero, into: &outputs)
        let refused = outputs.compactMap {
            if case .refuse(let payload) = $0 { payload.description } else { nil }
        }
        #expect(refused == ["a", "c"])
    }
}
