import Coordination
import GRPC
import NIOCore
import NIOPosix
import Synchronization

/// The etcd v3 API over a coordination service: gRPC and, on the same port, HTTP/1.1 with the JSON gateway and
/// the operators' pages.
///
/// A process makes one of it and gives `makeService` and `configureHTTP1` to its `GRPCServer`. Connections of
/// the same event loop share an endpoint.
public final class EtcdServer: Sendable {
    /// The version of etcd whose behaviour is offered. Clients decide by it what they may ask for, and some
    /// read it as three integers.
    public static let version = "3.5.21"
    static let clusterVersion = "3.5.0"

    let service: any CoordinationService
    /// For what would keep an event loop too long.
    let reads: ReadPool
    private static var concurrentReads: Int { 4 }
    private let endpoints = Mutex<[ObjectIdentifier: EtcdEndpoint]>([:])

    /// - Parameter background: runs large reads, hashes and snapshots; the process's own pool unless given.
    public init(service: any CoordinationService, background: NIOThreadPool = .singleton) {
        self.service = service
        reads = ReadPool(background, limit: Self.concurrentReads)
    }

    /// What serves the calls of a connection; called on its event loop.
    public func makeService(for connection: any GRPCConnection) -> any GRPCService {
        EtcdService(endpoint: endpoint(on: connection.eventLoop))
    }

    /// Adds what serves HTTP/1.1 to a channel that has NIO's codecs; called on its event loop.
    public func configureHTTP1(_ channel: any Channel) throws {
        try addPages(to: channel, .all)
    }

    /// As `configureHTTP1`, for a listener that serves the operators' pages and no calls.
    public func configureMetrics(_ channel: any Channel) throws {
        try addPages(to: channel, .operators)
    }

    private func addPages(to channel: any Channel, _ offer: GatewayHandler.Offer) throws {
        try channel.pipeline.syncOperations.addHandler(
            GatewayHandler(endpoint: endpoint(on: channel.eventLoop), offer: offer))
    }

    /// Ends streams, once the calls that can be answered are: the process is about to stop, and its `GRPCServer`
    /// drains. What comes meanwhile is served.
    public func drain() {
        for endpoint in endpoints.withLock({ Array($0.values) }) {
            endpoint.eventLoop.execute { endpoint.drain() }
        }
    }

    /// Ends the calls that are open and closes the doors to the service; returns when it is done.
    public func stop() async {
        for endpoint in endpoints.withLock({ Array($0.values) }) {
            try? await endpoint.eventLoop.submit { endpoint.close() }.get()
        }
    }

    func endpoint(on eventLoop: any EventLoop) -> EtcdEndpoint {
        let key = ObjectIdentifier(eventLoop)
        return endpoints.withLock { endpoints in
            if let known = endpoints[key] { return known }
            let endpoint = EtcdEndpoint(server: self, eventLoop: eventLoop)
            endpoints[key] = endpoint
            return endpoint
        }
    }

    /// What all endpoints have counted.
    var allCounters: [CallCounters] { endpoints.withLock { $0.values.map(\.counters) } }
}
