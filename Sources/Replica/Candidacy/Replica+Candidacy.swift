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
        if preparing?.isWorthWaiting() == true {
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
        canvassing = Canvassing(ballot)
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
            && (!following.seesCandidateProgress(at: now) || candidate == acceptor.promised.process)
        send(
            .canvassed(.init(ballot: canvass.ballot, granted: granted, promised: acceptor.promised)),
            to: candidate, &outputs)
    }

    mutating func onCanvassed(
        _ answer: ReplicaMessage.Canvassed, from voter: ProcessID, _ outputs: inout [ReplicaOutput]
    ) {
        highestRound = max(highestRound, answer.promised.round)
        guard canvassing?.awaits(voter, at: answer.ballot) == true else { return }
        guard answer.granted else {
            // Only the round was too low; every new one is above all that were promised so far.
            if answer.promised >= answer.ballot { canvass(&outputs) }
            return
        }
        canvassing!.grant(voter)
        standIfFollowed(&outputs)
    }

    private mutating func standIfFollowed(_ outputs: inout [ReplicaOutput]) {
        guard let canvassing, canvassing.isFollowed(in: configuration) else { return }
        // The round may have become known to be taken since the canvass began.
        beginPreparing(max(canvassing.ballot, nextBallot), &outputs)
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
