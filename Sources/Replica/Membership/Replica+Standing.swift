import Automata
import Paxos

/// Whose votes count, and what follows when somebody knows what nobody can have chosen.
///
/// An acceptor is a disk that keeps its promises. A configuration names the disk of each voter, phase 1 asks
/// that disk, and a process whose disk is another follows like a learner: it stands for nothing, promises
/// nothing, and its acceptances and answers to rounds are marked as none that count. So a process that lost
/// its disk and comes back under its old name contradicts nothing that the lost disk had promised; to the
/// quorums it is a voter that is down.
extension Replica {
    /// Whether this process votes, as far as it knows. One whose configuration is behind may be asked to
    /// promise all the same, by somebody who knows a later one.
    public var takesPart: Bool {
        configuration.isVoter(me) && configuration.disk(of: me) == settings.disk
    }

    /// Whether this process was a voter with a disk that it has no more.
    public var hasLostItsVote: Bool {
        configuration.isVoter(me) && configuration.disk(of: me) != settings.disk
    }

    /// Whether clients of this process may ask for anything to be proposed or confirmed. What a process asks
    /// of a leader is numbered from its starts, and one that lost its disk would use its numbers again.
    var servesClients: Bool { configuration.isMember(me) && !hasLostItsVote && !isRetired }

    /// What this process's answers count for.
    var standing: ReplicaMessage.Standing { .init(isVote: takesPart, disk: settings.disk) }

    /// Voters that follow this leader with another disk than the one with which they took part, each with the
    /// disk that it has now; none where this process does not lead.
    public var votersWithoutVote: [(process: ProcessID, disk: DiskID?)] {
        guard let leadership else { return [] }
        return leadership.peers.compactMap { peer in
            guard configuration.isVoter(peer.process), let standing = peer.standing, !standing.isVote,
                standing.disk != configuration.disk(of: peer.process)
            else { return nil }
            return (peer.process, standing.disk)
        }
    }

    /// How far this process is, whether or not that counts.
    func reached(by process: ProcessID) -> Slot {
        let followed = leadership!.peer(process).map { leadership!.peers[$0].followedUpTo } ?? .zero
        return max(leadership!.tally[process], followed)
    }

    // MARK: Contradictions

    /// A leader that has chosen in its ballot has proposed in every slot in which anything can have been
    /// chosen, unless a higher ballot was. Whoever knows more to be chosen is doubted until a quorum confirms,
    /// in a round begun afterwards, that no higher ballot was promised.
    mutating func note(_ standing: ReplicaMessage.Standing, knowing slot: Slot, at index: Int) {
        let process = leadership!.peers[index].process
        if leadership!.peers[index].standing?.disk != standing.disk {
            leadership!.peers[index].followedUpTo = .zero
        }
        leadership!.peers[index].standing = standing
        // What this disk accepted at this ballot while it only followed, it has accepted.
        if standing.isVote { leadership!.tally.record(process, upTo: leadership!.peers[index].followedUpTo) }
        guard slot > acceptedUpTo, isReady, leadership!.barrier == nil, preparing == nil,
            leadership!.doubt == nil, !leadership!.contradicted.contains(process)
        else { return }
        leadership!.doubt = .init(
            process: process, slot: slot, round: leadership!.round, epoch: configuration.epoch)
    }

    /// At the end of every step of a leader.
    mutating func settleDoubt(_ outputs: inout [ReplicaOutput]) {
        guard let doubt = leadership!.doubt else { return }
        guard doubt.epoch == configuration.epoch else {
            leadership!.doubt = nil
            return
        }
        guard leadership!.confirmedRound > doubt.round else { return }
        leadership!.doubt = nil
        leadership!.contradicted.append(doubt.process)
        outputs.append(.reportContradiction(by: doubt.process, at: doubt.slot))
    }
}
