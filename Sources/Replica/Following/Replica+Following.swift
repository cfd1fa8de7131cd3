import Automata
import Paxos

/// The acceptor's side of phase 2, and following the leader who speaks.
extension Replica {
    /// Whether a message of a leader is to be obeyed; a leader of the past is told what was promised since.
    private mutating func follow(
        _ ballot: Ballot, of sender: ProcessID, _ outputs: inout [ReplicaOutput]
    ) -> Bool {
        guard ballot.process == sender else { return false }
        guard ballot >= acceptor.promised else {
            send(.nack(.init(refused: ballot, promised: acceptor.promised)), to: sender, &outputs)
            return false
        }
        if ballot > acceptor.promised {
            _ = acceptor.prepare(ballot)
            persist(.promised(ballot), &outputs)
            enterBallot(&outputs)
        }
        following.noteHeard(ballot, at: now)
        if leader != sender {
            abandonCandidacy()
            following.leader = sender
            setElectionTimer(&outputs)
            finishSuccession(sender == successor ? nil : .timedOut, &outputs)
        }
        return true
    }

    /// Forgets who leads; what was forwarded to it may or may not have arrived.
    mutating func loseLeader(_ outputs: inout [ReplicaOutput]) {
        following.leader = nil
        let open = outstanding.takeAll()
        for proposal in open {
            outputs.append(.refuseProposal(ProposalID(process: me, number: proposal.number), .outcomeUnknown))
        }
        doubtful.add(open)
        if !doubtful.isEmpty { armResend(&outputs) }
        for id in forwardedReads.takeAll() { outputs.append(.refuseRead(id, .noLeader)) }
    }

    mutating func onAccept(
        _ accept: ReplicaMessage.Accept, from sender: ProcessID, _ outputs: inout [ReplicaOutput]
    ) {
        guard follow(accept.ballot, of: sender, &outputs) else { return }
        learn(upTo: min(accept.chosenUpTo, acceptedUpTo), &outputs)

        let end = Slot(accept.first.rawValue - 1).advanced(by: accept.entries.count)
        guard end > acceptedUpTo else {
            // A copy, or a part that came before: the answer to it may have been lost. It may also be that
            // this process knows more to be chosen than the leader, a change of configuration among it.
            let answer = ReplicaMessage.Accepted(
                ballot: accept.ballot, upTo: acceptedUpTo, standing: standing)
            send(.accepted(answer), to: sender, after: everythingSoFar, &outputs)
            return
        }
        guard accept.first <= acceptedUpTo.next, end <= accept.chosenUpTo || knowsEpoch(of: accept) else {
            send(.missing(.init(ballot: accept.ballot, from: acceptedUpTo.next)), to: sender, &outputs)
            return
        }
        let first = acceptedUpTo.next
        let known = Int(first.rawValue - accept.first.rawValue)
        let entries = known == 0 ? accept.entries : Array(accept.entries.dropFirst(known))
        guard case .accepted = acceptor.accept(accept.ballot, first: first, entries: entries) else {
            preconditionFailure("\(first) at \(accept.ballot) does not continue \(acceptor)")
        }
        acceptedUpTo = end
        extendAccepted()
        let chosen = max(chosenUpTo, min(accept.chosenUpTo, end))
        let record = persistAccepted(first, entries, chosenUpTo: chosen, &outputs)
        // What this message says to be chosen may be what makes the rest of it a vote.
        learn(upTo: chosen, &outputs)
        let answer = ReplicaMessage.Accepted(
            ballot: accept.ballot, upTo: acceptedUpTo, standing: standing)
        send(.accepted(answer), to: sender, after: record, &outputs)
    }

    /// Whether the configuration that governs the open slots of this message is the one that this process
    /// knows to govern them. That an acceptor of a new configuration holds the whole chosen prefix before it
    /// accepts anything makes it a full member.
    private func knowsEpoch(of accept: ReplicaMessage.Accept) -> Bool {
        var epoch = configuration.epoch
        if accept.chosenUpTo >= accept.first {
            let chosen = accept.entries.prefix(Int(accept.chosenUpTo.rawValue - accept.first.rawValue) + 1)
            for case .configuration(_, let next) in chosen { epoch = max(epoch, next.epoch) }
        }
        return epoch == accept.epoch
    }

    mutating func onChosen(
        _ chosen: ReplicaMessage.Chosen, from sender: ProcessID, _ outputs: inout [ReplicaOutput]
    ) {
        guard follow(chosen.ballot, of: sender, &outputs) else { return }
        learn(upTo: min(chosen.upTo, acceptedUpTo), &outputs)
    }

    mutating func onHeartbeat(
        _ heartbeat: ReplicaMessage.Heartbeat, from sender: ProcessID, _ outputs: inout [ReplicaOutput]
    ) {
        guard follow(heartbeat.ballot, of: sender, &outputs) else { return }
        if heartbeat.isPulse { setElectionTimer(&outputs) }
        learn(upTo: min(heartbeat.chosenUpTo, acceptedUpTo), &outputs)
        let answer = ReplicaMessage.HeartbeatAnswer(
            ballot: heartbeat.ballot, round: heartbeat.round, acceptedUpTo: acceptedUpTo,
            chosenUpTo: chosenUpTo, standing: standing)
        send(.heartbeatAnswer(answer), to: sender, &outputs)
    }
}
