import Automata
import Paxos

/// The proposer's side of phase 2: propose, count, choose.
extension Replica {
    mutating func beginLeading(_ promises: [Preparing.Progress], _ outputs: inout [ReplicaOutput]) {
        var leadership = Leadership(
            ballot: acceptor.promised, tally: AcceptanceTally(ballot: acceptor.promised))
        leadership.tally.record(me, upTo: chosenUpTo)
        self.leadership = leadership
        following.leader = me
        finishSuccession(.timedOut, &outputs)
        addPeers()
        for promise in promises {
            guard let chosen = promise.chosenUpTo, let index = self.leadership!.peer(promise.acceptor) else {
                continue
            }
            let known = min(chosen, chosenUpTo)
            self.leadership!.tally.record(promise.acceptor, upTo: known)
            self.leadership!.peers[index].next = known.next
            self.leadership!.peers[index].accepted = known
            self.leadership!.peers[index].isProbing = false
        }
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
            leadership!.barrier = acceptedUpTo.advanced(by: change + 1)
            leadership!.readyFrom = nil
            propose(Array(values[...change]), &outputs)
        } else {
            leadership!.readyFrom = acceptedUpTo.advanced(by: values.count + 1)
            propose(values + [.noop], &outputs)
        }
    }

    /// Phase 2a in the slots after the last that was proposed in. The messages leave at once, beside the
    /// leader's own record.
    mutating func propose(_ entries: [Entry], _ outputs: inout [ReplicaOutput]) {
        let first = acceptedUpTo.next
        guard case .accepted = acceptor.accept(leadership!.ballot, first: first, entries: entries) else {
            preconditionFailure("\(first) at \(leadership!.ballot) does not continue \(acceptor)")
        }
        acceptedUpTo = acceptedUpTo.advanced(by: entries.count)
        let record = persistAccepted(first, entries, chosenUpTo: chosenUpTo, &outputs)
        leadership!.ownAcceptances.append(.init(record: record, upTo: acceptedUpTo))
        let bytes = entries.reduce(0) { $0 + $1.sizeHint }
        leadership!.bytesInFlight += bytes
        let batch =
            bytes <= settings.batchBytesLimit ? FreshBatch(first: first, entries: entries, bytes: bytes) : nil
        for index in leadership!.peers.indices { replicate(index, fresh: batch, &outputs) }
    }

    /// What of the leader's own acceptances has become durable counts.
    mutating func acceptOwn(_ outputs: inout [ReplicaOutput]) {
        let done = leadership!.ownAcceptances.firstIndex { $0.record > durableUpTo }
        let count = done ?? leadership!.ownAcceptances.count
        guard count > 0 else { return }
        let upTo = leadership!.ownAcceptances[count - 1].upTo
        leadership!.ownAcceptances.removeFirst(count)
        leadership!.tally.record(me, upTo: upTo)
        choose(&outputs)
    }

    mutating func onAccepted(
        _ accepted: ReplicaMessage.Accepted, from process: ProcessID, _ outputs: inout [ReplicaOutput]
    ) {
        guard leadership?.ballot == accepted.ballot, let index = leadership!.peer(process) else { return }
        // A process may know more to be chosen than a leader that waits to enter the next configuration.
        let upTo = min(accepted.upTo, acceptedUpTo)
        note(accepted.standing, knowing: accepted.upTo, at: index)
        if accepted.standing.isVote {
            leadership!.tally.record(process, upTo: upTo)
        } else {
            leadership!.peers[index].followedUpTo = max(leadership!.peers[index].followedUpTo, upTo)
        }
        leadership!.peers[index].noteAccepted(upTo)
        choose(&outputs)
        replicate(index, fresh: nil, &outputs)
    }

    mutating func choose(_ outputs: inout [ReplicaOutput]) {
        let chosen = leadership!.tally.chosenUpTo(in: configuration)
        precondition(chosen <= acceptedUpTo, "\(chosen) is chosen, and only \(acceptedUpTo) was proposed")
        learn(upTo: chosen, &outputs)
    }

    /// What a leader owes after every step.
    mutating func concludeLeading(_ outputs: inout [ReplicaOutput]) {
        settleDoubt(&outputs)
        proposeHeld(&outputs)
        answerReads(&outputs)
        advanceTransfer(&outputs)
        tellChosen(&outputs)
        if !configuration.isVoter(me), isReady { handOver(&outputs) }
    }

    /// Whether this leader has chosen something in its ballot and in the configuration in force.
    var isReady: Bool {
        guard let readyFrom = leadership?.readyFrom else { return false }
        return chosenUpTo >= readyFrom
    }

    /// The word that something is chosen travels with phase 2a messages, unless none is on its way or the
    /// clients of a process wait for it.
    private mutating func tellChosen(_ outputs: inout [ReplicaOutput]) {
        let isIdle = acceptedUpTo == chosenUpTo
        for index in leadership!.peers.indices where leadership!.peers[index].told < chosenUpTo {
            guard isIdle || leadership!.peers[index].isWaiting else { continue }
            leadership!.peers[index].told = chosenUpTo
            leadership!.peers[index].isWaiting = false
            let message = ReplicaMessage.Chosen(ballot: leadership!.ballot, upTo: chosenUpTo)
            send(.chosen(message), to: leadership!.peers[index].process, &outputs)
        }
    }

    mutating func onHeartbeatTimer(_ outputs: inout [ReplicaOutput]) {
        guard leadership != nil else { return }
        pulse(&outputs)
        for index in leadership!.peers.indices {
            leadership!.peers[index].noteStall(confirmed: reached(by: leadership!.peers[index].process))
            replicate(index, fresh: nil, &outputs)
        }
        leadership!.peers.removeAll { $0.pulsesUntilGone == 0 }
        countDownTransfer(&outputs)
    }

    /// The leader's pulse: keeps followers from standing, and carries the chosen watermark.
    private mutating func pulse(_ outputs: inout [ReplicaOutput]) {
        outputs.append(
            .setTimer(.heartbeat, after: settings.heartbeatInterval...settings.heartbeatInterval))
        beginRound(isPulse: true, &outputs)
        for index in leadership!.peers.indices { leadership!.peers[index].told = chosenUpTo }
    }

    /// A leader that no phase-2 quorum has answered for an election timeout leads no more.
    mutating func checkQuorum(_ outputs: inout [ReplicaOutput]) {
        guard leadership!.confirmedRound > leadership!.checkedRound else {
            stepDown(&outputs)
            return
        }
        leadership!.checkedRound = leadership!.round
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
