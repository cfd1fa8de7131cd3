import Automata
import LogicalTime

/// Several processes, the network between them and their disks, in virtual time.
///
/// Everything that happens follows from the seed, the mix of faults and what the harness asks for: the same
/// run gives the same trace, event by event, on every machine. A harness calls `advance()` until it has seen
/// enough, looks at the processes and their reports after each event, and puts its requests in between.
///
/// A cluster has one owner: copies share their processes.
public struct SimulatedCluster<Process: SimulatedProcess> {
    /// Starts an incarnation, counted from 1, from what its disk holds.
    public typealias Boot = (_ process: ProcessID, _ incarnation: Int, _ disk: SimulatedDisk) -> Process

    /// What one call of `advance()` has done.
    public enum Occurrence: Hashable, Sendable {
        case stepped(ProcessID)
        case crashed(ProcessID)
        case started(ProcessID)
        case woke(UInt64)
        /// A fault began or ended, or something came to nothing: a message to a process that is down, a
        /// timer that was set anew.
        case other
    }

    /// How often things have happened.
    public struct Counts: Hashable, Sendable {
        public var events = 0
        public var delivered = 0
        /// Faults that struck, of whatever kind.
        public var strikes = 0
        public var lost = 0
        public var crashes = 0
        public var damagedLogs = 0
        public var powerLosses = 0
        public var failedStarts = 0
        public var partitions = 0
        public var clogs = 0
        public var pauses = 0
        public var suspensions = 0
        public var clockJumps = 0
        public var slowDisks = 0
        public var blackouts = 0
        public var wipes = 0
        public var resets = 0
        public var halfOpens = 0
        public var powerCuts = 0
        /// Messages that found no connection, or no room on it.
        public var unsent = 0
    }

    public private(set) var now = Instant.zero
    private var reports: [(process: ProcessID, report: Process.Report)] = []
    public private(set) var counts = Counts()
    public internal(set) var trace: Trace
    public internal(set) var mix: FaultMix
    /// By how much clocks have leapt ahead, all together.
    public internal(set) var jumped = TimeSpan.zero

    public let processes: [ProcessID]
    let hosts: [SimulatedHost<Process>]
    var network: Network
    var queue = EventQueue<SimulatedEvent<Process>>()
    var faultRandom: SeededRandom
    var hostRandom: SeededRandom
    var partitionGeneration: UInt64 = 0
    /// What is on its way over links that are cut, until they are mended or given up.
    var stalled: [SimulatedEvent<Process>] = []
    var faultsAreActive = false
    private var timerGeneration: UInt64 = 0
    var outputs: [Process.Output] = []
    private let boot: Boot

    /// Processes are down until they are started. Where there is a policy for connections they speak over such, and
    /// where there is none each message is on its own.
    public init(
        processes: [ProcessID], mix: FaultMix, connections: ConnectionPolicy? = nil, seed: UInt64,
        keeping: Trace.Keeping, boot: @escaping Boot
    ) {
        var random = SeededRandom(seed: seed)
        self.mix = mix
        self.boot = boot
        network = Network(
            processes: processes.count, rules: mix.network, policy: connections, random: random.fork())
        hostRandom = random.fork()
        faultRandom = random.fork()
        trace = Trace(keeping: keeping)
        self.processes = processes
        hosts = processes.map { SimulatedHost(id: $0, seed: seed) }
        for index in hosts.indices where mix.clockSkewPPM > 0 {
            let skew = random.below(2 * mix.clockSkewPPM + 1)
            hosts[index].clock.skewPPM = Int64(skew) - Int64(mix.clockSkewPPM)
        }
    }

    // MARK: What a harness may look at

    /// Looks at the process without copying it; `nil` while it is down.
    public func inspect<Result, Failure: Error>(
        _ process: ProcessID, _ look: (Process) throws(Failure) -> Result
    ) throws(Failure) -> Result? {
        guard let process = hosts[index(of: process)].process else { return nil }
        return try look(process)
    }

    /// The process, `nil` while it is down.
    public subscript(process: ProcessID) -> Process? {
        hosts[index(of: process)].process
    }

