import Automata
import Coordination
import Member
import Synchronization

/// One event loop's door to the server: it gathers what the loop asks for and hands it to the replica thread
/// and the watch thread, one batch each per flush.
final class Port: ServicePort, @unchecked Sendable {
    /// No other port of the server has had it.
    let number: UInt64
    private let host: Mailbox<HostInput>
    private let hub: Mailbox<WatchMessage>
    private let isHostRunning: @Sendable () -> Bool
    /// Within a struct, because a generic box wraps a bare closure once more at every access.
    private struct Receiver { let deliver: @Sendable ([ServiceDelivery]) -> Void }
    private let receiver: Mutex<Receiver?>

    // Used by the port's event loop only.
    private var requests: [PortRequest] = []
    private var watchRequests: [WatchRequest] = []
    private var isClosed = false

    init(
        number: UInt64, host: Mailbox<HostInput>, hub: Mailbox<WatchMessage>,
        isHostRunning: @escaping @Sendable () -> Bool,
        deliver: @escaping @Sendable ([ServiceDelivery]) -> Void
    ) {
        self.number = number
        self.host = host
        self.hub = hub
        self.isHostRunning = isHostRunning
        receiver = Mutex(Receiver(deliver: deliver))
    }

    // MARK: the event loop's side

    func submit(_ request: ServiceRequest, token: UInt64) {
        requests.append(PortRequest(token: token, content: ClientRequest(request)))
    }

    func watch(_ specification: WatchSpecification, watcher: WatcherID) {
        watchRequests.append(.watch(specification, watcher))
    }

    func cancelWatch(_ watcher: WatcherID) { watchRequests.append(.cancel(watcher)) }

    func consumed(bytes: Int, watcher: WatcherID) { watchRequests.append(.consumed(bytes: bytes, watcher)) }

    func requestProgress(of watchers: [WatcherID], token: UInt64) {
        watchRequests.append(.progress(watchers, token: token))
    }

    func awaitTold(upTo revision: Int64, _ watchers: [WatcherID], token: UInt64) {
        watchRequests.append(.toldUpTo(revision, watchers, token: token))
    }

    /// When the replica thread does not keep up and its mailbox is full, the requests are refused at once.
    func flush() {
        guard !isClosed else {
            requests.removeAll()
            watchRequests.removeAll()
            return
        }
        if !requests.isEmpty {
            let batch = requests
            requests = []
            requests.reserveCapacity(min(batch.count, 256))
            if !host.offer(.requests(self, batch)) {
                refuse(batch, isHostRunning() ? .tooManyRequests : .stopped)
            }
        }
        if !watchRequests.isEmpty {
            hub.send(.requests(self, watchRequests))
            watchRequests = []
        }
    }

    func close() {
        guard !isClosed else { return }
        isClosed = true
        receiver.withLock { $0 = nil }
        host.send(.portClosed(self))
        hub.send(.portClosed(self))
    }

    private func refuse(_ batch: [PortRequest], _ error: ServiceError) {
        deliver(batch.map { .answer(token: $0.token, .failure(error)) })
    }

    // MARK: the server's side

    /// The replica thread gathers here what it delivers at the end of a turn.
    var hostDeliveries: [ServiceDelivery] = []
    /// The watch thread does.
    var watchDeliveries: [ServiceDelivery] = []

    /// Any thread. Nothing is delivered to a port that is closed.
    func deliver(_ deliveries: [ServiceDelivery]) {
        receiver.withLock { $0?.deliver(deliveries) }
    }
}
