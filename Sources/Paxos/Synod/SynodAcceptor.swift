import Automata

/// The acceptor of the single-decree synod (Lamport, Paxos Made Simple, 2001, section 2.2).
///
/// It promises to accept nothing below a ballot, and accepts what it is not bound against. Its state must be durable
/// before an answer leaves: an acceptor that forgets breaks agreement.
public struct SynodAcceptor: Hashable, Sendable {
    /// No ballot below it is accepted any more. Never falls.
    public private(set) var promised: Ballot
    /// Its ballot is never above `promised`.
    public private(set) var vote: SynodVote?

    public init(promised: Ballot = .none, vote: SynodVote? = nil) {
        self.promised = promised
        self.vote = vote
    }

    public mutating func onPrepare(_ ballot: Ballot) -> SynodMessage {
        guard ballot >= promised else { return .nack(ballot, promised: promised) }
        promised = ballot
        return .promise(ballot, vote)
    }

    public mutating func onAccept(_ proposal: SynodVote) -> SynodMessage {
        guard proposal.ballot >= promised else { return .nack(proposal.ballot, promised: promised) }
        promised = proposal.ballot
        vote = proposal
        return .accepted(proposal)
    }
}
