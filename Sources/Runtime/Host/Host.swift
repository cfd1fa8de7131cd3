import Automata
import Coordination
import Member
import Paxos
import Replica
import WriteAheadLog

/// The replica thread: owns the member and carries out what it wants.
///
///     inbox ─► member.step ─► outputs:  records    ─► log thread ─► durable ─► inbox
///                                       messages   ─► peers (those that promise something, by way of the log
///                                                     thread, once it is durable)
///                                       answers    ─► ports
///     member.nextBatch, in a transaction of the store ─► member.step(.applied) and events ─► watch thread
///
/// One turn takes everything that is queued, steps the member, lets messages and records go, and only then applies a
/// batch, so that nobody waits for the store who need not.
final class Host {
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

    var member: MemberCore
    private var outputs: [MemberOutput] = []
    private var isCarryingOut = false
    private var timers: Timers
    private var outbox: Outbox
    var works: [LogWork] = []
    var now: Instant
    var lastMeasurement = Instant.zero

    // What is durable of the log.
    private var durable = RecordNumber.none
    var segments: LogSegments

    // Clients.
    var ports: [Port] = []
    var touchedPorts: [Port] = []
    var handoverTickets: [HandoverTicket] = []

    // The store.
    /// The copy that the member was told of last, until it is in place or discarded.
    var copy: StoreCopy?
    /// Checkpoints that have arrived, and of which the member has not said what becomes of them.
    var arrivals: [CheckpointID: CheckpointArrival] = [:]
    var lastArrival: UInt64 = 0
    /// Why the store had no room when it had none last.
    var lackOfRoom = ""
    var members: [ServiceMember] = []

    // How the cluster began.
    let directory: DataDirectory
    let ownFormation: OwnFormation
    var founding: Founding
    var toldMissing: [ProcessID] = []
    var toldMissingAt: Instant
    var toldLostVotesAt = Instant.zero

    var isStopped = false

    init(
        options: ServerOptions, identity: Identity, inbox: Mailbox<HostInput>, log: LogThread,
        network: PeerNetwork, feed: WatchFeed, store: StoreBox, keeper: StoreKeeper, board: StatusBoard,
        instruments: Instruments, checkpointExporter: CheckpointExporter, applyThread: ApplyThread,
        member: MemberCore, segments: LogSegments, directory: DataDirectory,
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
        self.member = member
        self.segments = segments
        now = MonotonicClock.now()
        toldMissingAt = now
        timers = Timers(now: now, beat: .milliseconds(100))
        outbox = Outbox(network)
    }

    // MARK: the loop

