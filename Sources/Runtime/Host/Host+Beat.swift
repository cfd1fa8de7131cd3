import Automata
import Coordination
import Member
import Paxos
import Replica

// What is due ten times a second.
extension Host {
    func onBeat() {
        while let pending = proposals.removeExpired(at: now) { onExpired(pending) }
        for read in reads.removeExpired(at: now) {
            instruments.readsFailed.add(read.waiters.count)
            end(read, timeoutError(begun: read.begun, isDoubtful: false))
        }
        endLateTransfers()
        let late = Instant(nanoseconds: now.nanoseconds - min(now.nanoseconds, 500_000_000))
        if leader != nil {
            proposeHeld()
            renewReads(requestedBefore: late)
        }
        retryLeaseQuestions(sentBefore: late)
        requestGatheredReads()
        expireLeases()
        checkQuota()
        takeDurablePointIfDue()
        retryRebuilding()
        retryPlacing()
        publishOwnAddresses()
        continueFounding()
        compactOnItsOwn()
        tellLeaderLost()
        sayWhoIsMissing()
        measureLinks()
        publishState()
        proposeGathered()
        pursueHandover()
        leaveToQuickerDisk()
    }

    private func measureLinks() {
        let isDue = lastMeasurement + .seconds(1) < now
        if isDue { lastMeasurement = now }
        for link in network.links {
            let dropped = Int(link.takeDropped())
            instruments.peerSendFailures.add(dropped)
            if leader == identity.memberID { instruments.heartbeatSendFailures.add(dropped) }
            if isDue { link.measureRoundTrip() }
        }
    }

    private func endLateTransfers() {
        for waiter in transferWaiters where waiter.deadline < now {
            answer(waiter.port, waiter.token, .failure(.timedOut))
        }
        transferWaiters.removeAll { $0.deadline < now }
    }

    private func compactOnItsOwn() {
        let revision = compactor.due(
            revision: applier.ledger.revision, compacted: applier.ledger.compactRevision, now: now,
            isLeading: leader == identity.memberID)
        guard let revision else { return }
        report(.info, "compacting the history before revision \(revision, as: "revision")")
        propose(KeyValueCommand.compact(revision: revision), .compact)
    }

    /// Streams that asked for a leader are to end when none has been known for three election timeouts.
    private func tellLeaderLost() {
        guard leader == nil, !hasToldLeaderLost, leaderLost + options.electionTimeout * 3 < now else {
            return
        }
        hasToldLeaderLost = true
        for port in ports { port.deliver([.leaderLost]) }
    }

    /// A cluster that does not start is most often one whose members do not reach each other.
    func sayWhoIsMissing() {
        let voters = replica.configuration.voters
        guard leader == nil, stop == nil, !voters.isEmpty else { return quorumWait.ended() }
        let reached = voters.filter { $0 == identity.memberID || network.link(to: $0)?.isConnected == true }
        guard
            quorumWait.isDue(now, since: leaderLost, patience: options.electionTimeout, reached: reached)
        else { return }
        let awaited = reached.count > voters.count / 2 ? "a leader" : "a quorum"
        let names = { (members: [ProcessID]) in
            members.map(self.report.names.name).sorted().joined(separator: ", ")
        }
        report(
            .warning,
            "waiting for \(awaited): reached \(names(reached), as: "reached") of \(names(voters), as: "voters")"
        )
    }
}
