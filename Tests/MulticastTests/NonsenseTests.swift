import Automata
import Multicast
import Simulation
import Testing

/// Members survive whatever comes from a peer that is broken, and do not grow.
@Suite("Multicast and nonsense") struct NonsenseTests {
    private let names = (1...3).map { ProcessID(UInt64($0)) }

    private func number(_ random: inout SeededRandom) -> UInt64 {
        random.element([0, 1, 2, 3, 5, 40, 1 << 40, .max - 1, .max])
    }

    private func id(_ random: inout SeededRandom) -> MulticastID {
        MulticastID(sender: ProcessID(random.below(5)), number: number(&random))
    }

    private func payload(_ random: inout SeededRandom) -> Payload {
        Payload((0..<random.number(in: 0...24)).map { _ in UInt8(random.below(random.coin() ? 4 : 256)) })
    }

    private func message(_ random: inout SeededRandom) -> MulticastMessage {
        switch random.below(3) {
        case 0: return .data(id(&random), payload(&random))
        case 1: return .digest((0..<random.number(in: 0...4)).map { _ in number(&random) })
        default:
            let (a, b) = (number(&random), number(&random))
            return .missing(ProcessID(random.below(5)), min(a, b)...max(a, b))
        }
    }

    private func feed<Member: MulticastMember>(
        _ member: Member, _ draw: (inout SeededRandom) -> Member.Message
    ) -> Int {
        var (member, random) = (member, SeededRandom(seed: 11))
        for _ in 0..<20_000 {
            var outputs: [Member.Output] = []
            let sender = ProcessID(random.element([2, 3, 9]))
            member.step(
                random.chance(20_000)
                    ? .multicast(Payload("x"))
                    : random.chance(20_000) ? .timerFired : .received(draw(&random), from: sender),
                at: .zero, into: &outputs)
        }
        return member.heldCount
    }

    @Test("numbered and causal")
    func numbered() {
        #expect(feed(ReliableMulticast(process: names[0], group: names, window: 8), message) <= 24)
        let uniform = ReliableMulticast(process: names[0], group: names, guarantee: .uniform, window: 8)
        #expect(feed(uniform, message) <= 24)
        #expect(feed(CausalMulticast(process: names[0], group: names, window: 8), message) <= 48)
    }

    @Test("flooded")
    func flooded() {
        let core = FloodingMulticast(process: names[0], group: names, guarantee: .uniform, window: 8)
        let held = feed(core) { random in
            random.coin()
                ? .acknowledged(number(&random))
                : .data(number(&random), FloodMessage(id: id(&random), payload: payload(&random)))
        }
        // Two peers, each with what came before its turn.
        #expect(held <= 2 * 256)
    }
}
