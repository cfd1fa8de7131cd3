import Automata
import Coordination
import Synchronization

/// A coordination service of one process without a network or a disk: a `MemberCore` that is alone, as the server's is
/// where it is alone. Commands are applied as they are flushed. For tests of dialects, and for whoever embeds one of
/// them without durability.
///
/// It does on the caller's thread what the server does on threads of its own; deliveries of all ports go out
/// in the order in which they came about, by whichever thread is first.
public final class MemoryService: CoordinationService {
    public let limits: ServiceLimits
    /// What the service keeps; to be written by nobody else.
    public let store: MemoryStore
    private let now: @Sendable () -> Instant
    private let host: Mutex<MemoryHost>

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
        host = Mutex(
            try MemoryHost(
                limits: limits, store: store, families: families, clusterID: clusterID, member: member,
                now: now()))
    }

    public func openPort(deliver: @escaping @Sendable ([ServiceDelivery]) -> Void) -> any ServicePort {
        MemoryPort(number: host.withLock { $0.openPort(deliver) }, service: self)
    }

    public func read<R>(_ body: (any OrderedReader) throws -> R) throws -> R { try store.read(body) }

    public func openView() throws -> any OrderedView { try store.openView() }

    /// Nothing is damaged in memory.
    public func note(failedReading error: any Error) {}

    public var status: ServiceStatus { host.withLock { $0.status } }

    /// Lets time pass: ends the leases whose time is over.
    public func tick() {
        let now = now()
        host.withLock { $0.pass(to: now) }
        deliverAll()
    }

    /// Tells every port that no leader is known, as a process does that has lost its quorum.
    public func loseLeader() {
        host.withLock { $0.loseLeader() }
        deliverAll()
    }

    fileprivate func execute(_ requests: [MemoryPort.Request], port: UInt64) {
        let now = now()
        host.withLock { host in
            host.pass(to: now)
            for request in requests { host.execute(request, port: port) }
        }
        deliverAll()
    }

    fileprivate func close(port: UInt64) { host.withLock { $0.close(port: port) } }

    /// Only one thread delivers at a time, which keeps the order; who comes meanwhile leaves it to that one,
    /// also from within a delivery.
    private func deliverAll() {
        guard host.withLock({ $0.beginDelivering() }) else { return }
        while let (deliver, deliveries) = host.withLock({ $0.nextDeliveries() }) { deliver(deliveries) }
    }
}

/// Gathers requests until they are flushed.
final class MemoryPort: ServicePort {
    enum Request {
        case submit(ServiceRequest, token: UInt64)
        case watch(WatchRequest)
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
        requests.append(.watch(.watch(specification, watcher)))
    }
    func cancelWatch(_ watcher: WatcherID) { requests.append(.watch(.cancel(watcher))) }
    func consumed(bytes: Int, watcher: WatcherID) {
        requests.append(.watch(.consumed(bytes: bytes, watcher)))
    }
    func requestProgress(of watchers: [WatcherID], token: UInt64) {
        requests.append(.watch(.progress(watchers, token: token)))
    }
    func awaitTold(upTo revision: Int64, _ watchers: [WatcherID], token: UInt64) {
        requests.append(.watch(.toldUpTo(revision, watchers, token: token)))
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
