import Automata
import Coordination
import Paxos
import Replica

/// One member of a cluster, all that it decides: the replica, what its clients wait for, leases, room and alarms,
/// what is applied, compacted and made durable, and the order in which it ends.
///
///     inputs ─► step ─► outputs
///     nextBatch(in: transaction) ─► .applied          what is applied, where the host has the store
///
/// It has no clock, no socket, no disk and no thread; a host gives it time and carries out what it wants (see
/// `MemberInput`, `MemberOutput`). Each part of it is a value that owns its state; what a part needs of another passes
/// through here.
public struct MemberCore: Automaton, Sendable {
    public struct Settings: Sendable {
        public var electionTimeout: TimeSpan
        public var limits = ServiceLimits()
        /// Requests of clients that wait for an answer; past it they are told that there are too many.
        public var pendingRequestLimit = 65_536
        /// What these requests may hold together. A single one above it is taken while nothing else waits.
        public var pendingBytesLimit = 128 << 20
        public var autoCompaction = AutoCompaction.off
        /// What is applied is made durable at the latest after this many entries.
        public var checkpointEntries = 100_000
        /// How this member can be reached, for it to tell the cluster.
        public var name = ""
        public var clientURLs: [String] = []
        /// Those that it was given at its first start, if it was.
        public var peerURLs: [String]?
        /// No number of a proposal or a question from there on was used in an earlier life, of which a lost disk may
        /// have known: drawn from very many.
        public var firstNumber: UInt64

        public init(electionTimeout: TimeSpan, firstNumber: UInt64) {
            self.electionTimeout = electionTimeout
            self.firstNumber = firstNumber
        }
    }

    typealias Leases = LeaseKeeper<ClientToken>

    public let settings: Settings
    public private(set) var replica: Replica
    public internal(set) var applier: Applier
    public internal(set) var glance = MemberGlance()
    /// A batch is with another thread; until it is back nothing may be written to the store.
    public internal(set) var isBatchAway = false

    var proposals: ProposalTable
    var newProposals: [Proposal] = []
    var reads = ReadTable()
    var revisionWaiters = RevisionWaiters()
    var newReaders: [ReadTable.Waiter] = []
    var leases: Leases
    var leadership: LeaderWatch
    var transfer = TransferDesk()
    var room = Room()
    var backlog = LogBacklog()
    var durablePoint: DurablePoint
    var renewal: StoreRenewal
    var checkpoints = CheckpointDesk()
    var compaction: CompactionDesk
    var isStoreSuspended = false
    /// Who can be reached, ascending.
    var reached: [ProcessID] = []
    var vocabulary = Vocabulary()
    public internal(set) var isStopping = false
    private var persisted: UInt64 = 0
    private var lastPublished = Instant.zero

    var now: Instant
    private var replicaOutputs: [ReplicaOutput] = []
    private var isCarryingOut = false

    /// `reader` sees what is applied.
    public init(
        settings: Settings, replica: Replica, applier: Applier, from reader: any OrderedReader, now: Instant
    ) throws {
        self.settings = settings
        self.replica = replica
        self.applier = applier
        self.now = now
        proposals = ProposalTable(first: settings.firstNumber)
        leases = Leases(electionTimeout: settings.electionTimeout, firstNumber: settings.firstNumber)
        leadership = LeaderWatch(now: now)
        durablePoint = DurablePoint(now: now)
        renewal = StoreRenewal(stored: applier.applied)
        compaction = CompactionDesk(settings.autoCompaction)
        try restoreLeases(from: reader)
        lookAround()
    }

    var me: ProcessID { replica.settings.process }
    var leader: ProcessID? { leadership.leader }
    var isLeading: Bool { leader == me }

    // MARK: steps

    public mutating func step(_ input: MemberInput, at time: Instant, into outputs: inout [MemberOutput]) {
        now = max(now, time)
        switch input {
        case .start: step(.start, &outputs)
        case .requested(let request, let client): onRequest(request, client, &outputs)
        case .received(let message, let sender): onMessage(message, sender, &outputs)
        case .gathered:
            proposeGathered(&outputs)
            lookAround()
        case .timerFired(let timer): step(.timerFired(timer), &outputs)
        case .beat(let reading):
            onBeat(reading, &outputs)
            lookAround()
        case .reached(let processes): onReached(processes, &outputs)
        case .understood(let versions): vocabulary.learn(versions)
        case .durable(let record): onDurable(record, &outputs)
        case .logFull(let isFull): onLogFull(isFull, &outputs)
        case .logSpaceLow(let isLow): onLogSpaceLow(isLow, &outputs)
        case .applied(let batch):
            onApplied(batch, &outputs)
            lookAround()
        case .batchLeft:
            isBatchAway = true
            lookAround()
        case .batchReturned:
            isBatchAway = false
            onBatchBack(&outputs)
            lookAround()
        case .storeFull:
            onStoreFull(&outputs)
            lookAround()
        case .compacted(let step):
            onCompacted(step, &outputs)
            lookAround()
        case .stored, .pointFailed, .storeCopied, .switchPutOff, .storeSwitched, .copyFailed, .copyPlaced,
            .copyNotPlaced, .checkpointArrived, .checkpointNotInstalled:
            renew(input, &outputs)
            lookAround()
        case .checkpointSent(let receiver, let success):
            step(success ? .checkpointSent(to: receiver) : .checkpointFailed(receiver), &outputs)
        case .checkpointFailed(let process): step(.checkpointFailed(process), &outputs)
        case .formed(let configuration):
            step(.formed(configuration), &outputs)
            outputs.append(.membersChanged)
        case .handOver: beginHandover(&outputs)
        case .stop: onStop(&outputs)
        }
    }

