import Automata
import Paxos

/// Leading, from phase 1 to the end of it.
extension Replica {
    mutating func beginLeading(_ promises: [Preparing.Progress], _ outputs: inout [ReplicaOutput]) {
        var leadership = Leadership(acceptor.promised, chosenUpTo: chosenUpTo)
        leadership.addPeers(of: configuration, next: acceptedUpTo.next, settings)
        leadership.begin(with: promises, chosenUpTo: chosenUpTo)
        self.leadership = leadership
        following.leader = me
        finishSuccession(.timedOut, &outputs)
        outputs.append(
            .setTimer(.election, after: settings.electionTimeout...settings.electionTimeout))
        pulse(&outputs)
    }

    /// Proposes again what phase 1 has found, up to the first entry that changes the configuration; what is
    /// after that belongs to the next phase 1. Without one, a noop of this ballot closes the list: once it is
    /// chosen, the leader knows all that others have chosen.
    ///
    /// Entries that would bring any configuration but the next were proposed when another prefix was expected
    /// and cannot have been chosen: acceptors accept at one ballot without holes, so a quorum for such an
    /// entry would have chosen the prefix that it counts from as well. They give way to noops.
    mutating func proposeRecovered(_ recovered: [Entry], _ outputs: inout [ReplicaOutput]) {
        let values = recovered.map { entry -> Entry in
            guard case .configuration(_, let next) = entry, next.epoch != configuration.epoch + 1 else {
                return entry
            }
            return .noop
        }
        if let change = values.firstIndex(where: \.isConfiguration) {
            leadership!.close(behind: acceptedUpTo.advanced(by: change + 1))
            propose(Array(values[...change]), &outputs)
        } else {
            leadership!.open(from: acceptedUpTo.advanced(by: values.count + 1))
            propose(values + [.noop], &outputs)
        }
    }

    /// Whether this leader has chosen something in its ballot and in the configuration in force.
    var isReady: Bool { leadership?.isReady(at: chosenUpTo) ?? false }

    /// What a leader owes after every step.
    mutating func concludeLeading(_ outputs: inout [ReplicaOutput]) {
        settleDoubt(&outputs)
        proposeHeld(&outputs)
        answerReads(&outputs)
        advanceTransfer(&outputs)
        tellChosen(&outputs)
        if !configuration.isVoter(me), isReady { handOver(&outputs) }
    }

    /// A leader that no phase-2 quorum has answered for an election timeout leads no more.
    mutating func checkQuorum(_ outputs: inout [ReplicaOutput]) {
        guard leadership!.rounds.check() else {
            stepDown(&outputs)
            return
        }
        outputs.append(
            .setTimer(.election, after: settings.electionTimeout...settings.electionTimeout))
    }

    mutating func stepDown(_ outputs: inout [ReplicaOutput]) {
        refuseHeld(&outputs)
        refuseReads(&outputs)
        if let transfer = leadership!.transfer { successor = transfer.target }
        pastLeadership = PastLeadership(ballot: leadership!.ballot, forwards: leadership!.forwards)
        leadership = nil
        preparing = nil
        loseLeader(&outputs)
        outputs.append(.cancelTimer(.heartbeat))
        setElectionTimer(&outputs)
    }
}
