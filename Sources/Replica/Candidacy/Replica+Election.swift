import Automata
import Paxos

/// Who should lead: election timer, canvass, and giving up.
///
/// A process stands only when a phase-1 and a phase-2 quorum say that they would follow, and a process that
/// hears from a leader, or leads with a quorum, says no. So a process that cannot reach a quorum neither
/// leads nor disturbs, and a leader that lost its quorum is replaced by whoever has one, however far behind
/// its log is: phase 1 brings the rest. (Ng, Haridi, Carbone, Omni-Paxos, EuroSys 2023, section 2, names the
/// partial partitions for which this is needed.)
extension Replica {
    var nextBallot: Ballot { Ballot(round: max(highestRound, acceptor.promised.round) + 1, process: me) }

    mutating func onElectionTimer(_ outputs: inout [ReplicaOutput]) {
        if leadership != nil {
            checkQuorum(&outputs)
            return
        }
        finishSuccession(.timedOut, &outputs)
        loseLeader(&outputs)
        if preparing?.hasProgressed == true {
            preparing!.hasProgressed = false
            setElectionTimer(&outputs)
            return
        }
        abandonCandidacy()
        guard takesPart, !isBoundByLease else {
            setElectionTimer(&outputs)
            return
        }
        setRetryTimer(&outputs)
        canvass(&outputs)
    }

    private mutating func canvass(_ outputs: inout [ReplicaOutput]) {
        let ballot = nextBallot
        canvassing = Canvassing(ballot: ballot, granted: [me])
        for voter in configuration.voters where voter != me {
            let canvass = ReplicaMessage.Canvass(
                ballot: ballot, epoch: configuration.epoch, disk: configuration.disk(of: voter))
            send(.canvass(canvass), to: voter, &outputs)
        }
        standIfFollowed(&outputs)
    }

    mutating func onCanvass(
        _ canvass: ReplicaMessage.Canvass, from candidate: ProcessID, _ outputs: inout [ReplicaOutput]
    ) {
        guard !dismiss(candidate, standingIn: canvass.epoch, &outputs), canvass.disk == settings.disk
        else { return }
        let granted =
            canvass.ballot > acceptor.promised && !hearsFromLeader && !isBoundByLease
            && (!seesCandidateProgress || candidate == acceptor.promised.process)
        send(
            .canvassed(.init(ballot: canvass.ballot, granted: granted, promised: acceptor.promised)),
            to: candidate, &outputs)
    }

    mutating func onCanvassed(
        _ answer: ReplicaMessage.Canvassed, from voter: ProcessID, _ outputs: inout [ReplicaOutput]
    ) {
        highestRound = max(highestRound, answer.promised.round)
        guard canvassing?.ballot == answer.ballot, canvassing?.granted.contains(voter) == false else {
            return
        }
        guard answer.granted else {
            // Only the round was too low; every new one is above all that were promised so far.
            if answer.promised >= answer.ballot { canvass(&outputs) }
            return
        }
        canvassing!.granted.append(voter)
        canvassing!.granted.sort()
        standIfFollowed(&outputs)
    }

    private mutating func standIfFollowed(_ outputs: inout [ReplicaOutput]) {
        guard let canvassing, configuration.isPhase1Quorum(canvassing.granted),
            configuration.isPhase2Quorum(canvassing.granted)
        else { return }
        // The round may have become known to be taken since the canvass began.
        beginPreparing(max(canvassing.ballot, nextBallot), &outputs)
    }

    /// Whether this process follows a leader that it heard from within the last election timeout, or leads
    /// with a quorum that recent.
    private var hearsFromLeader: Bool {
        if leadership != nil { return hasRecentQuorum(at: now) }
        return leader != nil && isRecent(heardAt)
    }

    /// Whether the candidate to which this process has promised, itself perhaps, has got further with phase 1
    /// within the last election timeout. How long phase 1 takes depends on how much is open; whoever deposed
    /// such a candidate would have to begin with the same work.
    private var seesCandidateProgress: Bool { leader == nil && isRecent(candidateHeardAt) }

    /// A leader, this process perhaps, has spoken.
    mutating func noteHeard(_ ballot: Ballot) {
        heardAt = now
        heardBallot = ballot
    }

    private func isRecent(_ instant: Instant?) -> Bool {
        instant.map { now < $0 + settings.electionTimeout } ?? false
    }

    /// With lease reads, an acceptor that a leader may count on promises nothing to others. After a start it
    /// cannot know whom it was following before.
    var isBoundByLease: Bool {
        guard settings.leaseReadsClockDriftPPM != nil, !isSurelyQuorumAlone else { return false }
        return isRecent(startedAt) || isRecent(heardAt)
    }

    /// Whether the lease that binds this process, if any does, is that of the leader who asked for a successor.
    /// No other leader can be bypassed: it has not given up its lease.
    func isReleased(toSuccessorOf ballot: Ballot?) -> Bool {
        ballot != nil && heardBallot == ballot && !isRecent(startedAt)
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

    /// Tells a process that stands in a configuration of the past, and is no voter in the present one, to
    /// let be; one that is gone altogether is told so once that cannot hurt any more.
    ///
    /// A leader that removes itself prepares in the new configuration, whose epoch it names, and is heard.
    mutating func dismiss(
        _ candidate: ProcessID, standingIn epoch: UInt64, _ outputs: inout [ReplicaOutput]
    ) -> Bool {
        guard epoch < configuration.epoch, !configuration.isVoter(candidate) else { return false }
        if !configuration.isMember(candidate), chosenUpTo > configurationSlot {
            send(.dismissed(epoch: configuration.epoch), to: candidate, &outputs)
        }
        return true
    }

    mutating func onDismissed(epoch: UInt64, from other: ProcessID, _ outputs: inout [ReplicaOutput]) {
        guard epoch > configuration.epoch, wasMember, configuration.isMember(other) else { return }
        if leadership != nil { stepDown(&outputs) }
        retire(&outputs)
    }

    mutating func onNack(
        _ nack: ReplicaMessage.Nack, from acceptor: ProcessID, _ outputs: inout [ReplicaOutput]
    ) {
        highestRound = max(highestRound, nack.promised.round)
        guard nack.refused == self.acceptor.promised, nack.promised > nack.refused,
            configuration.isMember(acceptor)
        else { return }
        if leadership != nil {
            stepDown(&outputs)
        } else if preparing != nil {
            abandonCandidacy()
            setRetryTimer(&outputs)
        }
    }

    mutating func abandonCandidacy() {
        canvassing = nil
        preparing = nil
    }

    /// Forgets who leads; what was forwarded to it may or may not have arrived.
    mutating func loseLeader(_ outputs: inout [ReplicaOutput]) {
        leader = nil
        let open = outstanding.takeAll()
        for proposal in open {
            outputs.append(.refuseProposal(ProposalID(process: me, number: proposal.number), .outcomeUnknown))
        }
        doubtful.add(open)
        if !doubtful.isEmpty { armResend(&outputs) }
        for id in forwardedReads.takeAll() { outputs.append(.refuseRead(id, .noLeader)) }
    }

    func setElectionTimer(_ outputs: inout [ReplicaOutput]) {
        outputs.append(
            .setTimer(.election, after: settings.electionTimeout...settings.electionTimeout * 2))
    }

    /// Sooner than the first time: nobody leads, as far as this process knows.
    func setRetryTimer(_ outputs: inout [ReplicaOutput]) {
        outputs.append(
            .setTimer(.election, after: settings.electionTimeout.half...settings.electionTimeout))
    }
}
