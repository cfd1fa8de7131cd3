import Automata
import Coordination
import Paxos
import Replica

// What is due ten times a second, and the end.
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
        retryLeaseRequests(sentBefore: late)
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
        for link in network.links { instruments.heartbeatSendFailures.add(Int(link.takeDropped())) }
        publishState()
        proposeGathered()
        if stop != nil, stopDeadline < now { isStopped = true }
    }

    private func endLateTransfers() {
        for waiter in transferWaiters where waiter.deadline < now {
            answer(waiter.port, waiter.token, .failure(.timedOut))
        }
        transferWaiters.removeAll { $0.deadline < now }
    }

    private func compactOnItsOwn() {
        let revision = compactor.due(
            revision: applier.space.revision, compacted: applier.space.compactRevision, now: now,
            isLeading: leader == identity.memberID)
        guard let revision else { return }
        report(.info, "compacting the history before revision \(revision, as: "revision")")
        propose(.compact(revision: revision), .compact)
    }

    /// Streams that asked for a leader are to end when none has been known for three election timeouts.
    private func tellLeaderLost() {
        guard leader == nil, !hasToldLeaderLost, leaderLost + options.electionTimeout * 3 < now else {
            return
        }
        hasToldLeaderLost = true
        for port in ports { port.deliver([.leaderLost]) }
    }

    // MARK: the end

    /// A leader first hands over, if somebody is there to take it; that must not take long.
    func onStop(_ ticket: StopTicket) {
        guard stop == nil else { return }
        stop = ticket
        let others = replica.configuration.voters.filter { $0 != identity.memberID }
        let heir = others.first { network.link(to: $0)?.isConnected == true }
        guard leader == identity.memberID, let heir else {
            isStopped = true
            return
        }
        stopDeadline = now + min(options.electionTimeout, .seconds(1))
        step(.transferRequested(to: heir))
    }

    /// The server cannot go on. It answers `.stopped` and waits to be stopped.
    func onFailure(_ reason: String) {
        guard !isStopped else { return }
        report(.error, "stopping: \(reason)")
        isStopped = true
        board.update { $0.isRunning = false }
        options.failed(reason)
    }

    /// Answers everybody who waits. Requests that come later are refused at the port.
    func finish() {
        board.update { $0.isRunning = false }
        letGo()
        for pending in proposals.removeAll() { end(pending, .failure(.stopped)) }
        for read in reads.removeAll() { end(read, .stopped) }
        for waiter in newReaders {
            if case .port(let port, let token) = waiter { answer(port, token, .failure(.stopped)) }
        }
        newReaders = []
        for request in leaseRequests + forwarded.values { endLeaseRequest(request, .stopped) }
        for waiter in compactionWaiters { answer(waiter.port, waiter.token, .failure(.stopped)) }
        for waiter in transferWaiters { answer(waiter.port, waiter.token, .failure(.stopped)) }
        for waiter in copying?.waiters ?? [] { answer(waiter.port, waiter.token, .failure(.stopped)) }
        waitingArrival?.end(false, "the process is stopping")
        var inputs: [HostInput] = []
        inbox.close(into: &inputs)
        for case .requests(let port, let requests) in inputs {
            for request in requests { answer(port, request.token, .failure(.stopped)) }
        }
        for case .checkpointArrived(let arrival) in inputs { arrival.end(false, "the process is stopping") }
        deliverAll()
    }
}
