import Automata
import Coordination
import Paxos
import Replica

// Leases: the leader counts their time, the others ask it.
extension Host {
    func onLeaseRequest(_ request: LeaseRequest) {
        guard let leader else { return holdLeaseRequest(request) }
        if leader != identity.memberID {
            if case .peer(let sender, let number) = request.origin {
                outbox.send(PeerAnswer(number: number, content: .notLeader), to: sender)
            } else {
                forward(request, to: leader)
            }
            return
        }
        // The clock is read anew: this process may have been stopped since the turn began, and then no longer
        // knows that it leads.
        let now = Instant.max(self.now, MonotonicClock.now())
        let authority = LeaseAuthority(
            hasRecentQuorum: replica.hasRecentQuorum(at: now),
            hasAppliedInherited: replica.hasAppliedInherited)
        switch authority.verdict(on: request, by: &leases, now: now) {
        case .answer(let content):
            if case .leaseRenewed(let seconds) = content, seconds > 0 { instruments.leasesRenewed.add(1) }
            endLeaseRequest(request, content)
        case .catchUp: newReaders.append(.lease(request))
        case .hold: holdLeaseRequest(request)
        }
    }

    private func holdLeaseRequest(_ request: LeaseRequest) { leaseRequests.append(request) }

    private func forward(_ request: LeaseRequest, to leader: ProcessID) {
        request.number = nextRequestNumber
        request.sent = now
        nextRequestNumber += 1
        forwarded[request.number] = request
        outbox.send(PeerRequest(number: request.number, subject: request.subject), to: leader)
    }

    /// Tries the held requests again, and sends those anew whose answer may have been lost. Asking twice does
    /// no harm.
    func retryLeaseRequests(sentBefore limit: Instant) {
        let held = leaseRequests
        leaseRequests = []
        for request in held {
            if request.deadline < now { endLeaseRequest(request, .timedOut) } else { onLeaseRequest(request) }
        }
        guard !forwarded.isEmpty else { return }
        let late = forwarded.values.filter { $0.sent! < limit || $0.deadline < now }
            .sorted { $0.number < $1.number }
        for request in late {
            forwarded[request.number] = nil
            if request.deadline < now { endLeaseRequest(request, .timedOut) } else { onLeaseRequest(request) }
        }
    }

    func onPeerRequest(_ request: PeerRequest, _ sender: ProcessID) {
        onLeaseRequest(
            LeaseRequest(
                origin: .peer(sender, number: request.number), subject: request.subject,
                deadline: now + options.limits.requestTimeout))
    }

    /// An answer to a question that was asked anew, or given up, means nothing.
    func onPeerAnswer(_ answer: PeerAnswer, _ sender: ProcessID) {
        guard let request = forwarded.removeValue(forKey: answer.number) else { return }
        if answer.content == .notLeader {
            holdLeaseRequest(request)
        } else {
            endLeaseRequest(request, answer.content)
        }
    }

    private func endLeaseRequest(_ request: LeaseRequest, _ content: PeerAnswer.Content) {
        switch request.origin {
        case .peer(let sender, let number):
            outbox.send(PeerAnswer(number: number, content: content), to: sender)
        case .port(let port, let token):
            switch content {
            case .leaseRenewed(let seconds):
                answer(port, token, .success(.leaseRenewed(seconds: seconds)))
            case .leaseTimeToLive(let remaining, let granted):
                answer(port, token, .success(.leaseTimeToLive(remaining: remaining, granted: granted)))
            case .notLeader: answer(port, token, .failure(.notLeader))
            }
        }
    }

    /// A peer that gets no answer sees to its own client's time.
    func endLeaseRequest(_ request: LeaseRequest, _ error: ServiceError) {
        if case .port(let port, let token) = request.origin { answer(port, token, .failure(error)) }
    }

    /// Proposes the end of leases whose time is over, only while it is certain that this process leads.
    func expireLeases() {
        guard leader == identity.memberID, let due = leases.nextDeadline, due <= now,
            replica.hasRecentQuorum(at: now), !isLogFull
        else { return }
        let expired = leases.expired(now: now, limit: 1000, retryAfter: .seconds(3))
        guard !expired.isEmpty else { return }
        propose(LedgerCommand.expireLeases(expired), .expireLeases)
        proposeGathered()
    }
}
