import Automata
import Consensus

/// Ben-Or's randomised consensus, the production processes, up to a round: a coin may fall either way.
struct BenOrProtocol: AsynchronousProtocol {
    let processes: Int
    let crashes: Int
    /// A process that would begin a later round stops.
    let rounds: UInt32
    var inputs: Int { processes }

    func start(_ inputs: [Bool]) -> (states: [BenOr], sent: [Envelope<BenOr.Message>]) {
        let names = (1...processes).map { ProcessID(UInt64($0)) }
        var sent: [Envelope<BenOr.Message>] = []
        let states = names.indices.map { index in
            var process = BenOr(process: names[index], processes: names, crashes: crashes)
            sent += Self.step(&process, .proposed(inputs[index])).sent
            return process
        }
        return (states, sent)
    }

    func receive(
        _ envelope: Envelope<BenOr.Message>, _ state: BenOr
    ) -> [(state: BenOr, sent: [Envelope<BenOr.Message>])] {
        guard state.round <= rounds else { return [(state, [])] }
        var state = state
        let input = BenOr.Input.received(envelope.message, from: ProcessID(UInt64(envelope.from + 1)))
        let (sent, tosses) = Self.step(&state, input)
        guard tosses else { return [(state, sent)] }
        return [false, true].map { coin in
            var tossed = state
            let more = Self.step(&tossed, .coin(coin)).sent
            return (tossed, sent + more)
        }
    }

    func decision(_ state: BenOr) -> Bool? { state.decision }

    /// What the process sends, and whether it asks for a coin.
    static func step(
        _ process: inout BenOr, _ input: BenOr.Input
    ) -> (sent: [Envelope<BenOr.Message>], tosses: Bool) {
        var outputs: [BenOr.Output] = []
        process.step(input, at: .zero, into: &outputs)
        let from = Int(process.process.rawValue) - 1
        let sent = outputs.compactMap { output -> Envelope<BenOr.Message>? in
            guard case .send(let message, let receiver) = output else { return nil }
            return Envelope(from: from, to: Int(receiver.rawValue) - 1, message: message)
        }
        return (sent, outputs.contains(.tossCoin))
    }
}
