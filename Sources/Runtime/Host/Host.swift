import Automata
import Coordination
import Member
import Paxos
import Replica
import WriteAheadLog

/// The replica thread: owns the replica, its timers and the applied state.
///
///     inbox ─► replica.step ─► outputs:  records           ─► log thread ─► durable ─► inbox
///                                        messages          ─► peers (those that promise something, by way of
///                                                             the log thread, once it is durable)
///                                        chosen entries    ─► applier ─► answers ─► ports
///                                                                    └─► events  ─► watch thread
///
/// One turn takes everything that is queued, steps the replica, lets messages and records go, and only then
/// applies a batch, so that nobody waits for the store who need not.
final class Host {
    /// Chosen and not applied, beyond which a follower takes no more.
    static let queuedEntriesLimit = 100_000

    let options: ServerOptions
    let identity: Identity
    let inbox: Mailbox<HostInput>
    let log: LogThread
    let network: PeerNetwork
    let feed: WatchFeed
    let store: StoreBox
    let keeper: StoreKeeper
    let board: StatusBoard
    let instruments: Instruments
    let checkpointExporter: CheckpointExporter
    let report: Reporter
    let applyThread: ApplyThread

    var replica: Replica
    var applier: Applier
    private var outputs: [ReplicaOutput] = []
    private var isCarryingOut = false
    var timers: Timers
    var outbox: Outbox
    var works: [LogWork] = []
    var now: Instant

    // Records handed to the log thread, and those that it has made durable.
    var persisted: UInt64 = 0
    var logBacklog = LogBacklog()
    /// When `leaveToQuickerDisk` may offer the lead again.
    var nextOfferToQuickerDisk = Instant.zero
    var durable = RecordNumber.none
    var isLogFull = false
    var isLogSpaceLow = false
    var segments = LogSegments()

    // Clients.
    var ports: [Port] = []
    var touchedPorts: [Port] = []
    var proposals: ProposalTable
    var newProposals: [Proposal] = []
    var reads = ReadTable()
    var newReaders: [ReadTable.Waiter] = []
    var compactionWaiters: [(port: Port, token: UInt64, revision: Int64)] = []
    var transferWaiters: [(port: Port, token: UInt64, deadline: Instant)] = []

    // Leadership.
    var leader: ProcessID?
    var leaderElected = Instant.zero
    var leaderLost: Instant
    var hasToldLeaderLost = false
    var quorumWait = QuorumWait()

    // Leases.
    var leases: Leases

    // The store.
    /// A restart finds everything up to here.
    var lastStored: Slot
    var copying: StoreCopying?
    /// Waits for the batch that is away.
    var waitingCopy: StoreCopy?
    var waitingArrival: CheckpointArrival?
    var placeRetry: (copy: StoreCopy, time: Instant)?
    var rebuildRetry: Instant?
    /// A copy of a small store has failed, and is not tried again before.
    var smallCopyRetry = Instant.zero
    var isStoreFull = false
    var isStoreSpaceLow = false
    var applyRetry = Instant.zero
    var isOverQuota = false
    var lastAlarmProposal = Instant.zero
    var hasCompactionWork = true
    var durablePoint: DurablePoint
    var compactor: AutoCompactor
    var lastPublish = Instant.zero
    var lastMeasurement = Instant.zero
    var members: [ServiceMember] = []

    // How the cluster began.
    let directory: DataDirectory
    let ownFormation: OwnFormation
    var founding: Founding
    var toldMissing: [ProcessID] = []
    var toldMissingAt: Instant
    var toldLostVotesAt = Instant.zero

    var stop: StopTicket?
    var handover: Handover?
    /// Members that have led and stop, and are to hear when this process follows another.
    var farewells: [ProcessID] = []
    var isStopped = false

    init(
        options: ServerOptions, identity: Identity, inbox: Mailbox<HostInput>, log: LogThread,
        network: PeerNetwork, feed: WatchFeed, store: StoreBox, keeper: StoreKeeper, board: StatusBoard,
        instruments: Instruments, checkpointExporter: CheckpointExporter, applyThread: ApplyThread,
        replica: Replica, applier: Applier, segments: LogSegments, directory: DataDirectory,
        ownFormation: OwnFormation, founding: Founding, report: Reporter
    ) {
        self.directory = directory
        self.ownFormation = ownFormation
        self.founding = founding
        self.options = options
        self.identity = identity
        self.inbox = inbox
        self.log = log
        self.network = network
        self.feed = feed
        self.store = store
        self.keeper = keeper
        self.board = board
        self.instruments = instruments
        self.checkpointExporter = checkpointExporter
        self.report = report
        self.applyThread = applyThread
        lastStored = applier.applied
        self.replica = replica
        self.applier = applier
        self.segments = segments
        now = MonotonicClock.now()
        toldMissingAt = now
        timers = Timers(now: now, beat: .milliseconds(100))
        outbox = Outbox(network)
        proposals = ProposalTable(first: 1)
        leaderLost = now
        leases = Leases(
            electionTimeout: options.electionTimeout, firstNumber: .random(in: 1 ... .max >> 1))
        durablePoint = DurablePoint(now: now)
        compactor = AutoCompactor(options.autoCompaction)
    }

    // MARK: the loop