    public func isUp(_ process: ProcessID) -> Bool { hosts[index(of: process)].process != nil }
    public func isPaused(_ process: ProcessID) -> Bool { hosts[index(of: process)].isPaused }

    /// How often the process has been started.
    public func incarnation(of process: ProcessID) -> Int { hosts[index(of: process)].incarnation }

    /// What the process's own clock shows.
    public func clock(of process: ProcessID) -> Instant { hosts[index(of: process)].clock.reading(at: now) }

    public func disk(of process: ProcessID) -> SimulatedDisk { hosts[index(of: process)].disk }

    func index(of process: ProcessID) -> Int {
        guard let index = processes.firstIndex(of: process) else {
            preconditionFailure("\(process) is not simulated; \(processes) are")
        }
        return index
    }

    // MARK: What a harness may ask for

    /// Gives `advance()` a `.woke(token)` after `span` of virtual time.
    public mutating func wake(_ token: UInt64, after span: TimeSpan) {
        queue.schedule(.wake(token), at: now + span)
    }

    /// Gives the process a request, as one of its clients would. Returns false when it is down or paused and
    /// sees nothing.
    public mutating func submit(_ request: Process.Request, to process: ProcessID) -> Bool {
        let index = index(of: process)
        guard hosts[index].process != nil, !hosts[index].isPaused else { return false }
        trace.note(.requested, at: now, process, request)
        give(.requested(request), to: index)
        return true
    }

    /// Starts the first or next incarnation of a process that is down.
    public mutating func start(_ process: ProcessID) {
        let index = index(of: process)
        guard hosts[index].process == nil else { return }
        hosts[index].incarnation += 1
        hosts[index].clock.origin = hostRandom.below(1 << 40)
        hosts[index].clock.started = now
        trace.note(.started, at: now, process)
        failStart(index)
        hosts[index].process = boot(process, hosts[index].incarnation, hosts[index].disk)
        give(.start, to: index)
        endStart(index)
    }

    /// What the processes have reported since this was asked last, in order.
    public mutating func takeReports() -> [(process: ProcessID, report: Process.Report)] {
        defer { reports.removeAll(keepingCapacity: true) }
        return reports
    }

    // MARK: One event

    /// Lets the next event happen; `nil` when nothing will ever happen again.
    public mutating func advance() -> Occurrence? {
        guard let (time, event) = queue.popFirst() else { return nil }
        now = time
        counts.events += 1
        if let index = event.process, hosts[index].isPaused {
            hosts[index].held.append((event, now))
            return .other
        }
        return perform(event)
    }

    private mutating func perform(_ event: SimulatedEvent<Process>) -> Occurrence {
        switch event {
        case .arrival(let message, let from, let to, let stamp, let passage):
            if let passage, from != to {
                guard network.connection(from, to, passage.lane).generation == passage.generation else {
                    counts.lost += 1
                    return .other
                }
                guard !network.isCut(from, to) else {
                    stalled.append(event)
                    return .other
                }
            }
            return onArrival(message, from, to, stamp)
        case .timer(let timer, let generation, let index, let incarnation):
            return onTimer(timer, generation, index, incarnation)
        case .synced(let upTo, let index, let incarnation):
            return onSynced(upTo, index, incarnation)
        case .stored(let upTo, let index, let incarnation):
            guard hosts[index].incarnation == incarnation, hosts[index].process != nil,
                upTo > hosts[index].stored
            else { return .other }
            hosts[index].stored = upTo
            hosts[index].disk.completeCells(upTo: upTo)
            trace.note(.stored, at: now, hosts[index].id, upTo)
            give(.stored(upTo: RecordNumber(upTo)), to: index)
            return .stepped(hosts[index].id)
        case .filesTurn(let index, let incarnation):
            return onFilesTurn(index, incarnation)
        case .restart(let index, let incarnation):
            guard hosts[index].incarnation == incarnation, hosts[index].process == nil else { return .other }
            start(hosts[index].id)
            return .started(hosts[index].id)
        case .resume(let index, let incarnation):
            if hosts[index].incarnation == incarnation { resume(hosts[index].id) }
            return .other
        case .strike(let strike):
            return onStrike(strike)
        case .heal(let generation):
            if generation == partitionGeneration { heal() }
            return .other
        case .wake(let token):
            return .woke(token)
        }
    }

