import Automata
import Paxos

/// Single-decree Paxos, the production processes, with a bound on the ballots that each proposer begins so that there
/// are finitely many configurations.
struct SynodProtocol: AsynchronousProtocol {
    let processes: Int
    /// Ballots that each of the first processes may begin; the others only accept.
    let ballots: [Int]
    var inputs: Int { ballots.count }

    static func payload(_ value: Bool) -> Payload { Payload(value.bit) }

    func start(_ inputs: [Bool]) -> (states: [SynodProcess], sent: [Envelope<SynodMessage>]) {
        let configuration = Configuration(voters: (1...processes).map { ProcessID(UInt64($0)) })
        var sent: [Envelope<SynodMessage>] = []
        let states = (0..<processes).map { index in
            var process = SynodProcess(
                process: configuration.voters[index], configuration: configuration,
                ballotLimit: index < ballots.count ? ballots[index] : 0)
            if index < inputs.count { sent += Self.step(&process, .proposed(Self.payload(inputs[index]))) }
            return process
        }
        return (states, sent)
    }

    func receive(
        _ envelope: Envelope<SynodMessage>, _ state: SynodProcess
    ) -> [(state: SynodProcess, sent: [Envelope<SynodMessage>])] {
        var state = state
        let sent = Self.step(&state, .received(envelope.message, from: ProcessID(UInt64(envelope.from + 1))))
        return [(state, sent)]
    }

    func decision(_ state: SynodProcess) -> Bool? { state.decision.map { $0 == Self.payload(true) } }

    /// What the process sends; it does not crash here, so that what it persists need not be kept.
    static func step(_ process: inout SynodProcess, _ input: SynodProcess.Input) -> [Envelope<SynodMessage>] {
        var outputs: [SynodProcess.Output] = []
        process.step(input, at: .zero, into: &outputs)
        let from = Int(process.process.rawValue) - 1
        return outputs.compactMap { output in
            guard case .send(let message, let receiver) = output else { return nil }
            return Envelope(from: from, to: Int(receiver.rawValue) - 1, message: message)
        }
    }
}
