/// Everybody tells everybody its input and decides, with so many inputs in hand, the lowest of them.
///
/// Waiting for all is safe and stops for ever with the first crash; waiting for all but one survives a crash and lets
/// processes that heard different inputs decide differently. That there is nothing in between is the theorem.
struct Voting: AsynchronousProtocol {
    struct State: Hashable, Sendable {
        /// By process; nil where nothing was heard.
        var heard: [Bool?]
        var decision: Bool?
    }

    struct Vote: Hashable, Sendable, CustomStringConvertible {
        let value: Bool
        var description: String { "vote(\(value.bit))" }
    }

    let processes: Int
    /// How many inputs a process waits for, its own among them.
    let quorum: Int
    var inputs: Int { processes }

    func start(_ inputs: [Bool]) -> (states: [State], sent: [Envelope<Vote>]) {
        let states = inputs.indices.map { process in
            var heard = [Bool?](repeating: nil, count: processes)
            heard[process] = inputs[process]
            return State(heard: heard, decision: quorum <= 1 ? inputs[process] : nil)
        }
        let sent = inputs.indices.flatMap { from in
            inputs.indices.filter { $0 != from }.map {
                Envelope(from: from, to: $0, message: Vote(value: inputs[from]))
            }
        }
        return (states, sent)
    }

    func receive(_ envelope: Envelope<Vote>, _ state: State) -> [(state: State, sent: [Envelope<Vote>])] {
        var state = state
        state.heard[envelope.from] = envelope.message.value
        let heard = state.heard.compactMap { $0 }
        if state.decision == nil, heard.count >= quorum { state.decision = !heard.contains(false) }
        return [(state, [])]
    }

    func decision(_ state: State) -> Bool? { state.decision }
}
