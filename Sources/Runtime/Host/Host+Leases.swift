import Automata
import Coordination
import Member
import Replica

/// A request of a client: its port, and the token under which it wants the answer.
struct PortRequestToken {
    let port: Port
    let token: UInt64
}

// Carries out what the keeper of leases wants.
extension Host {
    typealias Leases = LeaseKeeper<PortRequestToken>

    /// The clock is read anew: this process may have been stopped since the turn began, and then no longer
    /// knows that it leads.
    private func leadership() -> (leader: Leases.Leader, now: Instant) {
        guard let leader else { return (.nobody, now) }
        guard leader == identity.memberID else { return (.other(leader), now) }
        let now = Instant.max(self.now, MonotonicClock.now())
        let authority = LeaseAuthority(
            hasRecentQuorum: replica.hasRecentQuorum(at: now),
            hasAppliedInherited: replica.hasAppliedInherited)
        return (.here(authority), now)
    }

    func onLeaseQuestion(_ question: LeaseQuestion, by asker: Leases.Asker) {
        let (leader, time) = leadership()
        carryOut {
            leases.ask(
                question, by: asker, until: now + options.limits.requestTimeout, leader, now: time, into: &$0)
        }
    }

    /// Everything that was chosen when the keeper wanted to catch up is applied.
    func onLeaseCaughtUp(_ number: UInt64) {
        let (leader, time) = leadership()
        carryOut { leases.caughtUp(number, leader, now: time, into: &$0) }
    }

    func onLeaseCatchUpFailed(_ number: UInt64, _ error: ServiceError) {
        carryOut { leases.fail(number, error, into: &$0) }
    }

    func onPeerAnswer(_ answer: PeerAnswer) {
        carryOut { leases.onAnswer(answer.content, to: answer.number, into: &$0) }
    }

    func retryLeaseQuestions(sentBefore limit: Instant) {
        let (leader, time) = leadership()
        carryOut { leases.retry(sentBefore: limit, leader, now: time, into: &$0) }
    }

    func stopLeases() { carryOut { leases.stop(into: &$0) } }

    func expireLeases() {
        guard !isLogFull else { return }
        let expired = leases.takeExpired(leadership().leader, now: now)
        guard !expired.isEmpty else { return }
        propose(LedgerCommand.expireLeases(expired), .expireLeases)
        proposeGathered()
    }

    private func carryOut(_ body: (inout [Leases.Output]) -> Void) {
        var outputs: [Leases.Output] = []
        body(&outputs)
        for output in outputs {
            switch output {
            case .answer(let client, let content):
                count(content)
                answer(client.port, client.token, result(content))
            case .fail(let client, let error): answer(client.port, client.token, .failure(error))
            case .send(let content, let member, let number):
                count(content)
                outbox.send(PeerAnswer(number: number, content: content), to: member)
            case .ask(let question, let leader, let number):
                outbox.send(PeerRequest(number: number, question: question), to: leader)
            case .catchUp(let number): newReaders.append(.lease(number))
            }
        }
    }

    /// Counted where it is decided.
    private func count(_ content: LeaseAnswer) {
        if leader == identity.memberID, case .renewed(let seconds) = content, seconds > 0 {
            instruments.leasesRenewed.add(1)
        }
    }

    private func result(_ content: LeaseAnswer) -> Result<ServiceAnswer, ServiceError> {
        switch content {
        case .renewed(let seconds): .success(.leaseRenewed(seconds: seconds))
        case .timeToLive(let remaining, let granted):
            .success(.leaseTimeToLive(remaining: remaining, granted: granted))
        case .notLeader: .failure(.notLeader)
        }
    }
}
