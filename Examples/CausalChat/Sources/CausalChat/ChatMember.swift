import Automata
import Multicast

/// One who chats: an actor that is the host of a multicast core.
///
/// It gives the core what comes and what is to be said, sends what the core wants sent, and wakes it when its timer is
/// due. The core does the rest: it asks again for what was lost, and holds back what comes before its cause.
actor ChatMember {
    let id: ProcessID
    private var core: CausalMulticast
    private let network: LossyNetwork
    private(set) var seen: [String] = []
    private let isDone: Int

    /// `lines`: how many it waits to see.
    init(_ id: ProcessID, in group: [ProcessID], over network: LossyNetwork, lines: Int) {
        self.id = id
        self.network = network
        isDone = lines
        core = CausalMulticast(process: id, group: group)
    }

    func start() { step(.start) }

    func say(_ line: String) { step(.multicast(Payload(line))) }

    func receive(_ message: MulticastMessage, from sender: ProcessID) {
        step(.received(message, from: sender))
    }

    var hasSeenAll: Bool { seen.count >= isDone }

    private func step(_ input: CausalMulticast.Input) {
        var outputs: [CausalMulticast.Output] = []
        core.step(input, at: .zero, into: &outputs)
        for output in outputs {
            switch output {
            case .send(let message, let receiver): network.send(message, from: id, to: receiver)
            case .deliver(_, let payload): see(payload.description)
            case .setTimer(let range):
                let span = UInt64.random(in: range.lowerBound.nanoseconds...range.upperBound.nanoseconds)
                Task {
                    try? await Task.sleep(for: .nanoseconds(span))
                    step(.timerFired)
                }
            case .refuse, .ready: break
            }
        }
    }

    /// Whoever sees a question answers it.
    private func see(_ line: String) {
        seen.append(line)
        if line.hasPrefix("question") {
            Task { say("\(id) answers \(line)") }
        }
    }
}
