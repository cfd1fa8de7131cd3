import Automata
import Coordination
import Member
import Paxos
import Replica

// What clients of this process ask for.
extension Host {
    func onRequest(_ request: PortRequest, _ port: Port) {
        guard stop == nil else { return answer(port, request.token, .failure(.stopped)) }
        switch request.content {
        case .command(let payload): onCommand(payload, port, request.token)
        case .other(let other):
            switch other {
            case .command: break
            case .linearizableRead: newReaders.append(.port(port, token: request.token))
            case .renewLease(let lease):
                onLeaseQuestion(.renew(lease), by: .client(.init(port: port, token: request.token)))
            case .leaseTimeToLive(let lease):
                onLeaseQuestion(.timeToLive(lease), by: .client(.init(port: port, token: request.token)))
            case .moveLeader(let target): onMoveLeader(ProcessID(target), port, request.token)
            case .defragment: onDefragment(port, request.token)
            case .compactionFinished(let revision):
                compactionWaiters.append((port, request.token, revision))
                hasCompactionWork = true
            }
        }
    }

    // MARK: commands

    private func onCommand(_ payload: Payload, _ port: Port, _ token: UInt64) {
        guard proposals.count < options.pendingRequestLimit, !logBacklog.isFull,
            proposals.count == 0 || proposals.bytes + payload.count <= options.pendingBytesLimit
        else {
            return answer(port, token, .failure(.tooManyRequests))
        }
        if hasNoRoom, grows(payload) {
            raiseNoSpaceAlarm()
            return answer(port, token, refusing(payload, .noSpace))
        }
        propose(payload, .port(port, token: token))
    }

    /// A command that may need room is not let into the log while there is none.
    var hasNoRoom: Bool {
        isOverQuota || isStoreFull || isStoreSpaceLow || isLogFull || isLogSpaceLow
    }

    private func grows(_ payload: Payload) -> Bool {
        (try? EntryPayload.withCommand(in: payload) { applier.ledger.takesRoom($0, version: $1, of: $2) })
            ?? true
    }

    private func refusing(_ payload: Payload, _ refusal: LedgerRefusal) -> Result<ServiceAnswer, ServiceError>
    {
        Result {
            let outcome = try EntryPayload.withCommand(in: payload) {
                applier.ledger.refuse($0, version: $1, of: $2, refusal)
            }
            return .outcome(outcome, slot: applier.applied.rawValue)
        }.mapError { .internalFailure("\($0)") }
    }

    func propose(_ payload: Payload, _ origin: ProposalTable.Origin) {
        let isHeld = !canReachLeader
        let number = proposals.add(
            .init(
                origin: origin, payload: payload, begun: now, deadline: now + options.limits.requestTimeout,
                isHeld: isHeld))
        guard !isHeld else { return }
        newProposals.append(
            Proposal(id: ProposalID(process: identity.memberID, number: number), payload: payload))
    }

    /// A proposal that is lost on the way to the leader is not sent again, so that it waits here until there is
    /// a way.
    var canReachLeader: Bool {
        guard let leader else { return false }
        return leader == identity.memberID || network.link(to: leader)?.isConnected == true
    }

    func propose(_ command: some SpaceCommand, _ purpose: OwnProposal) {
        propose(EntryPayload.encode(command.command), .own(purpose))
    }

    func proposeGathered() {
        guard !newProposals.isEmpty else { return }
        let gathered = newProposals
        newProposals = []
        newProposals.reserveCapacity(min(gathered.count, 1024))
        step(.proposed(gathered))
    }

    /// When nothing was proposed, the proposal waits for a leader or its time; when the outcome is unknown, it
    /// may still be applied, and nothing proposes it again.
    func onProposalRefused(_ id: ProposalID, _ refusal: Refusal) {
        guard id.process == identity.memberID else { return }
        switch refusal {
        case .noLeader, .notLeader:
            proposals.hold(id.number)
        case .busy, .unsuitable, .changeInProgress, .timedOut:
            guard let pending = proposals.remove(id.number) else { return }
            end(pending, .failure(.tooManyRequests))
        case .outcomeUnknown:
            proposals.markDoubtful(id.number)
        }
    }

    func proposeHeld() {
        guard !proposals.held.isEmpty, canReachLeader else { return }
        for var proposal in proposals.release() {
            proposal.id = ProposalID(process: identity.memberID, number: proposal.id.number)
            newProposals.append(proposal)
        }
        proposeGathered()
    }

    func end(_ pending: ProposalTable.Pending, _ result: Result<ServiceAnswer, ServiceError>) {
        if case .failure = result { instruments.proposalsFailed.add(1) }
        if case .port(let port, let token) = pending.origin { answer(port, token, result) }
    }

    func onExpired(_ pending: ProposalTable.Pending) {
        end(pending, .failure(timeoutError(begun: pending.begun, isDoubtful: pending.isDoubtful)))
    }

    /// What a client whose time is over is told about the likely reason.
    func timeoutError(begun: Instant, isDoubtful: Bool) -> ServiceError {
        let wasLeaderLost =
            begun.since(leaderElected) == .zero
            && !(begun + options.electionTimeout * 2 < leaderElected)
        if isDoubtful || (leader != nil && wasLeaderLost && leaderElected != .zero) {
            return .timedOutLeaderFailure
        }
        if let leader {
            if leader == identity.memberID {
                if !replica.hasRecentQuorum(at: now) { return .timedOutConnectionLost }
            } else if network.link(to: leader)?.isConnected != true {
                return .timedOutConnectionLost
            }
        }
        return .timedOut
    }

    // MARK: linearizable reads

    func requestGatheredReads() {
        guard !newReaders.isEmpty else { return }
        let readers = newReaders
        newReaders = []
        let id = reads.add(
            readers, state: leader == nil ? .held : .requested(at: now), begun: now,
            deadline: now + options.limits.requestTimeout)
        if leader != nil { step(.readRequested(id)) }
    }

    func onReadConfirmed(_ id: ReadID, _ slot: Slot) {
        reads.confirm(id, at: slot)
        answerReady()
    }

    /// The read is asked for again when a leader is known, or with the next beat.
    func onReadRefused(_ id: ReadID, _ refusal: Refusal) {
        instruments.readsFailed.add(1)
        guard refusal == .busy else { return reads.hold(id) }
        if let read = reads.remove(id) { end(read, .tooManyRequests) }
    }

    func answerReady() {
        guard !reads.isEmpty, !store.isSuspended else { return }
        for read in reads.removeReady(applied: applier.applied) {
            if TimeSpan.seconds(1) < now.since(read.begun) { instruments.slowReads.add(1) }
            for waiter in read.waiters {
                switch waiter {
                case .port(let port, let token): answer(port, token, .success(.ready))
                case .lease(let number): onLeaseCaughtUp(number)
                }
            }
        }
    }

    /// Asks again for the reads that wait for a leader, and for those whose answer may have been lost.
    func renewReads(requestedBefore limit: Instant) {
        guard leader != nil, !reads.isEmpty else { return }
        for id in reads.renew(requestedBefore: limit, now: now) { step(.readRequested(id)) }
    }

    func end(_ read: ReadTable.Pending, _ error: ServiceError) {
        for waiter in read.waiters {
            switch waiter {
            case .port(let port, let token): answer(port, token, .failure(error))
            case .lease(let number): onLeaseCatchUpFailed(number, error)
            }
        }
    }
}
