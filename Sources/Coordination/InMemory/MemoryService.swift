import Automata
import Synchronization

/// A coordination service of one process without a log, a network or a disk: commands are applied as they are
/// flushed. For tests of dialects, and for whoever embeds one of them without durability.
///
/// It does on the caller's thread what the server does on threads of its own; deliveries of all ports go out
/// in the order in which they came about, by whichever thread is first.
public final class MemoryService: CoordinationService {
    public let limits: ServiceLimits
    /// What the service keeps; to be written by nobody else.
    public let store: MemoryStore
    private let now: @Sendable () -> Instant
    private let machine: Mutex<MemoryServiceMachine>

    /// `now` is to be monotonic. Nothing wakes the service: the end of leases is noticed at `tick` and
    /// whenever a port is flushed.
    public init(
        limits: ServiceLimits = ServiceLimits(), store: MemoryStore = MemoryStore(),
        families: [any Space.Type] = Ledger.families, clusterID: UInt64 = 1,
        member: ServiceMember = ServiceMember(
            id: 1, name: "default", peerURLs: ["http://localhost:2380"],
            clientURLs: ["http://localhost:2379"], isLearner: false),
        now: @escaping @Sendable () -> Instant = { .zero }
    ) throws {
        self.limits = limits
        self.store = store
        self.now = now
        machine = Mutex(
            try MemoryServiceMachine(
                limits: limits, store: store, families: families, clusterID: clusterID, member: member,
                now: now()))
    }

    public func openPort(deliver: @escaping @Sendable ([ServiceDelivery]) -> Void) -> any ServicePort {
        MemoryPort(number: machine.withLock { $0.openPort(deliver) }, service: self)
    }

    public func read<R>(_ body: (any OrderedReader) throws -> R) throws -> R { try store.read(body) }

    public func openView() throws -> any OrderedView { try store.openView() }

    /// Nothing is damaged in memory.
    public func note(failedReading error: any Error) {}

    public var status: ServiceStatus { machine.withLock { $0.status } }

    /// Ends the leases whose time is over.
    public func tick() {
        let now = now()
        machine.withLock { $0.endLeases(now: now) }
        deliverAll()
    }

    /// Tells every port that no leader is known, as a process does that has lost its quorum.
    public func loseLeader() {
        machine.withLock { $0.loseLeader() }
        deliverAll()
    }

    fileprivate func execute(_ requests: [MemoryPort.Request], port: UInt64) {
        let now = now()
        machine.withLock { machine in
            machine.endLeases(now: now)
            for request in requests { machine.execute(request, port: port, now: now) }
        }
        deliverAll()
    }

    fileprivate func close(port: UInt64) { machine.withLock { $0.close(port: port) } }

    /// Only one thread delivers at a time, which keeps the order; who comes meanwhile leaves it to that one,
    /// also from within a delivery.
    private func deliverAll() {
        guard machine.withLock({ $0.beginDelivering() }) else { return }
        while let (deliver, deliveries) = machine.withLock({ $0.nextDeliveries() }) { deliver(deliveries) }
    }
}

/// Gathers requests until they are flushed.
final class MemoryPort: ServicePort {
    enum Request {
        case submit(ServiceRequest, token: UInt64)
        case watch(WatchSpecification, WatcherID)
        case cancelWatch(WatcherID)
        case consumed(bytes: Int, WatcherID)
        case progress([WatcherID], token: UInt64)
    }

    private let number: UInt64
    private let service: MemoryService
    private var requests: [Request] = []

    init(number: UInt64, service: MemoryService) {
        self.number = number
        self.service = service
    }

    func submit(_ request: ServiceRequest, token: UInt64) { requests.append(.submit(request, token: token)) }
    func watch(_ specification: WatchSpecification, watcher: WatcherID) {
        requests.append(.watch(specification, watcher))
    }
    func cancelWatch(_ watcher: WatcherID) { requests.append(.cancelWatch(watcher)) }
    func consumed(bytes: Int, watcher: WatcherID) { requests.append(.consumed(bytes: bytes, watcher)) }
    func requestProgress(of watchers: [WatcherID], token: UInt64) {
        requests.append(.progress(watchers, token: token))
    }

    func flush() {
        guard !requests.isEmpty else { return }
        let flushed = requests
        requests = []
        service.execute(flushed, port: number)
    }

    func close() {
        requests = []
        service.close(port: number)
    }
}
