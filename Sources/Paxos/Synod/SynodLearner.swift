import Automata

/// The learner of the single-decree synod: a value is chosen once a phase-2 quorum has accepted it at one ballot.
public struct SynodLearner: Hashable, Sendable {
    private struct Tally: Hashable, Sendable {
        let vote: SynodVote
        /// In ascending order.
        var acceptors: [ProcessID]
    }

    /// By ballot, the highest last; older ones than `tallyLimit` are forgotten, as they were overtaken.
    private var tallies: [Tally] = []
    private static let tallyLimit = 4

    public private(set) var chosen: Payload?

    public init() {}

    /// Whether the learner learned with this that the value is chosen.
    public mutating func onAccepted(
        _ vote: SynodVote, from acceptor: ProcessID, in configuration: Configuration
    ) -> Bool {
        guard chosen == nil else { return false }
        var place = tallies.firstIndex { $0.vote == vote }
        if place == nil {
            tallies.append(Tally(vote: vote, acceptors: []))
            tallies.sort { $0.vote.ballot < $1.vote.ballot }
            if tallies.count > Self.tallyLimit { tallies.removeFirst() }
            place = tallies.firstIndex { $0.vote == vote }
        }
        guard let place, !tallies[place].acceptors.contains(acceptor) else { return false }
        tallies[place].acceptors.append(acceptor)
        tallies[place].acceptors.sort()
        guard configuration.isPhase2Quorum(tallies[place].acceptors) else { return false }
        chosen = vote.value
        tallies = []
        return true
    }

    /// Somebody else knows.
    public mutating func onChosen(_ value: Payload) {
        chosen = value
        tallies = []
    }
}
