import Automata
import Paxos
import Replica
import Simulation

/// One run of a cluster of production replicas in two phases, after TigerBeetle's simulator: while faults
/// strike, nothing wrong may happen; once they have stopped, everything right must happen in bounded time.
public struct ReplicaRun {
    public struct Outcome: Sendable {
        public let violation: Violation?
        /// Names the run: the same for the same seed, always.
        public let hash: StableHash
        public let statistics: RunStatistics
        /// As much of the trace as was asked for.
        public let trace: [String]
    }

    enum Wake {
        static let request: UInt64 = 1
        static let probe: UInt64 = 2
        static let shelter: UInt64 = 3
        static let wipe: UInt64 = 4
        static let press: UInt64 = 5
    }

    let plan: RunPlan
    var cluster: SimulatedCluster<ReplicaHost>
    var checker: ReplicaChecker
    var witness: AcceptanceWitness
    var clients: SimulatedClients
    var random: SeededRandom
    let disks: DiskNames
    var statistics = RunStatistics()
    /// What each process showed of itself after its last step in this incarnation.
    var shown: [(process: ProcessID, ballot: Ballot, chosen: Slot)] = []
    var retired: [ProcessID] = []
    /// A quorum that is spared while faults go on.
    var shelter: Shelter?
    private var lastLeading = Ballot.none
    var lost = LostDisks()
    /// A disk that is lost when those who are away come back, and they are.
    private var coming: (loss: LostDisks.Loss, away: [ProcessID])?

    public static func run(_ options: RunOptions) -> Outcome {
        var run = ReplicaRun(options)
        var violation: Violation?
        do {
            try run.strike()
            try run.recover()
        } catch {
            violation = error
        }
        return run.outcome(violation)
    }

    private init(_ options: RunOptions) {
        var random = SeededRandom(seed: options.seed)
        let plan = RunPlan(options: options, from: &random)
        self.plan = plan
        checker = ReplicaChecker(bootstrap: plan.bootstrap)
        witness = AcceptanceWitness(bootstrap: plan.bootstrap)
        clients = SimulatedClients(
            spares: plan.spares, large: plan.links.largeValue.map { ($0, plan.links.largePerMille) },
            random: random.fork())
        let names = DiskNames(seed: options.seed)
        disks = names
        cluster = SimulatedCluster(
            processes: plan.members + plan.spares, mix: plan.mix, connections: plan.links.policy,
            seed: random.next(), keeping: options.keeping
        ) { process, _, disk in
            var settings = plan.host
            settings.replica.process = process
            settings.drawnDisk = names.disk(of: process)
            settings.drawnNonce = names.drawNonce()
            return ReplicaHost(settings: settings, disk: disk)
        }
        self.random = random
    }

    private func outcome(_ violation: Violation?) -> Outcome {
        var statistics = self.statistics
        statistics += clients.statistics
        statistics.runs = 1
        statistics.events = cluster.counts.events
        statistics.virtualMilliseconds = cluster.now.nanoseconds / 1_000_000
        statistics.chosen = checker.chosen.count
        statistics.crashes = cluster.counts.crashes
        statistics.damagedLogs = cluster.counts.damagedLogs
        statistics.powerLosses = cluster.counts.powerLosses
        statistics.failedStarts = cluster.counts.failedStarts
        for process in cluster.processes {
            let files = cluster.disk(of: process).cachedFiles.counts
            statistics.failedSyncs += files.failedSyncs
            statistics.tornSectors += files.tornSectors
            statistics.lostNames += files.lostNames
            statistics.forgottenSectors += files.forgottenSectors
        }
        statistics.partitions = cluster.counts.partitions
        statistics.pauses = cluster.counts.pauses
        statistics.clogs = cluster.counts.clogs
        statistics.wipes = cluster.counts.wipes
        statistics.resets = cluster.counts.resets
        statistics.halfOpens = cluster.counts.halfOpens
        statistics.powerCuts = cluster.counts.powerCuts
        statistics.unsent = cluster.counts.unsent
        return Outcome(
            violation: violation, hash: cluster.trace.hash, statistics: statistics,
            trace: cluster.trace.lines)
    }

    // MARK: Safety