    private mutating func onArrival(
        _ message: Process.Message, _ from: Int, _ to: Int, _ stamp: Stamp
    ) -> Occurrence {
        guard hosts[to].process != nil, !network.isCut(from, to) else {
            counts.lost += 1
            return .other
        }
        counts.delivered += 1
        let lamport = hosts[to].lamport.receive(stamp.lamport)
        var vector: VectorTimestamp?
        if let sent = stamp.vector { vector = hosts[to].vector.receive(sent) }
        trace.note(.received, at: now, hosts[to].id, message, from: hosts[from].id, lamport, vector)
        give(.received(message, from: hosts[from].id), to: to)
        return .stepped(hosts[to].id)
    }

    private mutating func onTimer(
        _ timer: Process.Timer, _ generation: UInt64, _ index: Int, _ incarnation: Int
    ) -> Occurrence {
        guard hosts[index].incarnation == incarnation,
            let position = hosts[index].timers.firstIndex(where: { $0.generation == generation })
        else { return .other }
        hosts[index].timers.remove(at: position)
        trace.note(.timerFired, at: now, hosts[index].id, timer)
        give(.timerFired(timer), to: index)
        return .stepped(hosts[index].id)
    }

    private mutating func onSynced(_ upTo: UInt64, _ index: Int, _ incarnation: Int) -> Occurrence {
        guard hosts[index].incarnation == incarnation, hosts[index].process != nil else { return .other }
        if hosts[index].crashesAtNextSync {
            crash(hosts[index].id)
            return .crashed(hosts[index].id)
        }
        hosts[index].disk.complete(Int(upTo - hosts[index].durable))
        hosts[index].durable = upTo
        hosts[index].isSyncing = false
        var still: [SimulatedHost<Process>.Waiting] = []
        for waiting in hosts[index].waiting {
            if waiting.after.rawValue <= upTo {
                transmit(waiting.message, from: index, to: waiting.to, waiting.stamp)
            } else {
                still.append(waiting)
            }
        }
        hosts[index].waiting = still
        trace.note(.durable, at: now, hosts[index].id, upTo)
        give(.durable(upTo: RecordNumber(upTo)), to: index)
        return .stepped(hosts[index].id)
    }

    // MARK: Carrying out what a process wants

    mutating func give(_ input: Process.Input, to index: Int) {
        outputs.removeAll(keepingCapacity: true)
        let reading = hosts[index].clock.reading(at: now)
        hosts[index].process?.step(input, at: reading, into: &outputs)
        for output in outputs { carryOut(output, of: index) }
        if hosts[index].written > hosts[index].durable, !hosts[index].isSyncing {
            hosts[index].isSyncing = true
            let ends = now + syncSpan(index)
            queue.schedule(
                .synced(upTo: hosts[index].written, at: index, incarnation: hosts[index].incarnation),
                at: ends)
        }
    }

