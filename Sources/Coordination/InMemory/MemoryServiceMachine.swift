import Automata

/// What `MemoryService` does, under its lock.
struct MemoryServiceMachine {
    typealias Deliver = @Sendable ([ServiceDelivery]) -> Void

    private let limits: ServiceLimits
    private let store: MemoryStore
    private var ledger: Ledger
    private var leases: LeaseClock
    private var watches = MemoryWatches()
    private(set) var status = ServiceStatus()

    private var ports = SortedChunks<UInt64, Deliver>()
    private var lastPort: UInt64 = 0
    private var outbox: [(port: UInt64, delivery: ServiceDelivery)] = []
    private var isDelivering = false

    init(
        limits: ServiceLimits, store: MemoryStore, families: [any Space.Type],
        clusterID: UInt64, member: ServiceMember, now: Instant
    ) throws {
        self.limits = limits
        self.store = store
        ledger = try store.read { try Ledger(families, from: $0) }
        leases = LeaseClock(electionTimeout: limits.electionTimeout)
        let granted = try store.read { try LedgerReader($0).leases() }
        for (lease, seconds) in granted {
            leases.grant(lease, seconds: seconds, now: now)
        }
        leases.promote(now: now)
        status.clusterID = clusterID
        status.memberID = member.id
        status.leaderID = member.id
        status.ballotRound = 1
        status.members = [member]
        status.appliedSlot = try store.read { try AppliedState.slot(in: $0) }
        refreshStatus()
    }

    mutating func execute(_ request: MemoryPort.Request, port: UInt64, now: Instant) {
        switch request {
        case .submit(let request, let token):
            outbox.append((port, .answer(token: token, answer(request, now: now))))
        case .watch(let specification, let watcher):
            watches.add(specification, id: watcher, port: port, revision: ledger.revision)
            catchUp()
        case .cancelWatch(let watcher): watches.remove(watcher, port: port)
        case .consumed(let bytes, let watcher):
            watches.consumed(bytes: bytes, watcher, port: port)
            catchUp()
        case .progress(let watchers, let token):
            if watches.areCaughtUp(watchers, port: port, revision: ledger.revision) {
                outbox.append((port, .progress(token: token, revision: ledger.revision)))
            }
        }
        refreshStatus()
    }

    mutating func endLeases(now: Instant) {
        let expired = leases.expired(now: now, limit: 1000, retryAfter: .seconds(1))
        guard !expired.isEmpty else { return }
        // A store that cannot take it is asked again when the clock names the leases again.
        _ = try? apply(LedgerCommand.expireLeases(expired).command, now: now)
        refreshStatus()
    }

    private mutating func answer(
        _ request: ServiceRequest, now: Instant
    ) -> Result<ServiceAnswer, ServiceError> {
        do {
            return .success(try self.onRequest(request, now: now))
        } catch let error as ServiceError {
            return .failure(error)
        } catch {
            return .failure(.internalFailure("\(error)"))
        }
    }

    private mutating func onRequest(_ request: ServiceRequest, now: Instant) throws -> ServiceAnswer {
        switch request {
        case .command(let command):
            return .outcome(try apply(command, now: now), slot: status.appliedSlot)
        case .linearizableRead: return .ready
        case .renewLease(let lease):
            return .leaseRenewed(seconds: leases.renew(lease, now: now) ?? 0)
        case .leaseTimeToLive(let lease):
            guard let (remaining, granted) = leases.timeToLive(lease, now: now) else {
                return .leaseTimeToLive(remaining: -1, granted: 0)
            }
            return .leaseTimeToLive(remaining: remaining, granted: granted)
        case .moveLeader(let target):
            guard target == status.memberID else { throw ServiceError.unsuitableTransferee }
            return .done
        case .defragment: return .done
        case .compactionFinished:
            var isOver = false
            var removed = 0
            while !isOver {
                isOver = try !store.write {
                    try ledger.removeCompacted(limit: 1000, in: $0, removed: &removed)
                }
            }
            return .done
        }
    }

    private mutating func apply(_ command: Command, now: Instant) throws -> any SpaceOutcome {
        if limits.quotaBytes > 0, store.size.total >= limits.quotaBytes, ledger.takesRoom(command) {
            let alarm = LedgerCommand.setAlarm(Alarm(member: status.memberID, kind: .noSpace), raised: true)
            _ = try write(alarm.command, now: now)
        }
        do {
            return try write(command, now: now)
        } catch let error as StoreError where error.code == .full {
            return ledger.refuse(command, .noSpace)
        }
    }

    private mutating func write(_ command: Command, now: Instant) throws -> any SpaceOutcome {
        var next = ledger
        var consequences = Consequences()
        let slot = status.appliedSlot + 1
        let outcome = try store.write { transaction in
            try AppliedState.setSlot(slot, in: transaction)
            return try next.apply(command, in: transaction, into: &consequences)
        }
        ledger = next
        status.appliedSlot = slot
        for change in consequences.leases { leases.follow(change, now: now) }
        if !consequences.events.isEmpty {
            try store.read {
                try watches.deliver(consequences.events, from: KeyValueReader($0), into: &outbox)
            }
        }
        return outcome
    }

    private mutating func catchUp() {
        // The store is in memory and was written by this machine: reading it cannot fail.
        try? store.read { try watches.catchUp(from: KeyValueReader($0), into: &outbox) }
    }

    private mutating func refreshStatus() {
        status.chosenSlot = status.appliedSlot
        status.revision = ledger.revision
        status.compactRevision = ledger.compactRevision
        status.alarms = ledger.alarms
        (status.storeBytes, status.storeBytesInUse) = store.size
    }
}

// Ports and their deliveries.
extension MemoryServiceMachine {
    mutating func openPort(_ deliver: @escaping Deliver) -> UInt64 {
        lastPort += 1
        ports[lastPort] = deliver
        return lastPort
    }

    mutating func close(port: UInt64) {
        ports[port] = nil
        watches.removeAll(ofPort: port)
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