    private mutating func strike() throws(Violation) {
        if plan.formsInPeace { cluster.keepPeace() }
        for process in plan.members { try start(process) }
        if plan.formsInPeace { try form() }
        cluster.startFaults()
        cluster.wake(Wake.request, after: plan.requestGap)
        if let shelters = plan.shelters { cluster.wake(Wake.shelter, after: shelters.every) }
        if let gap = plan.wipeGap { cluster.wake(Wake.wipe, after: clients.gap(gap)) }
        let end = cluster.now + plan.faultySpan
        while cluster.now < end || shelter != nil, let occurrence = cluster.advance() {
            try onOccurrence(occurrence)
            switch occurrence {
            case .woke(Wake.request):
                try ask()
                cluster.wake(Wake.request, after: clients.gap(plan.requestGap))
            case .woke(Wake.shelter):
                try onShelterTime()
            case .woke(Wake.wipe):
                if let gap = plan.wipeGap { cluster.wake(Wake.wipe, after: wipe() ?? clients.gap(gap)) }
            default: break
            }
        }
    }

    /// All first members are there, so that the cluster is formed within some rounds of questions.
    private mutating func form() throws(Violation) {
        let end = cluster.now + plan.patience
        while !plan.members.allSatisfy({ lost.knowsFormation($0) }) {
            guard cluster.now < end, let occurrence = cluster.advance() else {
                throw Violation(.liveness, "the cluster is not formed after \(plan.patience)")
            }
            try onOccurrence(occurrence)
        }
    }

    /// One member loses its disk, or its log, or its store, as long as the others can do without its vote.
    ///
    /// What that may cost shows when those who come back beside it are those who knew less. So in every second
    /// case as many as a quorum can spare are away first, and those who stayed go down when the disk is lost.
    ///
    /// - Returns: when to call it again, where that is not left to chance.
    private mutating func wipe() -> TimeSpan? {
        // Who is spared loses nothing.
        guard shelter == nil else {
            coming = nil
            return nil
        }
        if let (loss, away) = coming {
            coming = nil
            for process in plan.members where process != loss.process && !away.contains(process) {
                takeDown(process, for: .milliseconds(UInt64(random.number(in: 500...4_000))))
            }
            lose(loss, for: .milliseconds(UInt64(random.number(in: 0...100))))
            return nil
        }
        guard let loss = lost.draw(among: plan, &random) else { return nil }
        guard random.coin() else {
            lose(loss, for: .milliseconds(UInt64(random.number(in: 0...3_000))))
            return nil
        }
        let others = random.shuffled(plan.members.filter { $0 != loss.process })
        let away = Array(others.prefix((plan.members.count - 1) / 2))
        let span = TimeSpan.milliseconds(UInt64(random.number(in: 300...2_000)))
        for process in away { takeDown(process, for: span) }
        coming = (loss, away)
        return span
    }

    private mutating func takeDown(_ process: ProcessID, for span: TimeSpan) {
        guard cluster.isUp(process), !lost.isRefused(process) else { return }
        cluster.crash(process, restartingAfter: span)
        clients.onCrash(of: process)
    }

    private mutating func lose(_ loss: LostDisks.Loss, for span: TimeSpan) {
        lost.note(loss)
        switch loss.part {
        case .everything:
            disks.replace(loss.process)
            witness.forget(loss.process)
            cluster.wipe(loss.process, .everything, restartingAfter: span)
        case .log: cluster.wipe(loss.process, .files, restartingAfter: span)
        case .store: cluster.wipe(loss.process, .cells(0...0), restartingAfter: span)
        }
        clients.onCrash(of: loss.process)
    }

    /// A random process is asked for something by its clients.
    private mutating func ask() throws(Violation) {
        let up = cluster.processes.filter { cluster.isUp($0) && !cluster.isPaused($0) }
        guard !up.isEmpty, clients.unansweredWrites < plan.unansweredWritesLimit else { return }
        let process = clients.pick(up)
        let (request, starting) = clients.request(
            to: process, checker.configuration, plan, movesNobody: shelter != nil,
            disk: { [disks, plan] in
                plan.host.flaw == .emptyMembersVote ? nil : disks.disk(of: $0)
            })
        if let starting, !retired.contains(starting) { try start(starting) }
        try submit(request, to: process)
    }

    private mutating func start(_ process: ProcessID) throws(Violation) {
        guard !cluster.isUp(process) else { return }
        shown.removeAll { $0.process == process }
        cluster.start(process)
        try onReports()
    }

    mutating func submit(_ request: HostRequest, to process: ProcessID) throws(Violation) {
        guard cluster.submit(request, to: process) else { return }
        try onReports()
        try look(at: process)
    }

    // MARK: After every event

