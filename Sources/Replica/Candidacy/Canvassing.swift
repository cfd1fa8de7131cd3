import Automata
import Paxos

/// A process that asks whether it would be followed, before it disturbs anybody.
struct Canvassing: Hashable, Sendable {
    let ballot: Ballot
    /// Who would promise, this process included, in ascending order.
    private var granted: [ProcessID]

    init(_ ballot: Ballot) {
        self.ballot = ballot
        granted = [ballot.process]
    }

    /// Whether this process has not yet said that it would promise `ballot`, and is asked to.
    func awaits(_ voter: ProcessID, at ballot: Ballot) -> Bool {
        self.ballot == ballot && !granted.contains(voter)
    }

    mutating func grant(_ voter: ProcessID) {
        granted.append(voter)
        granted.sort()
    }

    /// Whether both phases would find a quorum.
    func isFollowed(in configuration: Configuration) -> Bool {
        configuration.isPhase1Quorum(granted) && configuration.isPhase2Quorum(granted)
    }
}
