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

    // MARK: Contradictions

    /// Takes what a process says of its vote, and doubts what it knows to be chosen beyond what this leader, ready and
    /// in no change of configuration, has proposed.
    mutating func note(_ standing: ReplicaMessage.Standing, knowing slot: Slot, at index: Int) {
        leadership!.note(standing, at: index)
        guard slot > acceptedUpTo, isReady, leadership!.barrier == nil, preparing == nil else { return }
        leadership!.doubts.raise(
            .init(
                process: leadership!.peers[index].process, slot: slot, round: leadership!.rounds.current,
                epoch: configuration.epoch))
    }

    /// At the end of every step of a leader.
    mutating func settleDoubt(_ outputs: inout [ReplicaOutput]) {
        let confirmed = leadership!.rounds.confirmed
        guard let doubt = leadership!.doubts.settle(confirmed: confirmed, in: configuration.epoch) else {
            return
        }
        outputs.append(.reportContradiction(by: doubt.process, at: doubt.slot))
    }
}
