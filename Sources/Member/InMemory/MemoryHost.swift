import Automata
import Coordination
import Paxos
import Replica

/// What `MemoryService` does, under its lock: a member that is alone in its cluster, whose log is durable as soon as it
/// is written, and the watchers.
struct MemoryHost {
    typealias Deliver = @Sendable ([ServiceDelivery]) -> Void

    private static let process = ProcessID(1)

    private let store: MemoryStore
    private let clusterID: UInt64
    private let described: ServiceMember
    private var member: MemberCore
    private var outputs: [MemberOutput] = []
    private var records: UInt64 = 0
    private var timers: [(timer: ReplicaTimer, due: Instant)] = []
    private var now: Instant
    private var hub: WatchHub
    private var watchOutputs: [WatchOutput] = []

    private var ports = SortedChunks<UInt64, Deliver>()
    private var lastPort: UInt64 = 0
    private var outbox: [(port: UInt64, delivery: ServiceDelivery)] = []
    private var isDelivering = false

    init(
        limits: ServiceLimits, store: MemoryStore, families: [any Space.Type], clusterID: UInt64,
        member described: ServiceMember, now: Instant
    ) throws {
        self.store = store
        self.clusterID = clusterID
        self.described = described
        self.now = now
        var replica = Replica.Settings(process: Self.process)
        replica.electionTimeout = limits.electionTimeout
        var settings = MemberCore.Settings(electionTimeout: limits.electionTimeout, firstNumber: 1)
        settings.limits = limits
        let applied = try store.read { Slot(try AppliedState.slot(in: $0)) }
        let recovered = ReplicaDurableState(storedUpTo: applied, Configuration(voters: [Self.process]))
        member = try store.read { reader in
            try MemberCore(
                settings: settings, replica: Replica(settings: replica, recovered: recovered),
                applier: Applier(families, from: reader), from: reader, now: now)
        }
        hub = WatchHub(revision: member.applier.ledger.revision)
        tell(.start)
        write()
    }

    var status: ServiceStatus {
        var status = ServiceStatus()
        let glance = member.glance
        status.clusterID = clusterID
        status.memberID = described.id
        status.leaderID = described.id
        status.leaderContact = glance.leaderHeard.map { now.since($0) }
        status.ballotRound = glance.ballotRound
        status.members = [described]
        status.appliedSlot = glance.applied.rawValue
        status.chosenSlot = glance.chosen.rawValue
        status.revision = glance.revision
        status.compactRevision = glance.compactRevision
        status.alarms = glance.alarms.map { Alarm(member: described.id, kind: $0.kind) }
        (status.storeBytes, status.storeBytesInUse) = store.size
        return status
    }

    // MARK: what is asked

    /// Time has passed: timers fire, and what is due at a beat happens.
    mutating func pass(to time: Instant) {
        now = max(now, time)
        while let next = timers.filter({ $0.due <= now }).min(by: { $0.due < $1.due }) {
            timers.removeAll { $0.timer == next.timer }
            tell(.timerFired(next.timer))
        }
        let size = store.size
        tell(.beat(.init(bytesInUse: size.inUse, bytesWrittenSincePoint: 0, isSpaceLow: false)))
        write()
    }

    mutating func execute(_ request: MemoryPort.Request, port: UInt64) {
        switch request {
        case .submit(let request, let token):
            let client = ClientToken(port: port, token: token)
            // What is in memory keeps no room to spare.
            if case .defragment = request { return answer(client, .success(.done)) }
            tell(.requested(ClientRequest(request, as: described.id, Self.process), by: client))
            tell(.gathered)
            write()
        case .watch(let request):
            tellHub(.requested([request], port: port, head: member.applier.ledger.revision))
            catchUp()
        }
    }

    // MARK: the member

