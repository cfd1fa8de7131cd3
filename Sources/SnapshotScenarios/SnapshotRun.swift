import Automata
import GlobalSnapshot
import Simulation

/// Carries out one run in the simulator, and judges every snapshot that was taken in it.
public enum SnapshotRun {
    public static func run(_ options: SnapshotRunOptions) -> SnapshotRunOutcome {
        let tokens: (inout SeededRandom, Int) -> TokenApplication = { random, index in
            let count = random.below(5) + (index == 0 ? 1 : 0)
            return TokenApplication(tokens: (0..<count).map { UInt64(index) * 100 + $0 })
        }
        let bank: (inout SeededRandom, Int) -> BankApplication = { random, _ in
            BankApplication(balance: random.below(1_000) + 1)
        }
        switch (options.algorithm, options.application) {
        case (.chandyLamport, .tokens): return run(ChandyLamport.self, options, tokens)
        case (.chandyLamport, .bank): return run(ChandyLamport.self, options, bank)
        case (.laiYang, .tokens): return run(LaiYang.self, options, tokens)
        case (.laiYang, .bank): return run(LaiYang.self, options, bank)
        }
    }

    private static func run<Core: SnapshotCore, Application: SnapshotApplication>(
        _: Core.Type, _ options: SnapshotRunOptions,
        _ initial: (inout SeededRandom, Int) -> Application
    ) -> SnapshotRunOutcome where Core.Message: TraceValue {
        var run = SimulatedRun<Core, Application>(options, initial)
        return run.outcome()
    }
}

/// The harness: makes the applications send, asks for snapshots, lets a process crash, and collects what
/// happened in the order in which it did.
struct SimulatedRun<Core: SnapshotCore, Application: SnapshotApplication> where Core.Message: TraceValue {
    typealias Cluster = SimulatedCluster<SnapshotHost<Core, Application>>

    /// What the harness does at one beat, beside a transfer.
    private enum Act {
        case ask(ProcessID, SnapshotID?)
        case crash(ProcessID)
        case tell(ProcessID, of: ProcessID)
    }

    let options: SnapshotRunOptions
    let topology: SnapshotTopology
    let initial: [Application]
    private(set) var cluster: Cluster
    private var random: SeededRandom
    private var beats: Int
    private var acts: [(beat: Int, act: Act)] = []

    var events: [RunEvent] = []
    var asked: [(process: ProcessID, id: SnapshotID)] = []
    var ended: [(process: ProcessID, id: SnapshotID, end: End)] = []
    private var assemblies: [SnapshotAssembly] = []
    private(set) var departed: ProcessID?
    /// Reports so far, where the deliberate error drops the counts.
    private var uncounted: [(id: SnapshotID, isPiece: Bool)] = []

    enum End: Hashable {
        case complete(RecordedSnapshot)
        case aborted(SnapshotAbortion)
        case refused(SnapshotRefusal)
    }

    init(_ options: SnapshotRunOptions, _ initial: (inout SeededRandom, Int) -> Application) {
        self.options = options
        random = SeededRandom(seed: options.seed)
        let count = random.number(in: max(2, min(options.initiators, 3))...7)
        let topology = SnapshotTopology.drawn(count, from: &random)
        self.topology = topology
        var applications: [Application] = []
        for index in 0..<count { applications.append(initial(&random, index)) }
        self.initial = applications
        var mix = FaultMix()
        mix.network.isOrdered = options.keepsOrder
        mix.network.delay.usual = TimeSpan(nanoseconds: random.element([100_000, 500_000, 2_000_000]))
        if random.coin() {
            mix.network.delay.spikesPPM = 100_000
            mix.network.delay.spike = .milliseconds(10)
        }
        let (collection, all) = (options.collection, applications)
        cluster = Cluster(
            processes: topology.processes, mix: mix, seed: random.next(), keeping: options.keeping
        ) { process, _, _ in
            SnapshotHost(
                SnapshotSettings(process: process, topology: topology, collection: collection),
                application: all[Int(process.rawValue) - 1])
        }
        beats = random.number(in: 20...80)
        planSnapshots()
        if options.hasDeparture { planDeparture() }
    }