    /// Steps the replica and follows what it wants, in order. What is followed may step the replica again: what comes
    /// of that comes after what is already wanted.
    mutating func step(_ input: ReplicaInput, _ outputs: inout [MemberOutput]) {
        replica.step(input, at: now, into: &replicaOutputs)
        guard !isCarryingOut else { return }
        isCarryingOut = true
        var index = 0
        while index < replicaOutputs.count {
            carryOut(replicaOutputs[index], &outputs)
            index += 1
        }
        replicaOutputs.removeAll(keepingCapacity: true)
        isCarryingOut = false
    }

    private mutating func carryOut(_ output: ReplicaOutput, _ outputs: inout [MemberOutput]) {
        switch output {
        case .persist(let record):
            persisted += 1
            if backlog.note(record, number: persisted, at: now) {
                outputs.append(.report(.logBehind(true, bytes: backlog.bytes)))
            }
            outputs.append(.persist(record))
        case .send(let message, let receiver, let record):
            outputs.append(.send(.replica(message), to: receiver, after: record))
        case .setTimer(let timer, let range): outputs.append(.setTimer(timer, after: range))
        case .cancelTimer(let timer): outputs.append(.cancelTimer(timer))
        case .apply(let first, let entries): applier.enqueue(first: first, entries)
        case .answerRead(let id, let slot): onReadConfirmed(id, slot, &outputs)
        case .refuseRead(let id, let refusal): onReadRefused(id, refusal, &outputs)
        case .refuseProposal(let id, let refusal): onProposalRefused(id, refusal, &outputs)
        case .finishTransfer(_, let refusal): onTransferFinished(refusal, &outputs)
        case .leaderChanged(let leader, let ballot): onLeaderChanged(leader, ballot, &outputs)
        case .sendCheckpoint(let receiver): outputs.append(.sendCheckpoint(to: receiver))
        case .trim(let slot): outputs.append(.trim(before: slot))
        case .configurationChanged: outputs.append(.membersChanged)
        case .retire: outputs.append(.retired)
        case .reportContradiction(let process, let slot): onContradiction(process, slot, &outputs)
        }
    }

    // MARK: ten times a second

    private mutating func onBeat(_ reading: StoreReading?, _ outputs: inout [MemberOutput]) {
        endLate(&outputs)
        let late = Instant(nanoseconds: now.nanoseconds - min(now.nanoseconds, 500_000_000))
        if leader != nil {
            proposeHeld(&outputs)
            renewReads(requestedBefore: late, &outputs)
        }
        retryLeaseQuestions(sentBefore: late, &outputs)
        requestGatheredReads(&outputs)
        expireLeases(&outputs)
        if let reading { measure(reading, &outputs) }
        publishOwnAddresses()
        compactOnItsOwn(&outputs)
        tellLeaderLost(&outputs)
        proposeGathered(&outputs)
        pursueHandover(&outputs)
        leaveToQuickerDisk(&outputs)
        retryStore(&outputs)
    }

    private mutating func onDurable(_ record: RecordNumber, _ outputs: inout [MemberOutput]) {
        if backlog.onDurable(upTo: record.rawValue, at: now) {
            outputs.append(.report(.logBehind(false, bytes: backlog.bytes)))
        }
        step(.durable(upTo: record), &outputs)
        // A host that writes its log itself goes on to what is chosen by that in the same turn.
        if applier.hasWork { lookAround() }
    }

    private mutating func onMessage(
        _ message: PeerMessage, _ sender: ProcessID, _ outputs: inout [MemberOutput]
    ) {
        switch message {
        case .replica(let message):
            // While the store is full, what is chosen gathers here. Past the bound this process takes no more, as if
            // the network had lost it, and catches up later.
            if applier.queuedEntries > Self.queuedEntriesLimit, case .accept = message { return }
            // The same while more waits for the log's disk than may.
            if backlog.isFull, message.fillsLog { return }
            step(.received(message, from: sender), &outputs)
        case .question(let question, let number):
            ask(question, by: .member(sender, number: number), &outputs)
        case .answer(let answer, let number): onLeaseAnswer(answer, to: number, &outputs)
        case .farewell: onFarewell(from: sender, &outputs)
        case .farewellAnswer: onFarewellAnswer(from: sender, &outputs)
        }
    }

    /// Chosen and not applied, beyond which a follower takes no more.
    private static let queuedEntriesLimit = 100_000

    // MARK: members

    /// Tells the cluster how this member can be reached, until the store says so.
    private mutating func publishOwnAddresses() {
        guard leader != nil, !applier.hasWork, replica.configuration.isMember(me),
            lastPublished == .zero || lastPublished + .seconds(2) < now
        else { return }
        let known = applier.members.first { $0.id == me.rawValue }
        guard let urls = settings.peerURLs ?? known?.peerURLs,
            known?.name != settings.name || known?.peerURLs != urls
                || known?.clientURLs != settings.clientURLs
        else { return }
        lastPublished = now
        propose(
            LedgerCommand.publishMember(
                id: me.rawValue, name: settings.name, peerURLs: urls, clientURLs: settings.clientURLs),
            .publishMember)
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
