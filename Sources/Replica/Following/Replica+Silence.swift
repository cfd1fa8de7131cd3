import Automata
import Paxos

/// To whom a process owes silence: with a leader that is heard it does not change to another, and a lease binds it.
extension Replica {
    /// Whether this process follows a leader that it heard from within the last election timeout, or leads
    /// with a quorum that recent.
    var hearsFromLeader: Bool {
        leadership != nil ? hasRecentQuorum(at: now) : following.hearsFromLeader(at: now)
    }

    /// With lease reads, an acceptor that a leader may count on promises nothing to others.
    var isBoundByLease: Bool {
        guard settings.leaseReadsClockDriftPPM != nil, !isSurelyQuorumAlone else { return false }
        return following.owesSilence(at: now)
    }

    /// Whether no lease keeps this process from promising to a candidate that succeeds the leader of this ballot.
    func isFree(forSuccessorOf ballot: Ballot?) -> Bool {
        !isBoundByLease || following.isReleased(toSuccessorOf: ballot, at: now)
    }

    /// Whether nobody can lead without this process. A configuration that it has accepted may be chosen, and
    /// its members may have elected somebody.
    private var isSurelyQuorumAlone: Bool {
        guard isQuorumAlone else { return false }
        var slot = chosenUpTo
        while slot < acceptor.accepted.last {
            slot = slot.next
            if acceptor.accepted[slot].isConfiguration { return false }
        }
        return true
    }

    /// Whether this process needs no other.
    var isQuorumAlone: Bool {
        takesPart && configuration.isPhase1Quorum([me]) && configuration.isPhase2Quorum([me])
    }
}
