import Automata

/// Randomised consensus on one bit (Ben-Or, Another Advantage of Free Choice, PODC 1983), where fewer than half of the
/// processes crash and every message between the others arrives at some time.
///
/// Guarantees: agreement and validity always; everybody who does not crash decides with probability 1, whatever the
/// order of messages, as long as who orders them cannot see coins before they are tossed.
///
/// ```
///   round r   report(r, x) to all
///             n−t reports      ──▶ more than n/2 say v:  proposal(r, v) to all, otherwise proposal(r, ?)
///             n−t proposals    ──▶ more than t say v:    decide v, and tell all
///                                  one says v:           x := v
///                                  none does:            x := a coin
/// ```
///
/// The coin is the host's: `.tossCoin` asks for one, and `.coin` answers.
public struct BenOr: Automaton, Hashable, Sendable {
    public enum Message: Hashable, Sendable, CustomStringConvertible {
        case report(round: UInt32, Bool)
        /// nil: no value was reported by more than half of all.
        case proposal(round: UInt32, Bool?)
        /// Who decides says so and stops: the others need not wait for it.
        case decided(Bool)

        public var description: String {
            switch self {
            case .report(let round, let value): "report(\(round), \(value ? 1 : 0))"
            case .proposal(let round, let value): "proposal(\(round), \(value.map { $0 ? "1" : "0" } ?? "?"))"
            case .decided(let value): "decided(\(value ? 1 : 0))"
            }
        }
    }

    public enum Input: Hashable, Sendable {
        case proposed(Bool)
        case received(Message, from: ProcessID)
        case coin(Bool)
    }

    public enum Output: Hashable, Sendable {
        case send(Message, to: ProcessID)
        case tossCoin
        case decide(Bool)
    }

    private enum Phase: Hashable, Sendable {
        case waiting
        case reporting
        case proposing
        case tossing
        case decided
    }

    private struct Receipt: Hashable, Sendable {
        let round: UInt32
        let sender: ProcessID
        let isProposal: Bool
        let value: Bool?
    }

    /// Messages of rounds so far ahead are dropped. Whoever is so far behind is told the decision in the end.
    private static let roundsAhead: UInt32 = 64

    public let process: ProcessID
    /// In ascending order.
    public let processes: [ProcessID]
    /// At most so many crash; fewer than half.
    public let crashes: Int
    public private(set) var round: UInt32 = 1
    public private(set) var decision: Bool?
    private var value = false
    private var phase = Phase.waiting
    /// What was received for this round and later ones, in the order of round, kind and sender.
    private var receipts: [Receipt] = []

    public init(process: ProcessID, processes: [ProcessID], crashes: Int) {
        precondition(
            2 * crashes < processes.count, "\(crashes) of \(processes.count) are not fewer than half")
        self.process = process
        self.processes = processes.sorted()
        self.crashes = crashes
    }

    public mutating func step(_ input: Input, at now: Instant, into outputs: inout [Output]) {
        switch input {
        case .proposed(let bit):
            guard phase == .waiting else { return }
            value = bit
            report(&outputs)
        case .coin(let bit):
            guard phase == .tossing else { return }
            value = bit
            beginNextRound(&outputs)
        case .received(.decided(let bit), _): decide(bit, &outputs)
        case .received(.report(let round, let bit), let sender):
            note(Receipt(round: round, sender: sender, isProposal: false, value: bit))
        case .received(.proposal(let round, let bit), let sender):
            note(Receipt(round: round, sender: sender, isProposal: true, value: bit))
        }
        goOn(&outputs)
    }

    private mutating func note(_ receipt: Receipt) {
        guard decision == nil, receipt.round >= round, receipt.round - round <= Self.roundsAhead else {
            return
        }
        let isKnown = receipts.contains {
            $0.round == receipt.round && $0.sender == receipt.sender && $0.isProposal == receipt.isProposal
        }
        guard !isKnown else { return }
        let key = { (receipt: Receipt) in (receipt.round, receipt.isProposal ? 1 : 0, receipt.sender) }
        let place = receipts.firstIndex { key(receipt) < key($0) } ?? receipts.count
        receipts.insert(receipt, at: place)
    }

    /// A round may end at once, when everything for it came before it began.
    private mutating func goOn(_ outputs: inout [Output]) {
        while true {
            let quorum = processes.count - crashes
            let received = receipts.filter { $0.round == round && $0.isProposal == (phase == .proposing) }
            guard phase == .reporting || phase == .proposing, received.count >= quorum else { return }
            if phase == .reporting { onReports(received, &outputs) } else { onProposals(received, &outputs) }
        }
    }

    private mutating func onReports(_ reports: [Receipt], _ outputs: inout [Output]) {
        let majority: Bool? = [false, true].first { (bit: Bool) in
            2 * reports.count(where: { $0.value == bit }) > processes.count
        }
        phase = .proposing
        sendToAll(.proposal(round: round, majority), &outputs)
    }

    private mutating func onProposals(_ proposals: [Receipt], _ outputs: inout [Output]) {
        guard let bit = proposals.compactMap(\.value).first else {
            phase = .tossing
            return outputs.append(.tossCoin)
        }
        value = bit
        if proposals.count(where: { $0.value == bit }) > crashes { return decide(bit, &outputs) }
        beginNextRound(&outputs)
    }

    private mutating func beginNextRound(_ outputs: inout [Output]) {
        round += 1
        receipts.removeAll { $0.round < round }
        report(&outputs)
    }

    private mutating func report(_ outputs: inout [Output]) {
        phase = .reporting
        sendToAll(.report(round: round, value), &outputs)
    }

    private mutating func decide(_ bit: Bool, _ outputs: inout [Output]) {
        guard decision == nil else { return }
        decision = bit
        phase = .decided
        receipts = []
        outputs.append(.decide(bit))
        for other in processes where other != process { outputs.append(.send(.decided(bit), to: other)) }
    }

    private func sendToAll(_ message: Message, _ outputs: inout [Output]) {
        for receiver in processes { outputs.append(.send(message, to: receiver)) }
    }
}
