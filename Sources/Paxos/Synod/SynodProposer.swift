import Automata

/// The proposer of the single-decree synod: it begins a ballot, and once a quorum has promised proposes the value
/// accepted at the highest ballot below, or its own where there is none.
///
/// ```
///   begin ──▶ prepare(b) to all ──▶ a phase-1 quorum of promises ──▶ accept(b, v) to all
///   nack(b, promised c) ──▶ given up; the next ballot is above c
/// ```
public struct SynodProposer: Hashable, Sendable {
    public enum Phase: Hashable, Sendable {
        case idle
        case preparing(promises: [Promise])
        case proposing(Payload)
    }

    public struct Promise: Hashable, Sendable {
        public let acceptor: ProcessID
        public let vote: SynodVote?

        public init(acceptor: ProcessID, vote: SynodVote?) {
            self.acceptor = acceptor
            self.vote = vote
        }
    }

    public let process: ProcessID
    /// Proposed where nothing was accepted before.
    public let value: Payload
    /// The latest ballot of this proposer, or the highest that it heard of.
    public private(set) var ballot = Ballot.none
    public private(set) var phase = Phase.idle

    public init(process: ProcessID, value: Payload) {
        self.process = process
        self.value = value
    }

    /// What waits for answers; nil where no ballot is under way.
    public var pending: SynodMessage? {
        switch phase {
        case .idle: nil
        case .preparing: .prepare(ballot)
        case .proposing(let value): .accept(SynodVote(ballot: ballot, value: value))
        }
    }

    /// A ballot above all that the proposer has heard of; the message goes to every acceptor.
    public mutating func begin() -> SynodMessage {
        ballot = Ballot(round: ballot.round + 1, process: process)
        phase = .preparing(promises: [])
        return .prepare(ballot)
    }

    /// Returns what goes to every acceptor once a quorum has promised. A promise that was counted before, or is of
    /// another ballot, changes nothing.
    public mutating func onPromise(
        _ promised: Ballot, _ vote: SynodVote?, from acceptor: ProcessID, in configuration: Configuration
    ) -> SynodMessage? {
        guard promised == ballot, case .preparing(var promises) = phase,
            !promises.contains(where: { $0.acceptor == acceptor })
        else { return nil }
        promises.append(Promise(acceptor: acceptor, vote: vote))
        promises.sort { $0.acceptor < $1.acceptor }
        guard configuration.isPhase1Quorum(promises.map(\.acceptor)) else {
            phase = .preparing(promises: promises)
            return nil
        }
        let bound = promises.compactMap(\.vote).max { $0.ballot < $1.ballot }
        let proposal = bound?.value ?? value
        phase = .proposing(proposal)
        return .accept(SynodVote(ballot: ballot, value: proposal))
    }

    /// Whether the nack ends the ballot that is under way.
    public mutating func onNack(_ refused: Ballot, promised: Ballot) -> Bool {
        guard refused == ballot, phase != .idle else { return false }
        phase = .idle
        ballot = max(ballot, promised)
        return true
    }

    /// The value is chosen: nothing is left to propose.
    public mutating func end() { phase = .idle }
}