    /// The body of the replica thread.
    func run() {
        do {
            try loadFromStore()
            step(.start)
            found(.start)
            // Drawn from so many that it meets no number of an earlier life, of which a lost disk may have known.
            proposals = ProposalTable(first: .random(in: 1 ... .max >> 1))
            var inputs: [HostInput] = []
            while !isStopped {
                inbox.take(into: &inputs, until: hasWorkOfItsOwn ? .zero : timers.next)
                try turn(inputs)
            }
        } catch {
            onFailure("\(error)")
        }
        finish()
    }

    private var hasWorkOfItsOwn: Bool {
        (applier.hasWork || hasCompactionWork) && !isStoreFull && mayWrite
    }

    private func turn(_ inputs: [HostInput]) throws {
        now = Instant.max(now, MonotonicClock.now())
        for input in inputs { try on(input) }
        proposeGathered()
        requestGatheredReads()
        while let timer = timers.removeDue(at: now) { step(.timerFired(timer)) }
        letGo()
        deliverAll()
        try applyNext()
        letGo()
        if timers.takeBeat(at: now) {
            onBeat()
            letGo()
        }
        deliverAll()
    }

    private func on(_ input: HostInput) throws {
        switch input {
        case .portOpened(let port): ports.append(port)
        case .portClosed(let port): ports.removeAll { $0 === port }
        case .requests(let port, let requests): for request in requests { onRequest(request, port) }
        case .received(let batch):
            for message in batch.messages { onMessage(message, batch.sender) }
            batch.taken()
        case .durable(let record):
            durable = record
            if logBacklog.onDurable(upTo: record.rawValue, at: now) { onLogBacklog(isFull: false) }
            step(.durable(upTo: record))
        case .segmentFull: onSegmentFull()
        case .segmentCut(let segment): segments.begin(segment)
        case .logFull(let isFull): onLogFull(isFull)
        case .logSpaceLow(let isLow): onLogSpaceLow(isLow)
        case .stored(let slot): onStored(slot)
        case .storeFailed(let error): onStoreFailed(error)
        case .batchApplied(let result, let took): try onBatchApplied(result, took)
        case .storeCopied(let result): try onStoreCopied(result)
        case .storePlaced(let copy, let result): onStorePlaced(copy, result)
        case .checkpointArrived(let arrival): try onCheckpointArrived(arrival)
        case .checkpointSent(let receiver, let success):
            step(success ? .checkpointSent(to: receiver) : .checkpointFailed(receiver))
        case .checkpointFailed(let process): step(.checkpointFailed(process))
        case .formation(let message, let sender): found(.received(message, from: sender))
        case .failed(let reason): onFailure(reason)
        case .handOver(let ticket): onHandOver(ticket)
        case .stop(let ticket): onStop(ticket)
        }
    }

    // MARK: the replica

    /// Steps the replica and carries out what it wants, in order. What is carried out may step the replica
    /// again: what follows from that comes after what is already wanted.
    func step(_ input: ReplicaInput) {
        replica.step(input, at: now, into: &outputs)
        guard !isCarryingOut else { return }
        isCarryingOut = true
        var index = 0
        while index < outputs.count {
            carryOut(outputs[index])
            index += 1
        }
        outputs.removeAll(keepingCapacity: true)
        isCarryingOut = false
    }

    private func carryOut(_ output: ReplicaOutput) {
        switch output {
        case .persist(let record):
            persisted += 1
            if logBacklog.note(record, number: persisted, at: now) { onLogBacklog(isFull: true) }
            segments.note(record)
            works.append(.record(record))
        case .send(let message, let receiver, let record):
            if record <= durable {
                outbox.send(message, to: receiver)
            } else {
                works.append(.send(message, to: receiver))
            }
        case .setTimer(let timer, let range): timers.set(timer, after: range, now: now)
        case .cancelTimer(let timer): timers.cancel(timer)
        case .apply(let first, let entries): applier.enqueue(first: first, entries)
        case .answerRead(let id, let slot): onReadConfirmed(id, slot)
        case .refuseRead(let id, let refusal): onReadRefused(id, refusal)
        case .refuseProposal(let id, let refusal): onProposalRefused(id, refusal)
        case .finishTransfer(let target, let refusal): onTransferFinished(target, refusal)
        case .leaderChanged(let leader, let ballot): onLeaderChanged(leader, ballot)
        case .sendCheckpoint(let receiver): sendCheckpoint(to: receiver)
        case .trim(let slot): trimLog(before: slot)
        case .configurationChanged: onMembersChanged()
        case .retire: onFailure("this member was removed from the cluster")
        case .reportContradiction(let process, let slot): onContradiction(by: process, at: slot)
        }
    }

    /// Hands messages to the event loops and records to the log thread.
    func letGo() {
        outbox.flush()
        guard !works.isEmpty else { return }
        if !(hasOneProposal && log.writesHere(works)) { log.handOver(works) }
        works.removeAll(keepingCapacity: true)
    }

    /// Whether nothing and nobody waits for anything but the one proposal in hand.
    private var hasOneProposal: Bool {
        proposals.count == 1 && replica.configuration.voters.count == 1
            && replica.configuration.learners.isEmpty
    }

    // MARK: deliveries

    func answer(_ port: Port, _ token: UInt64, _ result: Result<ServiceAnswer, ServiceError>) {
        if port.hostDeliveries.isEmpty { touchedPorts.append(port) }
        port.hostDeliveries.append(.answer(token: token, result))
    }

    func deliverAll() {
        for port in touchedPorts {
            port.deliver(port.hostDeliveries)
            port.hostDeliveries = []
        }
        touchedPorts.removeAll(keepingCapacity: true)
    }
}
