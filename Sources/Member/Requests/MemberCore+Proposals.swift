import Automata
import Coordination
import Paxos
import Replica

// What is to be ordered: commands of this member's clients, and its own.
extension MemberCore {
    mutating func onRequest(
        _ request: ClientRequest, _ client: ClientToken, _ outputs: inout [MemberOutput]
    ) {
        guard !isStopping else { return outputs.append(.answer(client, .failure(.stopped))) }
        switch request {
        case .command(let payload): onCommand(payload, client, &outputs)
        case .linearizableRead: newReaders.append(.client(client))
        case .read(let revision):
            revisionWaiters.add(client, revision, until: now + settings.limits.requestTimeout)
            answerRevisionWaiters(&outputs)
        case .lease(let question): ask(question, by: .client(client), &outputs)
        case .moveLeader(let target): onMoveLeader(target, client, &outputs)
        case .changeMembers(let change): onChangeMembers(change, client, &outputs)
        case .compactionFinished(let revision): compaction.add(revision, client)
        case .defragment: onDefragment(client, &outputs)
        }
    }

    private mutating func onCommand(
        _ payload: Payload, _ client: ClientToken, _ outputs: inout [MemberOutput]
    ) {
        guard proposals.count < settings.pendingRequestLimit, !backlog.isFull,
            proposals.count == 0 || proposals.bytes + payload.count <= settings.pendingBytesLimit
        else { return outputs.append(.answer(client, .failure(.tooManyRequests))) }
        guard isUnderstoodByAll(payload) else {
            return outputs.append(.answer(client, .failure(.notUnderstoodByAll)))
        }
        // A command that may need room is not let into the log while there is none.
        if room.isWanting, takesRoom(payload) {
            raiseNoSpaceAlarm(&outputs)
            return outputs.append(.answer(client, refusing(payload, .noSpace)))
        }
        propose(payload, .client(client))
    }

    private func isUnderstoodByAll(_ payload: Payload) -> Bool {
        (try? EntryPayload.withCommand(in: payload) { _, version, space in
            // Nearly all are.
            if CommandVersions.base.understands(version: version, of: space) { return true }
            let others = (replica.configuration.voters + replica.configuration.learners).filter { $0 != me }
            return vocabulary.isUnderstood(version: version, of: space, by: others)
        }) ?? true
    }

