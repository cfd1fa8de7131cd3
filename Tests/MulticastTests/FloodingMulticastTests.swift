import Automata
import Multicast
import Testing

@Suite("Flooding") struct FloodingMulticastTests {
    private let names = (1...3).map { ProcessID(UInt64($0)) }

    private func member(_ index: Int, _ guarantee: FloodingMulticast.Guarantee) -> FloodingMulticast {
        FloodingMulticast(process: names[index], group: names, guarantee: guarantee, window: 2)
    }

    private func step(
        _ core: inout FloodingMulticast, _ input: FloodingMulticast.Input
    ) -> [FloodingMulticast.Output] {
        var outputs: [FloodingMulticast.Output] = []
        core.step(input, at: .zero, into: &outputs)
        return outputs
    }

    private func flood(_ number: UInt64, of sender: Int) -> FloodMessage {
        FloodMessage(id: MulticastID(sender: names[sender], number: number), payload: Payload("\(number)"))
    }

    private func delivered(_ outputs: [FloodingMulticast.Output]) -> [UInt64] {
        outputs.compactMap { if case .deliver(let id, _) = $0 { id.number } else { nil } }
    }

    private func passedOn(_ outputs: [FloodingMulticast.Output]) -> [ProcessID] {
        outputs.compactMap { if case .send(.data, let receiver) = $0 { receiver } else { nil } }
    }

    @Test("best effort passes nothing on, reliable passes on to those who may lack it, once")
    func passesOn() {
        for (guarantee, receivers) in [(FloodingMulticast.Guarantee.bestEffort, []), (.reliable, [names[2]])]
        {
            var core = member(1, guarantee)
            let first = step(&core, .received(.data(1, flood(1, of: 0)), from: names[0]))
            #expect(delivered(first) == [1] && passedOn(first) == receivers)
            let again = step(&core, .received(.data(1, flood(1, of: 0)), from: names[2]))
            #expect(delivered(again) == [] && passedOn(again) == [])
        }
    }

    @Test("uniform: delivered once a majority is known to have it, and its own sender is told")
    func uniform() {
        var sender = member(0, .uniform)
        let sent = step(&sender, .multicast(Payload("1")))
        #expect(delivered(sent) == [] && passedOn(sent) == [names[1], names[2]])
        var other = member(1, .uniform)
        let received = step(&other, .received(.data(1, flood(1, of: 0)), from: names[0]))
        #expect(delivered(received) == [1] && passedOn(received) == [names[0], names[2]])
        let back = step(&sender, .received(.data(1, flood(1, of: 0)), from: names[1]))
        #expect(delivered(back) == [1])
    }

    @Test("a full window refuses until somebody who was slow acknowledges or is gone")
    func window() {
        var core = member(0, .reliable)
        for _ in 1...2 { _ = step(&core, .multicast(Payload("x"))) }
        let refused = step(&core, .multicast(Payload("y")))
        #expect(refused == [.refuse(Payload("y"))])
        _ = step(&core, .received(.acknowledged(2), from: names[1]))
        let ready = step(&core, .departed(names[2]))
        #expect(ready == [.ready])
        #expect(core.heldCount == 0)
    }

    @Test("what was not acknowledged is sent again, and only that")
    func resend() {
        var core = member(0, .bestEffort)
        _ = step(&core, .multicast(Payload("x")))
        _ = step(&core, .received(.acknowledged(1), from: names[1]))
        let again = step(&core, .timerFired)
        #expect(passedOn(again) == [names[2]])
    }
}

@Suite("Reliable channels") struct ReliableChannelsTests {
    private let peer = ProcessID(2)

    @Test("what comes early waits, what comes again is acknowledged again and dropped")
    func order() {
        var channels = ReliableChannels<Int>(to: [peer], limit: 2)
        let second = channels.receive(.data(2, 20), from: peer)
        #expect(second.messages == [] && second.answer == .acknowledged(0))
        let tooEarly = channels.receive(.data(3, 30), from: peer)
        #expect(tooEarly.messages == [])
        let first = channels.receive(.data(1, 10), from: peer)
        #expect(first.messages == [10, 20] && first.answer == .acknowledged(2))
        let again = channels.receive(.data(1, 10), from: peer)
        #expect(again.messages == [] && again.answer == .acknowledged(2))
        let third = channels.receive(.data(3, 30), from: peer)
        #expect(third.messages == [30])
    }

    @Test("acknowledgements of what was never sent, and strangers, change nothing")
    func nonsense() {
        var channels = ReliableChannels<Int>(to: [peer])
        let frame = channels.send(7, to: peer)
        #expect(frame == .data(1, 7))
        let before = channels
        _ = channels.receive(.acknowledged(9), from: peer)
        _ = channels.receive(.data(1, 1), from: ProcessID(9))
        let toNobody = channels.send(1, to: ProcessID(9))
        #expect(channels == before && toNobody == nil)
        channels.forget(peer)
        #expect(channels.backlog == 0 && channels.resend().isEmpty)
    }
}
