import Automata

/// What an acceptor voted for: the value that it accepted at the highest ballot.
public struct SynodVote: Hashable, Sendable, CustomStringConvertible {
    public let ballot: Ballot
    public let value: Payload

    public init(ballot: Ballot, value: Payload) {
        self.ballot = ballot
        self.value = value
    }

    public var description: String { "\(value) at \(ballot)" }
}

/// What the roles of the single-decree synod say to each other.
public enum SynodMessage: Hashable, Sendable, CustomStringConvertible {
    /// 1a
    case prepare(Ballot)
    /// 1b, with what the acceptor accepted before
    case promise(Ballot, SynodVote?)
    /// 2a
    case accept(SynodVote)
    /// 2b
    case accepted(SynodVote)
    /// The acceptor has promised a higher ballot.
    case nack(Ballot, promised: Ballot)
    /// Somebody learned what is chosen.
    case chosen(Payload)

    public var description: String {
        switch self {
        case .prepare(let ballot): "prepare(\(ballot))"
        case .promise(let ballot, let vote): "promise(\(ballot)\(vote.map { ", accepted \($0)" } ?? ""))"
        case .accept(let vote): "accept(\(vote))"
        case .accepted(let vote): "accepted(\(vote))"
        case .nack(let ballot, let promised): "nack(\(ballot), promised \(promised))"
        case .chosen(let value): "chosen(\(value))"
        }
    }
}