    mutating func onOccurrence(_ occurrence: SimulatedCluster<ReplicaHost>.Occurrence)
        throws(Violation)
    {
        switch occurrence {
        case .stepped(let process):
            try onReports()
            try look(at: process)
        case .started(let process):
            shown.removeAll { $0.process == process }
            try onReports()
            try look(at: process)
        case .crashed:
            for process in cluster.processes where !cluster.isUp(process) { clients.onCrash(of: process) }
        case .woke, .other:
            try onReports()
        }
    }

    mutating func onReports() throws(Violation) {
        for (process, report) in cluster.takeReports() {
            switch report {
            case .found(let records):
                witness.onStarted(process, from: records)
            case .wrote(let record):
                try witness.onWrote(process, record)
            case .madeDurable(let record):
                witness.onDurable(process, upTo: record)
            case .letGo(let complaint):
                throw Violation(.durability, "\(process) sent \(complaint)")
            case .passed(let point):
                statistics.points[point, default: 0] += 1
            case .recovered(let slot, let hash):
                if lost.mustNotStart(process) {
                    throw Violation(.recovery, "\(process) started without its log")
                }
                try checker.onReplaced(process, upTo: slot, hash)
            case .refusedToStart(let reason):
                guard lost.mayRefuse(process) else {
                    throw Violation(.recovery, "\(process) refused to start: \(reason)")
                }
                statistics.refusedStarts += 1
                lost.noteRefused(process)
                cluster.stop(process)
            case .began(let formation):
                let disk = disks.disk(of: process)
                if lost.noteFormed(process, formation, disk) { witness.ignore(process) }
            case .applied(let first, let entries, let hash):
                try witness.check(entries, from: first, appliedBy: process)
                let before = checker.configuration.epoch
                try checker.onApplied(process, first: first, entries, hash)
                try clients.onApplied(at: process, first: first, entries)
                statistics.reconfigurations += Int(checker.configuration.epoch - before)
            case .installed(let slot, let hash):
                try witness.check(claim: slot, of: process)
                try checker.onReplaced(process, upTo: slot, hash)
                statistics.checkpoints += 1
            case .answeredRead(let id, let slot):
                try clients.onAnsweredRead(id, from: slot)
            case .refusedRead(let id, _):
                clients.onRefusedRead(id)
            case .refusedProposal(let id, let refusal):
                try checker.onRefused(id, refusal)
                clients.onRefusedProposal(id, refusal)
            case .finishedTransfer(_, let refusal):
                if refusal == nil { statistics.transfers += 1 }
            case .leaderChanged(let leader, let ballot):
                if leader == process, ballot > lastLeading {
                    lastLeading = ballot
                    statistics.elections += 1
                }
            case .trimmed:
                statistics.trims += 1
            case .retired:
                statistics.retirements += 1
                retired.append(process)
            case .contradicted(let other, let slot):
                throw Violation(
                    .agreement, "\(process) leads, and \(other) knows \(slot) to be chosen, which cannot be")
            case .configurationChanged, .sentCheckpoint:
                break
            }
        }
    }

    /// What a process shows of itself must fit together, and within one incarnation never go back.
    private mutating func look(at process: ProcessID) throws(Violation) {
        let seen = cluster.inspect(process) { host in
            host.replica.map { ($0.ballot, $0.chosenUpTo, $0.brokenInvariants.first) }
        }
        guard let (ballot, chosen, broken) = seen ?? nil else { return }
        if let broken { throw Violation(.invariant, "\(process): \(broken)") }
        try witness.check(claim: chosen, of: process)
        clients.onShown(chosen)
        if let index = shown.firstIndex(where: { $0.process == process }) {
            guard ballot >= shown[index].ballot, chosen >= shown[index].chosen else {
                throw Violation(
                    .invariant,
                    "\(process) went back from \(shown[index].ballot), \(shown[index].chosen) to \(ballot), \(chosen)"
                )
            }
            shown[index] = (process, ballot, chosen)
        } else {
            shown.append((process, ballot, chosen))
        }
    }

    // MARK: Liveness

    /// What a process must have done for its clients since faults stopped.
    struct Probe {
        let process: ProcessID
        var write: (id: ProposalID, isDone: Bool)?
        var read: (id: ReadID, isDone: Bool)?
        /// Writes of which the client was told that nobody knows how they end.
        var doubtful: [ProposalID] = []

        var isDone: Bool { write?.isDone == true && read?.isDone == true }
    }

