import Automata
import Multicast
import Testing

@Suite("Reliable multicast") struct ReliableMulticastTests {
    /// `#expect` takes no calls that change what they are made on.
    private func expect<Value: Equatable>(
        _ found: Value, _ wanted: Value, at location: SourceLocation = #_sourceLocation
    ) {
        #expect(found == wanted, sourceLocation: location)
    }

    private let names = (1...3).map { ProcessID(UInt64($0)) }

    private func member(
        _ index: Int, _ guarantee: ReliableMulticast.Guarantee = .reliable, window: Int = 4
    ) -> ReliableMulticast {
        ReliableMulticast(process: names[index], group: names, guarantee: guarantee, window: window)
    }

    private func step(
        _ core: inout ReliableMulticast, _ input: ReliableMulticast.Input
    ) -> [ReliableMulticast.Output] {
        var outputs: [ReliableMulticast.Output] = []
        core.step(input, at: .zero, into: &outputs)
        return outputs
    }

    private func data(_ number: UInt64, of index: Int = 0) -> MulticastMessage {
        .data(MulticastID(sender: names[index], number: number), Payload("\(number)"))
    }

    private func delivered(_ outputs: [ReliableMulticast.Output]) -> [UInt64] {
        outputs.compactMap { if case .deliver(let id, _) = $0 { id.number } else { nil } }
    }

    @Test("a sender delivers its own at once and sends it to all others")
    func sending() {
        var core = member(0)
        let outputs = step(&core, .multicast(Payload("1")))
        #expect(delivered(outputs) == [1])
        #expect(outputs.count { if case .send(data(1), _) = $0 { true } else { false } } == 2)
    }

    @Test("a gap holds back what follows, and repeats change nothing")
    func gaps() {
        var core = member(1)
        expect(delivered(step(&core, .received(data(2), from: names[0]))), [])
        expect(delivered(step(&core, .received(data(2), from: names[0]))), [])
        expect(delivered(step(&core, .received(data(1), from: names[0]))), [1, 2])
        expect(delivered(step(&core, .received(data(1), from: names[2]))), [])
    }

    @Test("what a digest shows to be missing is asked for, and whoever holds it answers")
    func missing() {
        var behind = member(2)
        let asked = step(&behind, .received(.digest([2, 0, 0]), from: names[1]))
        #expect(asked == [.send(.missing(names[0], 1...2), to: names[1])])
        var holder = member(1)
        _ = step(&holder, .received(data(1), from: names[0]))
        _ = step(&holder, .received(data(2), from: names[0]))
        let answers = step(&holder, .received(.missing(names[0], 1...2), from: names[2]))
        #expect(answers == [.send(data(1), to: names[2]), .send(data(2), to: names[2])])
    }

    @Test("uniform: nothing is delivered until a majority has it")
    func uniform() {
        var core = member(0, .uniform)
        expect(delivered(step(&core, .multicast(Payload("1")))), [])
        expect(delivered(step(&core, .received(.digest([0, 0, 0]), from: names[1]))), [])
        expect(delivered(step(&core, .received(.digest([1, 0, 0]), from: names[2]))), [1])
    }

    @Test("uniform, in a group of four: two that have it are no majority, three are")
    func uniformInFour() {
        let four = (1...4).map { ProcessID(UInt64($0)) }
        var core = ReliableMulticast(process: four[0], group: four, guarantee: .uniform, window: 4)
        expect(delivered(step(&core, .multicast(Payload("1")))), [])
        expect(delivered(step(&core, .received(.digest([1, 0, 0, 0]), from: four[1]))), [])
        expect(delivered(step(&core, .received(.digest([1, 0, 0, 0]), from: four[2]))), [1])
    }

    @Test("what all have is dropped; a member that left is not waited for")
    func stability() {
        var core = member(0)
        _ = step(&core, .multicast(Payload("1")))
        #expect(core.heldCount == 1)
        _ = step(&core, .received(.digest([1, 0, 0]), from: names[1]))
        #expect(core.heldCount == 1)
        _ = step(&core, .departed(names[2]))
        #expect(core.heldCount == 0)
    }

    @Test("a full window refuses, says when there is room, and drops what lies beyond it")
    func window() {
        var core = member(0, window: 2)
        _ = step(&core, .multicast(Payload("1")))
        _ = step(&core, .multicast(Payload("2")))
        expect(step(&core, .multicast(Payload("3"))), [.refuse(Payload("3"))])
        _ = step(&core, .received(.digest([2, 0, 0]), from: names[1]))
        expect(step(&core, .received(.digest([2, 0, 0]), from: names[2])), [.ready])
        var receiver = member(1, window: 2)
        expect(delivered(step(&receiver, .received(data(3), from: names[0]))), [])
        #expect(receiver.heldCount == 0)
    }

    @Test("a digest goes out with every timer, and messages of strangers change nothing")
    func timers() {
        var core = member(0)
        expect(step(&core, .start).count, 1)
        expect(step(&core, .timerFired).count, 3)
        let before = core
        _ = step(&core, .received(.digest([9]), from: names[1]))
        _ = step(&core, .received(.missing(ProcessID(9), 1...4), from: names[1]))
        _ = step(&core, .received(.digest([1, 1, 1]), from: ProcessID(9)))
        #expect(core == before)
    }
}
