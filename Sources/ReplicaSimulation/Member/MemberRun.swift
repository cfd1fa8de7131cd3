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
        /// What of its faults and operations the run is without.
        public var reduction = MemberReduction()
        public var keeping: Trace.Keeping = .hashOnly

        public init(seed: UInt64) { self.seed = seed }
    }

    public struct Outcome: Sendable {
        public let violation: Violation?
        /// Names the run: the same for the same seed, always.
        public let hash: StableHash
        public let statistics: MemberStatistics
        /// How much clients had asked for, how many faults had struck and how long, when the run failed or faults stopped.
        let operations: Int
        let strikes: Int
        let milliseconds: Int
        /// As much of the trace as was asked for.
        public let trace: [String]
    }

    enum Wake {
        static let request: UInt64 = 1
        static let operate: UInt64 = 2
        static let probe: UInt64 = 3
        static let change: UInt64 = 4
        static let loss: UInt64 = 5
        static let damage: UInt64 = 6
        static let watch: UInt64 = 7
    }

    let plan: MemberPlan
    var cluster: SimulatedCluster<MemberHost>
    var clients: MemberClients
    var watches: MemberWatches
    var judge: MemberJudge
    var witness: AcceptanceWitness
    var roster: MemberRoster
    let disks: DiskNames
    var random: SeededRandom
    var statistics = MemberStatistics()
    var notedChanges = 0
    /// Who led when it was looked at, since the latest change of the members.
    var lastLeader: ProcessID?
    /// A disk that is lost when those who are away come back, and they are.
    var comingLoss: (process: ProcessID, part: LostPart, away: [ProcessID])?
    private var operations = 0
    private var struck = TimeSpan.zero

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
        for process in run.cluster.processes {
            run.statistics.note(run.cluster.disk(of: process).cachedFiles.counts)
        }
        run.statistics.note(run.watches)
        return Outcome(
            violation: violation, hash: run.cluster.trace.hash, statistics: run.statistics,
            operations: run.operations, strikes: run.cluster.counts.strikes,
            milliseconds: Int(run.struck.nanoseconds / 1_000_000) + 1,
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
        judge = try MemberJudge(plan.host.first, clockSkewPPM: 3 * plan.mix.clockSkewPPM)
        witness = AcceptanceWitness(bootstrap: plan.host.first)
        roster = MemberRoster(plan)
        let names = DiskNames(seed: options.seed)
        for process in plan.processes { _ = names.disk(of: process) }
        disks = names
        var draws = random.fork()
        cluster = SimulatedCluster(
            processes: plan.processes, mix: plan.mix, connections: plan.connections, seed: random.next(),
            keeping: options.keeping
        ) { process, _, disk in
            var settings = plan.host
            settings.replica.process = process
            settings.drawnDisk = names.disk(of: process)
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
        for process in roster.started {
            cluster.start(process)
            try onNews()
        }
        cluster.startFaults()
        cluster.wake(Wake.request, after: plan.requestGap)
        cluster.wake(Wake.operate, after: .seconds(1))
        if plan.troubles.changes != .none {
            cluster.wake(Wake.change, after: clients.gap(plan.troubles.changeGap))
        }
        if let gap = plan.troubles.lossGap { cluster.wake(Wake.loss, after: clients.gap(gap)) }
        if let gap = plan.troubles.damageGap { cluster.wake(Wake.damage, after: clients.gap(gap)) }
        cluster.wake(Wake.watch, after: watches.gap())
        let end = cluster.now + plan.faultySpan
        while cluster.now < end, let occurrence = cluster.advance() {
            struck = cluster.now.since(.zero)
            try onOccurrence(occurrence)
            switch occurrence {
            case .woke(Wake.request):
                try ask()
                cluster.wake(Wake.request, after: clients.gap(plan.requestGap))
            case .woke(Wake.operate):
                try operate()
                cluster.wake(Wake.operate, after: clients.gap(.milliseconds(1_500)))
            case .woke(Wake.change):
                try changeMembers()
                cluster.wake(Wake.change, after: clients.gap(plan.troubles.changeGap))
            case .woke(Wake.loss):
                if let gap = plan.troubles.lossGap {
                    cluster.wake(Wake.loss, after: loseDisk() ?? clients.gap(gap))
                }
            case .woke(Wake.damage):
                try damageLog()
                if let gap = plan.troubles.damageGap { cluster.wake(Wake.damage, after: clients.gap(gap)) }
            case .woke(Wake.watch): try watch(isSettling: false)
            default: break
            }
        }
    }

    /// What those do that watch, and the watch threads.
    mutating func watch(isSettling: Bool) throws(Violation) {
        var up = up
        if isSettling {
            // Whoever is no member is told of nothing that comes.
            for process in up where !members.contains(process) { watches.lose(process) }
            up = up.filter { members.contains($0) }
        }
        let busy = up.filter { cluster[$0]?.watchers?.hasWork == true }
        let asked =
            isSettling
            ? watches.settle(at: up, busy: busy, judge) : watches.act(at: up, busy: busy, judge)
        for (process, request) in asked {
            if cluster.submit(request, to: process) { try onNews() } else { watches.lose(process) }
        }
        cluster.wake(Wake.watch, after: isSettling ? .milliseconds(20) : watches.gap())
    }

    var up: [ProcessID] { plan.processes.filter { cluster.isUp($0) && !cluster.isPaused($0) } }

    private mutating func ask() throws(Violation) {
        guard !up.isEmpty, operations < plan.operations ?? .max else { return }
        operations += 1
        let process = clients.pick(up)
        let request = clients.request(
            to: process, of: roster.present, revision: judge.revision,
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

    mutating func submit(_ request: MemberRequest, to process: ProcessID) throws(Violation) {
        guard cluster.submit(request, to: process) else {
            lose(process)
            return
        }
        statistics.requests += 1
        try onNews()
    }

    mutating func onOccurrence(_ occurrence: SimulatedCluster<MemberHost>.Occurrence)
        throws(Violation)
    {
        (clients.jumped, judge.jumped) = (cluster.jumped, cluster.jumped)
        try onNews()
        switch occurrence {
        case .stepped(let process), .started(let process): try look(at: process)
        case .crashed:
            for process in plan.processes where !cluster.isUp(process) {
                lose(process)
            }
        case .woke, .other: break
        }
    }

    /// The member is down, or hears nobody, as its clients notice.
    mutating func lose(_ process: ProcessID) {
        for operation in clients.forget(process) { judge.leaveOpen(operation) }
        watches.lose(process)
    }

    mutating func onNews() throws(Violation) {
        // What a member has said when it left is heard before it is gone.
        var leaving: [ProcessID] = []
        for (process, news) in cluster.takeReports() {
            switch news {
            case .passed(let point): statistics.note(point)
            case .found(let records):
                witness.onStarted(process, from: records)
                try onStarted(process)
            case .wrote(let record): try witness.onWrote(process, record)
            case .madeDurable(let record): witness.onDurable(process, upTo: record)
            case .refusedToStart(let reason):
                try onRefusedStart(process, reason)
            case .recovered(let slot, let digest):
                try judge.onRecovered(
                    process, upTo: slot, digest, by: "as it was found at a start", at: cluster.now)
            case .installed(let slot, let digest):
                try witness.check(claim: slot, of: process)
                try judge.onRecovered(
                    process, upTo: slot, digest, by: "as a checkpoint brought it", at: cluster.now)
                noteCaughtUp(process)
            case .applied(let first, let entries, let results, let digest):
                try witness.check(entries, from: first, appliedBy: process)
                try judge.onApplied(process, first, entries, results, digest, at: cluster.now)
                noteCaughtUp(process)
                noteChanges(by: process)
            case .answered(let client, let result, let slot, let seen):
                guard let operation = clients.take(client.token) else {
                    throw Violation(.invariant, "\(process) answered \(client.token) twice, or unasked")
                }
                if case .failure = result { statistics.failed += 1 } else { statistics.answered += 1 }
                if case .success(.ready) = result { noteRead(at: process) }
                try judge.onAnswer(
                    operation, result, at: slot, seen: seen, place: clients.place())
            case .watching(let port, let ids, let head): watches.onWatching(process, port, ids, head: head)
            case .delivered(let port, let deliveries):
                try watches.onDelivered(process, port, deliveries, judge)
            case .letGo(let complaint): throw Violation(.durability, "\(process) sent \(complaint)")
            case .retired: leaving.append(process)
            }
        }
        for process in leaving { try onRetired(process) }
    }
}