    private mutating func recover() throws(Violation) {
        cluster.endShelter()
        let healthy = drawnHealthy()
        let started = cluster.processes.filter { cluster.isUp($0) }
        guard !healthy.isEmpty else { return }
        cluster.stopFaults(
            healthy: healthy, cuttingOff: random.element(Array(SimulatedCluster.RemainingLinks.allCases)))
        for process in healthy where !started.contains(process) { shown.removeAll { $0.process == process } }
        try onReports()

        var probes = healthy.map { Probe(process: $0) }
        let end = cluster.now + plan.patience
        cluster.wake(Wake.probe, after: .milliseconds(200))
        while let occurrence = cluster.advance() {
            try onOccurrence(occurrence)
            guard occurrence == .woke(Wake.probe) else { continue }
            let expected = healthy.filter {
                checker.configuration.isMember($0) && !retired.contains($0) && !lost.isRefused($0)
            }
            let asked = expected.filter { cluster[$0]?.replica?.hasLostItsVote == false }
            try probe(&probes, asked)
            if !asked.isEmpty, probes.allSatisfy({ $0.isDone || !asked.contains($0.process) }),
                isConverged(expected)
            {
                return try press(expected)
            }
            guard cluster.now < end else {
                throw Violation(
                    .liveness, complaint(probes, expected, plan.patience, after: "faults stopped"))
            }
            cluster.wake(Wake.probe, after: .milliseconds(200))
        }
    }

    /// All that have ever run, or a quorum of the voters. None when too many may have lost their vote for a
    /// configuration that nobody has applied yet.
    private mutating func drawnHealthy() -> [ProcessID] {
        let all = cluster.processes.filter {
            (cluster.isUp($0) || plan.members.contains($0) || checker.configuration.isMember($0)
                || cluster.incarnation(of: $0) > 0) && !retired.contains($0) && !lost.isRefused($0)
        }
        if plan.reconfigures, !lost.isEmpty { return [] }
        // Whoever does not know how the cluster was formed needs somebody who does, or everybody.
        guard plan.leavesSomeOut, plan.members.allSatisfy({ lost.knowsFormation($0) }) else { return all }
        return drawnQuorum(checker.configuration)
    }

    mutating func probe(_ probes: inout [Probe], _ expected: [ProcessID]) throws(Violation) {
        for index in probes.indices where expected.contains(probes[index].process) && !probes[index].isDone {
            let process = probes[index].process
            if let (id, isDone) = probes[index].write, !isDone {
                if checker.slot(of: id) != nil, !clients.awaits(id) {
                    probes[index].write?.isDone = true
                } else if !clients.awaits(id) {
                    probes[index].doubtful.append(id)
                    probes[index].write = nil
                }
            }
            if probes[index].write == nil {
                let request = clients.proposals(at: process, count: 1)
                if case .propose(let proposals) = request { probes[index].write = (proposals[0].id, false) }
                try submit(request, to: process)
            }
            if let (id, isDone) = probes[index].read, !isDone, !clients.awaits(id) {
                if clients.wasAnswered(id) {
                    probes[index].read?.isDone = true
                } else {
                    probes[index].read = nil
                }
            }
            if probes[index].read == nil {
                let request = clients.read(at: process)
                if case .read(let id) = request { probes[index].read = (id, false) }
                try submit(request, to: process)
            }
        }
    }

    private func isConverged(_ expected: [ProcessID]) -> Bool {
        guard !expected.isEmpty else { return false }
        let leaders = expected.filter { cluster[$0]?.replica?.isLeader == true }
        guard leaders.count == 1, checker.lastChosen >= clients.known else { return false }
        return expected.allSatisfy {
            checker.applied(at: $0) == checker.lastChosen && cluster[$0]?.replica?.leader == leaders[0]
        }
    }

    func complaint(
        _ probes: [Probe], _ expected: [ProcessID], _ patience: TimeSpan, after event: String
    ) -> String {
        let states = expected.map { process in
            let probe = probes.first { $0.process == process }
            let leader = cluster[process]?.replica?.leader.map { "\($0)" } ?? "nobody"
            return "\(process) has applied \(checker.applied(at: process)), follows \(leader), "
                + "write \(probe?.write?.isDone == true), read \(probe?.read?.isDone == true)"
        }
        return
            "\(patience) after \(event), of \(checker.lastChosen): \(states.joined(separator: "; ")); "
            + "\(checker.configuration)"
    }
}
