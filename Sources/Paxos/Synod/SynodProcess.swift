import Automata

/// A process of the single-decree synod in all three roles.
///
/// Agreement and validity hold whatever the network does and whoever crashes. That somebody decides needs more: a
/// time in which one proposer is left alone (Fischer, Lynch and Paterson, JACM 32(2), 1985). Who may begin ballots is
/// told by the host, which may ask an oracle such as Ω; without one every process may, and as soon as a ballot of
/// its own is refused it begins the next.
public struct SynodProcess: Automaton, Hashable, Sendable {
    public enum Input: Hashable, Sendable {
        case proposed(Payload)
        case received(SynodMessage, from: ProcessID)
        /// Whether this process may begin ballots.
        case mayLead(Bool)
        /// What the ballot under way waits for may have been lost: it is asked for again.
        case resend
    }

    public enum Output: Hashable, Sendable {
        /// Everything after this output waits until the acceptor's state is durable.
        case persist(SynodAcceptor)
        case send(SynodMessage, to: ProcessID)
        /// Handed up once.
        case decide(Payload)
    }

    public let process: ProcessID
    public let configuration: Configuration
    public private(set) var acceptor: SynodAcceptor
    public private(set) var proposer: SynodProposer?
    public private(set) var learner = SynodLearner()
    private var mayLead = true
    /// How many ballots the process may still begin: a bound for explorations.
    private var ballotsLeft: Int

    /// `recovered`: the acceptor's durable state after a crash; who recovers proposes anew.
    public init(
        process: ProcessID, configuration: Configuration, recovered: SynodAcceptor = SynodAcceptor(),
        ballotLimit: Int = .max
    ) {
        self.process = process
        self.configuration = configuration
        acceptor = recovered
        ballotsLeft = ballotLimit
    }

    public var decision: Payload? { learner.chosen }

    public mutating func step(_ input: Input, at now: Instant, into outputs: inout [Output]) {
        switch input {
        case .proposed(let value): onProposed(value, &outputs)
        case .mayLead(let mayLead): onMayLead(mayLead, &outputs)
        case .resend: if mayLead, let message = proposer?.pending { sendToAll(message, &outputs) }
        case .received(.prepare(let ballot), let sender):
            answer(to: sender, &outputs) { $0.onPrepare(ballot) }
        case .received(.accept(let proposal), let sender):
            answer(to: sender, &outputs) { $0.onAccept(proposal) }
        case .received(.promise(let ballot, let vote), let sender):
            let proposal = proposer?.onPromise(ballot, vote, from: sender, in: configuration)
            if let proposal { sendToAll(proposal, &outputs) }
        case .received(.accepted(let vote), let sender):
            if learner.onAccepted(vote, from: sender, in: configuration) { onLearned(vote.value, &outputs) }
        case .received(.nack(let ballot, let promised), _):
            if proposer?.onNack(ballot, promised: promised) == true { begin(&outputs) }
        case .received(.chosen(let value), _): onChosen(value, &outputs)
        }
    }

    private mutating func onProposed(_ value: Payload, _ outputs: inout [Output]) {
        guard proposer == nil else { return }
        proposer = SynodProposer(process: process, value: value)
        begin(&outputs)
    }

    private mutating func onMayLead(_ mayLead: Bool, _ outputs: inout [Output]) {
        let hasBegun = self.mayLead
        self.mayLead = mayLead
        if mayLead, !hasBegun, proposer?.phase == .idle { begin(&outputs) }
    }

    private mutating func begin(_ outputs: inout [Output]) {
        guard mayLead, ballotsLeft > 0, decision == nil, let prepare = proposer?.begin() else { return }
        ballotsLeft -= 1
        sendToAll(prepare, &outputs)
    }

    /// The process that led the ballot tells the others.
    private mutating func onLearned(_ value: Payload, _ outputs: inout [Output]) {
        proposer?.end()
        outputs.append(.decide(value))
        for other in configuration.voters where other != process {
            outputs.append(.send(.chosen(value), to: other))
        }
    }

    private mutating func onChosen(_ value: Payload, _ outputs: inout [Output]) {
        guard decision == nil else { return }
        learner.onChosen(value)
        proposer?.end()
        outputs.append(.decide(value))
    }

    private mutating func answer(
        to sender: ProcessID, _ outputs: inout [Output], _ take: (inout SynodAcceptor) -> SynodMessage
    ) {
        let before = acceptor
        let message = take(&acceptor)
        if acceptor != before { outputs.append(.persist(acceptor)) }
        outputs.append(.send(message, to: sender))
    }

    private func sendToAll(_ message: SynodMessage, _ outputs: inout [Output]) {
        for acceptor in configuration.voters { outputs.append(.send(message, to: acceptor)) }
    }
}