    private func takesRoom(_ payload: Payload) -> Bool {
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

    mutating func propose(_ command: some SpaceCommand, _ purpose: OwnProposal) {
        propose(EntryPayload.encode(command.command), .own(purpose))
    }

    private mutating func propose(_ payload: Payload, _ origin: ProposalTable.Origin) {
        let isHeld = !canReachLeader
        let number = proposals.add(
            .init(
                origin: origin, payload: payload, begun: now, deadline: now + settings.limits.requestTimeout,
                isHeld: isHeld))
        guard !isHeld else { return }
        newProposals.append(Proposal(id: ProposalID(process: me, number: number), payload: payload))
    }

    /// A proposal that is lost on the way to the leader is not sent again, so that it waits here until there is a way.
    var canReachLeader: Bool {
        guard let leader else { return false }
        return leader == me || reached.contains(leader)
    }

    /// Everything that gathered goes to the replica at once.
    mutating func proposeGathered(_ outputs: inout [MemberOutput]) {
        if !newProposals.isEmpty {
            let gathered = newProposals
            newProposals = []
            newProposals.reserveCapacity(min(gathered.count, 1024))
            step(.proposed(gathered), &outputs)
        }
        requestGatheredReads(&outputs)
    }

    mutating func proposeHeld(_ outputs: inout [MemberOutput]) {
        guard !proposals.held.isEmpty, canReachLeader else { return }
        for (number, pending) in proposals.release() {
            let id = ProposalID(process: me, number: number)
            if let change = pending.change {
                request(change, as: id, &outputs)
            } else {
                newProposals.append(Proposal(id: id, payload: pending.payload))
            }
        }
        proposeGathered(&outputs)
    }

    mutating func onReached(_ processes: [ProcessID], _ outputs: inout [MemberOutput]) {
        reached = processes
        proposeHeld(&outputs)
    }

    // MARK: outcomes

    /// When nothing was proposed, the proposal waits for a leader or its time; when the outcome is unknown, it may
    /// still be applied, and nothing proposes it again.
    mutating func onProposalRefused(
        _ id: ProposalID, _ refusal: Refusal, _ outputs: inout [MemberOutput]
    ) {
        guard id.process == me else { return }
        switch refusal {
        case .noLeader, .notLeader:
            if case .own(.expireLeases) = proposals[id.number]?.origin {
                // Only a leader may end a lease, and the next one knows better which has been renewed.
                _ = proposals.remove(id.number)
            } else {
                proposals.hold(id.number)
            }
        case .unsuitable:
            guard let pending = proposals.remove(id.number) else { return }
            end(pending, .failure(.internalFailure("the change does not fit the configuration")), &outputs)
        case .busy, .changeInProgress, .timedOut:
            guard let pending = proposals.remove(id.number) else { return }
            end(pending, .failure(.tooManyRequests), &outputs)
        case .outcomeUnknown: proposals.markDoubtful(id.number)
        }
    }

    mutating func settle(_ result: AppliedBatch.Result, _ outputs: inout [MemberOutput]) {
        guard result.id.process == me, let pending = proposals.remove(result.id.number) else { return }
        end(pending, .success(.outcome(result.outcome, slot: result.slot.rawValue)), &outputs)
    }

    func end(
        _ pending: ProposalTable.Pending, _ result: Result<ServiceAnswer, ServiceError>,
        _ outputs: inout [MemberOutput]
    ) {
        if case .failure = result { outputs.append(.report(.proposalFailed)) }
        if case .client(let client) = pending.origin { outputs.append(.answer(client, result)) }
    }

    /// Ends what has waited for as long as anything may.
    mutating func endLate(_ outputs: inout [MemberOutput]) {
        while let pending = proposals.removeExpired(at: now) {
            end(
                pending,
                .failure(timeoutError(begun: pending.begun, isDoubtful: pending.isDoubtful)), &outputs)
        }
        for read in reads.removeExpired(at: now) {
            outputs.append(.report(.readsFailed(read.waiters.count)))
            end(read, timeoutError(begun: read.begun, isDoubtful: false), &outputs)
        }
        for client in revisionWaiters.takeLate(at: now) + transfer.removeLate(at: now) {
            outputs.append(.answer(client, .failure(.timedOut)))
        }
    }

    /// What a client whose time is over is told about the likely reason.
    private func timeoutError(begun: Instant, isDoubtful: Bool) -> ServiceError {
        if isDoubtful || leadership.changed(about: begun, within: settings.electionTimeout) {
            return .timedOutLeaderFailure
        }
        if let leader {
            let isCutOff = leader == me ? !replica.hasRecentQuorum(at: now) : !reached.contains(leader)
            if isCutOff { return .timedOutConnectionLost }
        }
        return .timedOut
    }

    /// Answers everybody who waits, for the last time.
    public mutating func finish(into outputs: inout [MemberOutput]) {
        isStopping = true
        defer { lookAround() }
        for pending in proposals.removeAll() { end(pending, .failure(.stopped), &outputs) }
        for read in reads.removeAll() { end(read, .stopped, &outputs) }
        for case .client(let client) in newReaders { outputs.append(.answer(client, .failure(.stopped))) }
        newReaders = []
        stopLeases(&outputs)
        let waiting =
            compaction.takeAll() + transfer.takeAll() + revisionWaiters.takeAll() + renewal.takeWaiters()
        for client in waiting {
            outputs.append(.answer(client, .failure(.stopped)))
        }
    }
}