    /// Some ask for the same snapshot, some for their own, all within a few beats.
    private mutating func planSnapshots() {
        let begin = random.index(beats)
        let names = random.number(in: 1...options.initiators)
        let askers = random.shuffled(topology.processes)
        for index in 0..<options.initiators {
            let named = index < names ? index : random.index(names)
            // Where epochs name snapshots, each process asks for the next that it knows of.
            let id =
                options.algorithm == .laiYang
                ? nil
                : SnapshotID(
                    initiator: askers[named % askers.count], sequence: UInt64(named / askers.count) + 1)
            acts.append((begin + random.index(5), .ask(askers[index % askers.count], id)))
        }
    }

    private mutating func planDeparture() {
        let process = random.element(topology.processes)
        let crash = (acts.map(\.beat).max() ?? 0) + random.index(3)
        acts.append((crash, .crash(process)))
        for other in topology.processes where other != process {
            acts.append((crash + 1 + random.index(8), .tell(other, of: process)))
        }
        beats = max(beats, crash + 10)
    }

    mutating func outcome() -> SnapshotRunOutcome {
        for process in topology.processes { cluster.start(process) }
        for beat in 0..<beats {
            cluster.wake(UInt64(beat), after: TimeSpan(nanoseconds: UInt64(beat) * 60_000))
        }
        while let occurrence = cluster.advance() {
            if case .woke(let beat) = occurrence { onBeat(Int(beat)) }
            for (process, report) in cluster.takeReports() { onReport(report, of: process) }
        }
        var outcome = SnapshotRunOutcome()
        outcome.hash = cluster.trace.hash
        outcome.events = events.count
        outcome.processes = topology.processes.count
        outcome.trace = cluster.trace.lines
        judge(&outcome)
        return outcome
    }

    private mutating func onBeat(_ beat: Int) {
        let channel = random.element(topology.channels)
        _ = cluster.submit(.pass(random.next(), to: channel.to), to: channel.from)
        for (due, act) in acts where due == beat || due > beat && beat == beats - 1 {
            switch act {
            case .ask(let process, let id): _ = cluster.submit(.snapshot(id), to: process)
            case .tell(let process, let other): _ = cluster.submit(.departed(other), to: process)
            case .crash(let process):
                cluster.stop(process)
                departed = process
            }
        }
    }

    private mutating func onReport(_ report: HostReport, of process: ProcessID) {
        switch report {
        case .happened(let event): events.append(event)
        case .requested(let id):
            asked.append((process, id))
            guard options.collection == .byHost else { return }
            if let assembly = assemblies.first(where: { $0.id == id }) {
                // Who asks when all is in is told at once.
                if let snapshot = assembly.snapshot(completedAt: cluster.now) {
                    ended.append((process, id, .complete(snapshot)))
                }
            } else {
                assemblies.append(SnapshotAssembly(id, topology: topology))
            }
        case .published(let report): onPublished(report)
        case .completed(let snapshot): ended.append((process, snapshot.id, .complete(snapshot)))
        case .aborted(let id, let reason): ended.append((process, id, .aborted(reason)))
        case .refused(let id, let reason): ended.append((process, id, .refused(reason)))
        }
    }

    /// The harness collects, as a host that can reach all processes would.
    private mutating func onPublished(_ report: SnapshotReport) {
        guard let index = assemblies.firstIndex(where: { $0.id == report.id }) else { return }
        var report = report
        if options.flaw == .dropsWhiteCounts { dropCounts(from: &report) }
        let was = assemblies[index].isComplete
        _ = assemblies[index].take(report)
        guard !was, let snapshot = assemblies[index].snapshot(completedAt: cluster.now) else { return }
        for (process, id) in asked where id == report.id {
            ended.append((process, id, .complete(snapshot)))
        }
    }

    /// A collector without counts takes a snapshot for complete as soon as every process has recorded, with the
    /// late messages that happen to be in by then.
    private mutating func dropCounts(from report: inout SnapshotReport) {
        switch report.content {
        case .late: uncounted.append((report.id, isPiece: false))
        case .piece(var piece):
            uncounted.append((report.id, isPiece: true))
            let (known, id) = (uncounted, report.id)
            let isLast = known.count { $0.id == id && $0.isPiece } == topology.processes.count
            let late = known.count { $0.id == id && !$0.isPiece }
            piece.whiteReceived = []
            piece.whiteSent = piece.whiteSent.prefix(isLast ? 1 : 0).map {
                ChannelCount(channel: $0.channel, count: UInt64(late))
            }
            report.content = .piece(piece)
        case .aborted: break
        }
    }
}
