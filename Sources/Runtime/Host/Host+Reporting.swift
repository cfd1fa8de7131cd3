import Automata
import Coordination
import Member
import Paxos
import Replica

// What an operator reads and counts, and who is there.
extension Host {
    func onLinksChanged() {
        let links = network.links
        tell(.understood(links.compactMap { link in link.commands.map { MemberVersions(link.peer, $0) } }))
        tell(.reached(links.filter(\.isConnected).map(\.peer)))
    }

    func say(_ what: MemberReport) {
        switch what {
        case .leaderLost(let leader, let round):
            publishState()
            report(.warning, "lost the leader \(member: leader) at ballot round \(round, as: "round")")
        case .leaderFound(let leader, let round, let isFirst):
            publishState()
            if !isFirst { instruments.leaderChanges.add(1) }
            report(
                .info,
                leader == identity.memberID
                    ? "this member leads at ballot round \(round, as: "round")"
                    : "\(member: leader) leads at ballot round \(round, as: "round")")
        case .waiting(let reached, let voters): sayWhoIsMissing(reached, voters)
        case .compacts(let revision):
            report(.info, "compacting the history before revision \(revision, as: "revision")")
        case .raisesNoSpace:
            report(.warning, LogLine("raising the alarm NOSPACE").with("alarm", .text("NOSPACE")))
        case .raisesCorrupt(let process, let slot):
            report(
                .error,
                "raising the alarm CORRUPT for \(member: process): it knows slot \(slot, as: "slot") to be chosen, "
                    + "and this member leads and knows nothing of it. Some member has lost what it had "
                    + "acknowledged. Stop all members and compare them before anything else is written")
        case .storeFull: report(.error, "the store's disk is full: \(lackOfRoom, as: "error")")
        case .storeHasRoom: report(.info, "the store's disk has room again")
        case .storeSuspended(let error):
            report(
                .error,
                "a sync of the store failed (\(error.message)): the store is made anew from its last durable "
                    + "point and the log; until then nothing is read or applied")
        case .storeMadeAnew(let took, let isWanted, let isAsked):
            let bytes = (try? store.store)?.size.total ?? 0
            report(
                isWanted ? .info : .debug,
                "the store was made anew in \(took, as: "took") and takes \(bytes, as: "bytes") bytes")
            if isAsked { instruments.defragment.record(took) }
        case .logFull(let isFull):
            report(
                isFull ? .error : .info,
                isFull ? "the log's disk is full" : "the log's disk has room again")
        case .logSpaceLow(let isLow):
            report(
                isLow ? .warning : .info,
                isLow
                    ? "the log's disk has little room left" : "the log's disk has enough room again")
        case .logBehind(let isBehind, let bytes):
            report(
                isBehind ? .warning : .info,
                isBehind
                    ? "the log's disk is slow: \(bytes, as: "bytes") bytes wait for it, and nothing more is taken"
                    : "the log's disk has caught up, and more is taken")
        case .leavesToQuickerDisk(let heir):
            report(
                .warning,
                "the log's disk has finished nothing for more than "
                    + "\(options.electionTimeout, as: "election-timeout"): leadership goes to \(member: heir)"
            )
        case .proposalFailed: instruments.proposalsFailed.add(1)
        case .readsFailed(let count): instruments.readsFailed.add(count)
        case .slowRead: instruments.slowReads.add(1)
        case .leaseRenewed: instruments.leasesRenewed.add(1)
        }
    }

    /// A cluster that does not start is most often one whose members do not reach each other.
    private func sayWhoIsMissing(_ reached: [ProcessID], _ voters: [ProcessID]) {
        let awaited = reached.count > voters.count / 2 ? "a leader" : "a quorum"
        let names = { (members: [ProcessID]) in
            members.map(self.report.names.name).sorted().joined(separator: ", ")
        }
        report(
            .warning,
            "waiting for \(awaited): reached \(names(reached), as: "reached") of \(names(voters), as: "voters")"
        )
    }

    // MARK: members

    /// Links and what clients are told follow the configuration; addresses are those that members have
    /// published, or else those of the first start.
    func onMembersChanged() {
        let configuration = member.replica.configuration
        var reachable: [Identity.Member] = []
        members = (configuration.voters + configuration.learners).sorted().map { id in
            let initial = identity.members.first { $0.id == id }
            let known = member.applier.members.first { $0.id == id.rawValue }
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

    // MARK: links

    func measureLinks() {
        let isDue = lastMeasurement + .seconds(1) < now
        if isDue { lastMeasurement = now }
        for link in network.links {
            let dropped = Int(link.takeDropped())
            instruments.peerSendFailures.add(dropped)
            if member.glance.isLeading { instruments.heartbeatSendFailures.add(dropped) }
            if isDue { link.measureRoundTrip() }
        }
    }
}
