import Automata
import Coordination
import Member
import Paxos
import PeerLinks
import Replica
import Simulation

/// One run of a cluster of whole members in two phases: while faults strike, nothing wrong may happen; once they have
/// stopped, everything right must happen in bounded time. Everything in it is drawn from the seed.
public struct MemberRun {
    public struct Options: Sendable {
        public var seed: UInt64
        public var flaw: MemberFlaw?
        public var keeping: Trace.Keeping = .hashOnly

        public init(seed: UInt64) { self.seed = seed }
    }

    public struct Outcome: Sendable {
        public let violation: Violation?
        /// Names the run: the same for the same seed, always.
        public let hash: StableHash
        public let statistics: MemberStatistics
        /// As much of the trace as was asked for.
        public let trace: [String]
    }

    private enum Wake {
        static let request: UInt64 = 1
        static let operate: UInt64 = 2
        static let probe: UInt64 = 3
        static let watch: UInt64 = 4
    }

    /// No client waits longer, by the clock of the member that it asked, and then hears within the next beats.
    private static let requestTimeout = TimeSpan.seconds(3)
    private static let patience = TimeSpan.seconds(60)

    private let plan: MemberPlan
    private var cluster: SimulatedCluster<MemberHost>
    private var clients: MemberClients
    private var watches: MemberWatches
    private var judge: MemberJudge
    private var random: SeededRandom
    private var statistics = MemberStatistics()

    public static func run(_ options: Options) -> Outcome {
        var violation: Violation?
        var run: MemberRun
        do { run = try MemberRun(options) } catch { preconditionFailure("\(error)") }
        do {
            try run.strike()
            try run.recover()
            try run.judge.searchLinearizations()
        } catch {
            violation = error
        }
        run.statistics.note(run.cluster.counts, run.cluster.now)
        run.statistics.note(run.watches)
        return Outcome(
            violation: violation, hash: run.cluster.trace.hash, statistics: run.statistics,
            trace: run.cluster.trace.lines)
    }

    private init(_ options: Options) throws {
        var random = SeededRandom(seed: options.seed)
        let watches = MemberWatches(seed: options.seed)
        self.watches = watches
        let plan = MemberPlan(options, from: &random)
        self.plan = plan
        let keeper = KeeperPlan(seed: options.seed)
        clients = MemberClients(random: random.fork(), defragmentations: keeper.defragmentations)
        judge = try MemberJudge(clockSkewPPM: 3 * plan.mix.clockSkewPPM)
        var draws = random.fork()
        cluster = SimulatedCluster(
            processes: plan.processes, mix: plan.mix, connections: plan.connections, seed: random.next(),
            keeping: options.keeping
        ) { process, _, disk in
            var settings = plan.host
            settings.replica.process = process
            settings.watches = watches.plan
            settings.keeper = keeper
            settings.member.name = "\(process)"
            settings.member.firstNumber = draws.next() >> 1 + 1
            settings.member.clientURLs = ["http://\(process)"]
            settings.member.peerURLs = ["http://\(process)"]
            return MemberHost(settings: settings, disk: disk, seed: draws.next())
        }
        self.random = random
    }

    // MARK: safety

    private mutating func strike() throws(Violation) {
        for process in plan.processes {
            cluster.start(process)
            try onNews()
        }
        cluster.startFaults()
        cluster.wake(Wake.request, after: plan.requestGap)
        cluster.wake(Wake.operate, after: .seconds(1))
        cluster.wake(Wake.watch, after: watches.gap())
        let end = cluster.now + plan.faultySpan
        while cluster.now < end, let occurrence = cluster.advance() {
            try onOccurrence(occurrence)
            switch occurrence {
            case .woke(Wake.request):
                try ask()
                cluster.wake(Wake.request, after: clients.gap(plan.requestGap))
            case .woke(Wake.operate):
                try operate()
                cluster.wake(Wake.operate, after: clients.gap(.milliseconds(1_500)))
            case .woke(Wake.watch): try watch(isSettling: false)
            default: break
            }
        }
    }

    /// What those do that watch, and the watch threads.
    private mutating func watch(isSettling: Bool) throws(Violation) {
        let up = up
        let busy = up.filter { cluster[$0]?.watchers?.hasWork == true }
        let asked =
            isSettling
            ? watches.settle(at: up, busy: busy, judge) : watches.act(at: up, busy: busy, judge)
        for (process, request) in asked {
            if cluster.submit(request, to: process) { try onNews() } else { watches.lose(process) }
        }
        cluster.wake(Wake.watch, after: isSettling ? .milliseconds(20) : watches.gap())
    }

    private var up: [ProcessID] { plan.processes.filter { cluster.isUp($0) && !cluster.isPaused($0) } }

    private mutating func ask() throws(Violation) {
        guard !up.isEmpty else { return }
        let process = clients.pick(up)
        let request = clients.request(
            to: process, of: plan.processes, revision: judge.revision,
            compacted: judge.compactRevision, knowing: judge.known, at: cluster.now)
        try submit(request, to: process)
    }

    /// What an operator and a disk do: a store gets full and has room again, a member is stopped.
    private mutating func operate() throws(Violation) {
        guard !up.isEmpty else { return }
        let process = clients.pick(up)
        if plan.fillsStores, random.coin() {
            try submit(.capacity(random.coin() ? random.number(in: 0...2_000) : nil), to: process)
        } else if plan.stopsMembers, random.chance(300_000) {
            try submit(.stop, to: process)
        }
    }

