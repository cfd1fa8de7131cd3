import Automata
import Coordination
import Member
import Paxos
import Replica

// Who leads, and what follows from it.
extension Host {
    func onLeaderChanged(_ new: ProcessID?, _ ballot: Ballot) {
        let old = leader
        leader = new
        board.update {
            $0.leader = new
            $0.ballotRound = max($0.ballotRound, ballot.round)
        }
        guard new != old else { return }
        if old == identity.memberID { leases.demote() }
        answerFarewells()
        guard let new else {
            leaderLost = now
            report(.warning, "lost the leader \(member: old!) at ballot round \(ballot.round, as: "round")")
            return
        }
        if old != nil || leaderElected != .zero { instruments.leaderChanges.add(1) }
        leaderElected = now
        hasToldLeaderLost = false
        report(
            .info,
            new == identity.memberID
                ? "this member leads at ballot round \(ballot.round, as: "round")"
                : "\(member: new) leads at ballot round \(ballot.round, as: "round")")
        if new == identity.memberID { leases.promote(now: now) }
        proposeHeld()
        renewReads(requestedBefore: now + .seconds(1))
        retryLeaseQuestions(sentBefore: now + .seconds(1))
    }

    // MARK: moving it

    func onMoveLeader(_ target: ProcessID, _ port: Port, _ token: UInt64) {
        guard leader == identity.memberID else { return answer(port, token, .failure(.notLeader)) }
        guard target != identity.memberID else { return answer(port, token, .success(.done)) }
        guard replica.configuration.voters.contains(target) else {
            return answer(port, token, .failure(.unsuitableTransferee))
        }
        transferWaiters.append((port, token, now + options.limits.requestTimeout))
        step(.transferRequested(to: target))
    }

    func onTransferFinished(_ target: ProcessID, _ refusal: Refusal?) {
        let waiters = transferWaiters
        transferWaiters = []
        for waiter in waiters {
            switch refusal {
            case nil: answer(waiter.port, waiter.token, .success(.done))
            case .notLeader: answer(waiter.port, waiter.token, .failure(.notLeader))
            case .unsuitable: answer(waiter.port, waiter.token, .failure(.unsuitableTransferee))
            default: answer(waiter.port, waiter.token, .failure(.timedOut))
            }
        }
        onHandoverStep(refusal)
    }

    /// A leader whose disk hangs goes on with the others' disks until what waits for its own is at its limit, and
    /// then refuses everybody. Before that one leads who can write.
    func leaveToQuickerDisk() {
        guard leader == identity.memberID, handover == nil, nextOfferToQuickerDisk < now,
            logBacklog.hasStalled(for: options.electionTimeout, at: now),
            let heir = replica.heirsAheadOfOwnDisk.first(where: { network.link(to: $0)?.isConnected == true })
        else { return }
        // A transfer that fails holds up proposals for an election timeout.
        nextOfferToQuickerDisk = now + options.electionTimeout * 10
        report(
            .warning,
            "the log's disk has finished nothing for more than \(options.electionTimeout, as: "election-timeout"): "
                + "leadership goes to \(member: heir)")
        step(.transferRequested(to: heir))
    }

    // MARK: members

    /// Links and what clients are told follow the configuration; addresses are those that members have
    /// published, or else those of the first start.
    func onMembersChanged() {
        let configuration = replica.configuration
        let published = (try? store.read { try LedgerReader($0).members() }) ?? []
        var reachable: [Identity.Member] = []
        members = (configuration.voters + configuration.learners).sorted().map { id in
            let initial = identity.members.first { $0.id == id }
            let known = published.first { $0.id == id.rawValue }
            let peerURLs = known?.peerURLs ?? initial?.peerURLs ?? []
            reachable.append(.init(id: id, name: known?.name ?? initial?.name ?? "", peerURLs: peerURLs))
            return ServiceMember(
                id: id.rawValue, name: known?.name ?? "", peerURLs: peerURLs,
                clientURLs: known?.clientURLs ?? [],
                isLearner: configuration.learners.contains(id))
        }
        let isLearner = configuration.learners.contains(identity.memberID)
        board.update { [members] in
            $0.members = members
            $0.isLearner = isLearner
        }
        // Who joins knows the others only from its options until it has learnt the configuration.
        let known = configuration.voters.isEmpty ? identity.members : reachable
        report.names.use(known)
        if ownFormation.known != nil { network.use(members: known) }
    }

    /// Tells the cluster how this member can be reached, until the store says so.
    func publishOwnAddresses() {
        guard leader != nil, !applier.hasWork, lastPublish + .seconds(2) < now || lastPublish == .zero else {
            return
        }
        let known = members.first { $0.id == identity.memberID.rawValue }
        let first = identity.members.first { $0.id == identity.memberID }
        guard let known, let urls = first?.peerURLs ?? (known.peerURLs.isEmpty ? nil : known.peerURLs),
            known.name != options.name || known.peerURLs != urls
                || known.clientURLs != options.advertiseClientURLs
        else { return }
        lastPublish = now
        propose(
            LedgerCommand.publishMember(
                id: identity.memberID.rawValue, name: options.name, peerURLs: urls,
                clientURLs: options.advertiseClientURLs), .publishMember)
        proposeGathered()
    }

    // MARK: peers

    func onMessage(_ message: PeerMessage, _ sender: ProcessID) {
        switch message {
        case .replica(let message):
            // While the store is full, what is chosen gathers here. Past the bound this process takes no more,
            // as if the network had lost it, and catches up later.
            if applier.queuedEntries > Host.queuedEntriesLimit, case .accept = message { return }
            // The same while more waits for the log's disk than may.
            if logBacklog.isFull, message.fillsLog { return }
            step(.received(message, from: sender))
        case .request(let request):
            onLeaseQuestion(request.question, by: .member(sender, number: request.number))
        case .answer(let answer): onPeerAnswer(answer)
        case .farewell: onFarewell(from: sender)
        case .farewellAnswer: onFarewellAnswer(from: sender)
        }
    }
}

extension ReplicaMessage {
    /// Whether what it brings is written to the log.
    fileprivate var fillsLog: Bool {
        switch self {
        case .accept, .forward: true
        default: false
        }
    }
}
