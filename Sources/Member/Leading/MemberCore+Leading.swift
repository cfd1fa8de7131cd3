import Automata
import Coordination
import Paxos
import Replica

// Who leads, and what follows from it.
extension MemberCore {
    mutating func onLeaderChanged(_ new: ProcessID?, _ ballot: Ballot, _ outputs: inout [MemberOutput]) {
        let old = leader
        guard new != old else { return }
        let isFirst = leadership.isFirst
        leadership.become(new, at: now)
        lookAround()
        if old == me { leases.demote() }
        for process in transfer.takeFarewells(leader: new) {
            outputs.append(.send(.farewellAnswer, to: process, after: .none))
        }
        guard let new else {
            return outputs.append(.report(.leaderLost(old!, round: ballot.round)))
        }
        outputs.append(.report(.leaderFound(new, round: ballot.round, isFirst: isFirst && old == nil)))
        if new == me { leases.promote(now: now) }
        proposeHeld(&outputs)
        renewReads(requestedBefore: now + .seconds(1), &outputs)
        retryLeaseQuestions(sentBefore: now + .seconds(1), &outputs)
    }

    /// Streams that asked for a leader are to end when none has been known for three election timeouts; and a cluster
    /// that does not start is most often one whose members do not reach each other.
    mutating func tellLeaderLost(_ outputs: inout [MemberOutput]) {
        guard leader == nil else { return }
        if leadership.isMissed(at: now, timeout: settings.electionTimeout) { outputs.append(.tellLeaderLost) }
        let voters = replica.configuration.voters
        guard !isStopping, !voters.isEmpty else { return }
        let reached = voters.filter { $0 == me || self.reached.contains($0) }
        if leadership.saysWhoIsReached(reached, at: now, patience: settings.electionTimeout) {
            outputs.append(.report(.waiting(reached: reached, of: voters)))
        }
    }

    /// Somebody has forgotten what it promised: what was acknowledged may be lost, and members may differ.
    mutating func onContradiction(_ process: ProcessID, _ slot: Slot, _ outputs: inout [MemberOutput]) {
        outputs.append(.report(.raisesCorrupt(process, at: slot)))
        let alarm = Alarm(member: process.rawValue, kind: .corrupt)
        propose(LedgerCommand.setAlarm(alarm, raised: true), .raiseAlarm)
        proposeGathered(&outputs)
    }

    // MARK: moving the lead

    mutating func onMoveLeader(
        _ target: ProcessID, _ client: ClientToken, _ outputs: inout [MemberOutput]
    ) {
        guard isLeading else { return outputs.append(.answer(client, .failure(.notLeader))) }
        guard target != me else { return outputs.append(.answer(client, .success(.done))) }
        guard replica.configuration.voters.contains(target) else {
            return outputs.append(.answer(client, .failure(.unsuitableTransferee)))
        }
        transfer.add(client, until: now + settings.limits.requestTimeout)
        step(.transferRequested(to: target), &outputs)
    }

    mutating func onTransferFinished(_ refusal: Refusal?, _ outputs: inout [MemberOutput]) {
        for client in transfer.takeAll() {
            let result: Result<ServiceAnswer, ServiceError> =
                switch refusal {
                case nil: .success(.done)
                case .notLeader: .failure(.notLeader)
                case .unsuitable: .failure(.unsuitableTransferee)
                default: .failure(.timedOut)
                }
            outputs.append(.answer(client, result))
        }
        onHandoverStep(refusal, &outputs)
    }

    /// A leader whose disk hangs goes on with the others' disks until what waits for its own is at its limit, and then
    /// refuses everybody. Before that one leads who can write.
    mutating func leaveToQuickerDisk(_ outputs: inout [MemberOutput]) {
        guard isLeading, !transfer.isHandingOver, transfer.mayOffer(at: now),
            backlog.hasStalled(for: settings.electionTimeout, at: now),
            let heir = replica.heirsAheadOfOwnDisk.first(where: { reached.contains($0) })
        else { return }
        // A transfer that fails holds up proposals for an election timeout.
        transfer.offered(nextAt: now + settings.electionTimeout * 10)
        outputs.append(.report(.leavesToQuickerDisk(heir)))
        step(.transferRequested(to: heir), &outputs)
    }
}