    private mutating func submit(_ request: MemberRequest, to process: ProcessID) throws(Violation) {
        guard cluster.submit(request, to: process) else {
            for operation in clients.forget(process) { judge.leaveOpen(operation) }
            return
        }
        statistics.requests += 1
        try onNews()
    }

    private mutating func onOccurrence(_ occurrence: SimulatedCluster<MemberHost>.Occurrence)
        throws(Violation)
    {
        try onNews()
        if case .crashed = occurrence {
            for process in plan.processes where !cluster.isUp(process) {
                for operation in clients.forget(process) { judge.leaveOpen(operation) }
                watches.lose(process)
            }
        }
    }

    private mutating func onNews() throws(Violation) {
        for (process, news) in cluster.takeReports() {
            switch news {
            case .passed(let point): statistics.points[point, default: 0] += 1
            case .refusedToStart(let reason):
                throw Violation(.recovery, "\(process) refused to start: \(reason)")
            case .recovered(let slot, let digest):
                try judge.onRecovered(process, upTo: slot, digest, by: "as it was found at a start")
            case .installed(let slot, let digest):
                try judge.onRecovered(process, upTo: slot, digest, by: "as a checkpoint brought it")
            case .applied(let first, let entries, let results, let digest):
                try judge.onApplied(process, first, entries, results, digest, at: cluster.now)
            case .answered(let client, let result, let slot, let seen):
                guard let operation = clients.take(client.token) else {
                    throw Violation(.invariant, "\(process) answered \(client.token) twice, or unasked")
                }
                if case .failure = result { statistics.failed += 1 } else { statistics.answered += 1 }
                try judge.onAnswer(
                    operation, result, at: slot, seen: seen, place: clients.place())
            case .watching(let port, let ids, let head): watches.onWatching(process, port, ids, head: head)
            case .delivered(let port, let deliveries):
                try watches.onDelivered(process, port, deliveries, judge)
            case .letGo(let complaint): throw Violation(.durability, "\(process) sent \(complaint)")
            case .retired: throw Violation(.invariant, "\(process) was removed by nobody")
            }
        }
    }

    // MARK: liveness

    private mutating func recover() throws(Violation) {
        let running = up
        cluster.stopFaults(healthy: plan.processes)
        try onNews()
        for process in plan.processes where running.contains(process) {
            try submit(.capacity(nil), to: process)
        }
        let healed = cluster.now
        let end = healed + Self.patience
        var probed: [ProcessID] = []
        cluster.wake(Wake.probe, after: .milliseconds(500))
        while let occurrence = cluster.advance() {
            try onOccurrence(occurrence)
            if occurrence == .woke(Wake.watch) { try watch(isSettling: true) }
            guard occurrence == .woke(Wake.probe) else { continue }
            if let late = clients.pending.values.first(where: { isLate($0, since: healed) }) {
                throw Violation(.liveness, "\(late.process) does not answer \(late.kind)")
            }
            if probed.count == plan.processes.count, clients.pending.isEmpty, isConverged,
                watches.areTold(judge)
            {
                return
            }
            guard cluster.now < end else { throw Violation(.liveness, complaint(probed)) }
            for process in plan.processes where !probed.contains(process) {
                try submit(.capacity(nil), to: process)
                if cluster[process]?.member?.glance.leader != nil { probed.append(process) }
                try submit(clients.put(to: process, knowing: judge.known, at: cluster.now), to: process)
                try submit(clients.read(at: process, knowing: judge.known, at: cluster.now), to: process)
            }
            for alarm in judge.alarms where !plan.hasQuota {
                let process = ProcessID(alarm.member)
                try submit(
                    clients.disarm([process], at: process, judge.known, cluster.now), to: process)
            }
            cluster.wake(Wake.probe, after: .milliseconds(500))
        }
    }

    /// Twice as long as it may take by a clock that is slow, and some beats. While faults strike a member may sleep, or
    /// have no room to do what it is asked to wait for.
    private func isLate(_ operation: MemberClients.Operation, since healed: Instant) -> Bool {
        max(operation.invoked, healed) + Self.requestTimeout * 2 + .seconds(6) < cluster.now
    }

    /// Everybody has applied everything, one leads, and no lease is left.
    private var isConverged: Bool {
        let leaders = plan.processes.filter { cluster[$0]?.member?.replica.isLeader == true }
        return leaders.count == 1 && judge.leaseCount == 0
            && plan.processes.allSatisfy {
                judge.applied(at: $0) == judge.last && cluster[$0]?.member?.glance.leader == leaders[0]
            }
    }

    private func complaint(_ probed: [ProcessID]) -> String {
        let states = plan.processes.map { process in
            "\(process) has applied \(judge.applied(at: process)), follows "
                + "\(cluster[process]?.member?.glance.leader.map { "\($0)" } ?? "nobody")"
        }
        return
            "\(Self.patience) after faults stopped, of \(judge.last): \(states.joined(separator: "; ")); "
            + "\(probed) probed, \(clients.pending.count) unanswered, \(judge.leaseCount) leases, \(judge.alarms); "
            + "not told: \(watches.complaint(judge))"
    }
}