    /// The body of the replica thread.
    func run() {
        do {
            onStoreRead()
            tell(.start)
            found(.start)
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
        (member.glance.isBatchDue || member.glance.isCompactionDue) && !isStoreBehind
    }

    /// What is written waits in memory until the disk has taken what was written before; `.stored` tells when. While the
    /// store is made anew it does not.
    private var isStoreBehind: Bool {
        !member.isStoreBeingMadeAnew && (try? store.store)?.isBehind == true
    }

    private func turn(_ inputs: [HostInput]) throws {
        for input in inputs { try on(input) }
        readClock()
        while let timer = timers.removeDue(at: now) { tell(.timerFired(timer)) }
        tell(.gathered)
        letGo()
        deliverAll()
        if hasWorkOfItsOwn { try writeNext() }
        letGo()
        if timers.takeBeat(at: now) {
            onBeat()
            letGo()
        }
        deliverAll()
    }

    /// Read anew where leases are judged: this process may have been stopped since the turn began, and then no longer
    /// knows that it leads.
    func readClock() { now = Instant.max(now, MonotonicClock.now()) }

    private func on(_ input: HostInput) throws {
        readClock()
        switch input {
        case .portOpened(let port): ports.append(port)
        case .portClosed(let port): ports.removeAll { $0 === port }
        case .requests(let port, let requests): for request in requests { onRequest(request, port) }
        case .received(let batch):
            for message in batch.messages { tell(.received(message, from: batch.sender)) }
            batch.taken()
        case .linksChanged: onLinksChanged()
        case .durable(let record): onDurable(record)
        case .segmentFull: onSegmentFull()
        case .segmentCut(let segment): segments.begin(segment)
        case .logFull(let isFull): tell(.logFull(isFull))
        case .logSpaceLow(let isLow): tell(.logSpaceLow(isLow))
        case .stored(let slot): tell(.stored(upTo: slot))
        case .storeFailed(let error): onStoreFailed(error)
        case .batchApplied(let result, let took): try onBatchApplied(result, took)
        case .storeCopied(let result): onStoreCopied(result)
        case .storePlaced(let result): onStorePlaced(result)
        case .checkpointArrived(let arrival): onCheckpointArrived(arrival)
        case .checkpointSent(let receiver, let success):
            tell(.checkpointSent(to: receiver, success: success))
        case .checkpointFailed(let process): tell(.checkpointFailed(process))
        case .formation(let message, let sender): found(.received(message, from: sender))
        case .failed(let reason): onFailure(reason)
        case .handOver(let ticket):
            handoverTickets.append(ticket)
            tell(.handOver)
        case .stop: tell(.stop)
        }
    }

    private func onRequest(_ request: PortRequest, _ port: Port) {
        if case .lease = request.content { readClock() }
        tell(.requested(request.content, by: ClientToken(port: port.number, token: request.token)))
    }

    private func onBeat() {
        readClock()
        tell(.beat(storeReading))
        continueFounding()
        measureLinks()
        publishState()
    }

    // MARK: the member

    /// Steps the member and carries out what it wants.
    func tell(_ input: MemberInput) {
        member.step(input, at: now, into: &outputs)
        carryOutAll()
    }

    /// The store was replaced by one that a checkpoint has brought.
    func tellInstalled(_ configuration: Configuration) throws {
        try store.read { try member.install(configuration, from: $0, at: now, into: &outputs) }
        carryOutAll()
    }

    /// Answers everybody who waits, for the last time.
    func tellFinished() {
        member.finish(into: &outputs)
        carryOutAll()
    }

    /// What the member wants in `body` waits for `carryOutAll`.
    func hold(_ body: () -> Void) {
        let wasCarryingOut = isCarryingOut
        isCarryingOut = true
        body()
        isCarryingOut = wasCarryingOut
    }

    /// In order. What is carried out may step the member again: what follows from that comes after what is already
    /// wanted.
    func carryOutAll() {
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

    private func carryOut(_ output: MemberOutput) {
        switch output {
        case .persist(let record):
            segments.note(record)
            works.append(.record(record))
        case .send(.replica(let message), let receiver, let record):
            if record <= durable {
                outbox.send(message, to: receiver)
            } else {
                works.append(.send(message, to: receiver))
            }
        case .send(.question(let question, let number), let receiver, _):
            outbox.send(PeerRequest(number: number, question: question), to: receiver)
        case .send(.answer(let content, let number), let receiver, _):
            outbox.send(PeerAnswer(number: number, content: content), to: receiver)
        case .send(.farewell, let receiver, _): outbox.send(.farewell, to: receiver)
        case .send(.farewellAnswer, let receiver, _): outbox.send(.farewellAnswer, to: receiver)
        case .setTimer(let timer, let range): timers.set(timer, after: range, now: now)
        case .cancelTimer(let timer): timers.cancel(timer)
        case .answer(let client, let result): answer(client, result)
        case .tellLeaderLost: for port in ports { port.deliver([.leaderLost]) }
        case .makeDurable(let slot): keeper.synchronize(upTo: slot)
        case .copyStore, .catchUpCopy, .switchStore, .placeCopy, .discardCopy, .suspendStore: renew(output)
        case .installCheckpoint(let id):
            do { try installCheckpoint(id) } catch { onFailure("\(error)") }
        case .refuseCheckpoint(let id, let refusal): refuseCheckpoint(id, refusal)
        case .sendCheckpoint(let receiver): sendCheckpoint(to: receiver)
        case .trim(let slot): trimLog(before: slot)
        case .membersChanged: onMembersChanged()
        case .report(let what): say(what)
        case .handedOver: endHandover()
        case .stopped: isStopped = true
        case .retired: onFailure("this member was removed from the cluster")
        case .fail(let failure): fail(failure)
        }
    }

    /// Hands messages to the event loops and records to the log thread.
    func letGo() {
        outbox.flush()
        guard !works.isEmpty else { return }
        let written = member.glance.hasOneProposal ? log.writeHere(works) : .left
        if case .left = written { log.handOver(works) }
        works.removeAll(keepingCapacity: true)
        guard case .durable(let record) = written else { return }
        onDurable(record)
        letGo()
    }

    private func onDurable(_ record: RecordNumber) {
        readClock()
        durable = record
        tell(.durable(upTo: record))
    }
}
