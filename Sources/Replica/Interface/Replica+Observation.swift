import Automata
import Paxos

/// What a host may look at between two steps.
extension Replica {
    public var isLeader: Bool { leadership != nil }
    /// The leader, once this process has heard from it at the promised ballot.
    public var leader: ProcessID? { following.leader }
    /// When this process heard from a leader last, or, as the leader, when a quorum last confirmed that.
    public var leaderHeard: Instant? {
        leadership != nil ? leadership?.rounds.confirmedAt : following.heardAt
    }
    /// The highest ballot that this process has promised.
    public var ballot: Ballot { acceptor.promised }

    /// Whether this process led at `now` as far as a quorum has confirmed within the last election timeout:
    /// a process for which this is false must end and renew no leases.
    public func hasRecentQuorum(at now: Instant) -> Bool {
        guard let confirmed = leadership?.rounds.confirmedAt else { return false }
        return now < confirmed + settings.electionTimeout
    }

    /// Whether this leader has told another process to take over, which may do so at any time, also where the leader
    /// has given that up since.
    public var isBeingSucceeded: Bool { leadership?.hasForfeitedLease == true }

    /// Whether this process leads and its state machine has executed everything that earlier leaders had
    /// chosen: what it has not executed yet was proposed by itself.
    public var hasAppliedInherited: Bool {
        guard isReady, let readyFrom = leadership?.readyFrom else { return false }
        return appliedUpTo >= readyFrom
    }

    /// The entries of consecutive slots behind `slot` that are chosen, as many as fit into `bytesLimit`, at least one
    /// when there is one, and none past `end`: for a host that applies them to another copy of its state. What is
    /// not yet stored is always there.
    public func chosenEntries(after slot: Slot, through end: Slot, bytesLimit: Int) -> [Entry] {
        precondition(end <= chosenUpTo, "\(end) is not chosen")
        precondition(slot >= acceptor.accepted.floor, "\(slot.next) is trimmed")
        return acceptor.accepted.entries(
            from: slot.next, through: end, bytesLimit: bytesLimit)
    }
}