    private mutating func tell(_ input: MemberInput) {
        member.step(input, at: now, into: &outputs)
        let wanted = outputs
        outputs.removeAll(keepingCapacity: true)
        let before = records
        for want in wanted {
            switch want {
            case .persist: records += 1
            case .setTimer(let timer, let range):
                timers.removeAll { $0.timer == timer }
                timers.append((timer, now + range.lowerBound))
            case .cancelTimer(let timer): timers.removeAll { $0.timer == timer }
            case .answer(let client, let result): answer(client, result)
            case .makeDurable(let slot): tell(.stored(upTo: slot))
            case .send, .tellLeaderLost, .sendCheckpoint, .trim, .membersChanged, .report, .handedOver,
                .stopped, .retired, .copyStore, .catchUpCopy, .switchStore, .placeCopy, .discardCopy,
                .suspendStore, .installCheckpoint, .refuseCheckpoint, .fail:
                break
            }
        }
        if records > before { tell(.durable(upTo: RecordNumber(records))) }
    }

    /// Lets the store do all that is due.
    private mutating func write() {
        tell(.gathered)
        do {
            while member.glance.isBatchDue {
                let batch = try store.write { try member.nextBatch(in: $0) }
                tell(.applied(batch))
                publish(batch)
            }
            while member.glance.isCompactionDue {
                tell(.compacted(try store.write { try member.nextCompaction(in: $0) }))
            }
        } catch let error as StoreError where error.code == .full {
            tell(.storeFull)
            tell(.gathered)
        } catch {
            // A command that this program does not know, as in the server: it serves no more.
            member.finish(into: &outputs)
            for case .answer(let client, let result) in outputs { answer(client, result) }
            outputs = []
        }
    }

    private mutating func answer(_ client: ClientToken, _ result: Result<ServiceAnswer, ServiceError>) {
        outbox.append((client.port, .answer(token: client.token, result)))
    }

    // MARK: the watchers

    private mutating func publish(_ batch: AppliedBatch) {
        let revision = member.applier.ledger.revision
        guard revision != batch.revisionBefore else { return }
        tellHub(
            .applied(
                AppliedEvents(
                    after: batch.revisionBefore, through: revision, events: batch.consequences.events)))
    }

    private mutating func tellHub(_ input: WatchInput) {
        hub.step(input, into: &watchOutputs)
        if case .readPrevious(let versions)? = watchOutputs.last {
            watchOutputs.removeLast()
            let previous = try? store.read { try versions.answer(in: $0) }
            hub.step(.previousRead(previous ?? []), into: &watchOutputs)
        }
        for case .deliver(let delivery, let port) in watchOutputs { outbox.append((port, delivery)) }
        watchOutputs.removeAll(keepingCapacity: true)
    }

    /// Lets those that are behind read on until they have had everything, or have too much on the way.
    private mutating func catchUp() {
        while hub.isHistoryDue {
            // The store is in memory and was written by this host: reading it cannot fail.
            guard let slice = try? store.read({ try hub.nextSlice(in: $0) }) else { return }
            tellHub(.historyRead(slice))
        }
    }
}

// Ports and their deliveries.
extension MemoryHost {
    mutating func openPort(_ deliver: @escaping Deliver) -> UInt64 {
        lastPort += 1
        ports[lastPort] = deliver
        return lastPort
    }

    mutating func close(port: UInt64) {
        ports[port] = nil
        tellHub(.portClosed(port))
        outbox.removeAll { $0.port == port }
    }

    mutating func loseLeader() { ports.visit { port, _ in outbox.append((port, .leaderLost)) } }

    /// False when somebody delivers already, or there is nothing to deliver.
    mutating func beginDelivering() -> Bool {
        guard !isDelivering, !outbox.isEmpty else { return false }
        isDelivering = true
        return true
    }

    /// All that goes to one port; nil, and delivering is over, when there is nothing more.
    mutating func nextDeliveries() -> (Deliver, [ServiceDelivery])? {
        while let port = outbox.first?.port {
            let deliveries = outbox.filter { $0.port == port }.map(\.delivery)
            outbox.removeAll { $0.port == port }
            if let deliver = ports[port] { return (deliver, deliveries) }
        }
        isDelivering = false
        return nil
    }
}

extension ClientRequest {
    /// `shown` is how the process is known outside.
    fileprivate init(_ request: ServiceRequest, as shown: UInt64, _ process: ProcessID) {
        self.init(request)
        if case .moveLeader(let target) = self, target.rawValue == shown { self = .moveLeader(to: process) }
    }
}