    private mutating func carryOut(_ output: Process.Output, of index: Int) {
        switch output {
        case .send(let message, let to, let after):
            let lamport = hosts[index].lamport.tick()
            let stamp = Stamp(
                lamport: lamport, vector: trace.keepsLines ? hosts[index].vector.tick() : nil)
            trace.describe(at: now, hosts[index].id) { "sends \(message.traceText) to \(to)" }
            if after.rawValue > hosts[index].durable {
                hosts[index].waiting.append(.init(message: message, to: to, after: after, stamp: stamp))
            } else {
                transmit(message, from: index, to: to, stamp)
            }
        case .dial(let process, let lane):
            guard network.policy != nil else { return }
            network.connection(index, self.index(of: process), lane).replace(at: now)
        case .append(let bytes, let file):
            hosts[index].written += 1
            hosts[index].disk.write(.append(bytes, file: file))
        case .truncate(let file, let count):
            hosts[index].written += 1
            hosts[index].disk.write(.truncate(file: file, to: count))
        case .remove(let file):
            hosts[index].written += 1
            hosts[index].disk.write(.remove(file: file))
        case .store(let bytes, let cell):
            hosts[index].stores += 1
            hosts[index].disk.store(bytes, cell: cell, write: hosts[index].stores)
            queue.schedule(
                .stored(
                    upTo: hosts[index].stores, at: index, incarnation: hosts[index].incarnation),
                at: now + syncSpan(index))
        case .useFiles:
            guard !hosts[index].isUsingFiles else { return }
            hosts[index].isUsingFiles = true
            queue.schedule(
                .filesTurn(at: index, incarnation: hosts[index].incarnation),
                at: now + syncSpan(index))
        case .end: hosts[index].endsItself = true
        case .setTimer(let timer, let range):
            setTimer(timer, range, of: index)
        case .cancelTimer(let timer):
            hosts[index].timers.removeAll { $0.timer == timer }
        case .report(let report):
            trace.describe(at: now, hosts[index].id) { "reports \(report.traceText)" }
            reports.append((hosts[index].id, report))
        }
    }

    private mutating func setTimer(
        _ timer: Process.Timer, _ range: ClosedRange<TimeSpan>, of index: Int
    ) {
        timerGeneration += 1
        if let position = hosts[index].timers.firstIndex(where: { $0.timer == timer }) {
            hosts[index].timers[position].generation = timerGeneration
        } else {
            hosts[index].timers.append(.init(timer: timer, generation: timerGeneration))
        }
        let span = hosts[index].clock.virtual(hostRandom.span(in: range))
        queue.schedule(
            .timer(
                timer, generation: timerGeneration, at: index, incarnation: hosts[index].incarnation),
            at: now + span)
    }

    private mutating func transmit(
        _ message: Process.Message, from: Int, to process: ProcessID, _ stamp: Stamp
    ) {
        let to = index(of: process)
        guard network.policy == nil else { return connect(message, from, to, stamp) }
        let (first, second) = network.arrivals(from: from, to: to, at: now)
        if let first { queue.schedule(.arrival(message, from: from, to: to, stamp, nil), at: first) }
        if let second { queue.schedule(.arrival(message, from: from, to: to, stamp, nil), at: second) }
        if first == nil { counts.lost += 1 }
    }

    /// Puts a message on the connection that its sender has.
    private mutating func connect(_ message: Process.Message, _ from: Int, _ to: Int, _ stamp: Stamp) {
        let parcel = Process.parcel(message)
        guard let arrival = network.arrival(of: parcel, from: from, to: to, at: now) else {
            counts.unsent += 1
            return
        }
        let generation = network.connection(from, to, parcel.lane).generation
        let passage = Passage(lane: parcel.lane, generation: generation)
        let event = SimulatedEvent<Process>.arrival(message, from: from, to: to, stamp, passage)
        if from != to, network.isCut(from, to) {
            stalled.append(event)
        } else {
            queue.schedule(event, at: arrival)
        }
    }

    private mutating func syncSpan(_ index: Int) -> TimeSpan {
        if now < hosts[index].slowUntil { return mix.slowSync.drawn(from: &hostRandom) }
        return (network.sheltered[index] ? mix.sync.withoutSpikes : mix.sync).drawn(from: &hostRandom)
    }

    // MARK: Counting, for the faults in their own file

    mutating func count(_ path: WritableKeyPath<Counts, Int>) { counts[keyPath: path] += 1 }

    /// Gives a process that runs again what was held for it.
    mutating func release(_ index: Int) {
        let held = hosts[index].held
        hosts[index].held.removeAll()
        guard let since = hosts[index].asleepSince else {
            for (event, _) in held { queue.schedule(event, at: now) }
            return
        }
        hosts[index].asleepSince = nil
        for (event, due) in held {
            switch event {
            case .arrival: counts.lost += 1
            case .timer: queue.schedule(event, at: now + due.since(since))
            default: queue.schedule(event, at: now)
            }
        }
    }
}
