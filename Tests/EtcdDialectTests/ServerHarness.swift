import Automata
import Coordination
import EtcdDialect
import EtcdProtobuf
import GRPC
import GRPCTestSupport
import Glibc
import Member
import NIOCore
import NIOPosix
import SwiftProtobuf
import Synchronization
import Testing

/// An etcd server over a service in memory, on a port of its own, with a gRPC client.
final class ServerHarness: Sendable {
    let service: MemoryService
    let server: GRPCServer
    let etcd: EtcdServer
    let client: GRPCTestClient
    private let clock: ManualClock

    /// `linger`: for how long a quiet connection has its next request answered once the server drains. `wrap` may put
    /// something between the service and those that it serves.
    static func start(
        limits: ServiceLimits = ServiceLimits(), port: Int = 0, linger: Duration = .milliseconds(500),
        wrap: (MemoryService) -> any CoordinationService = { $0 }
    ) async throws -> ServerHarness {
        var options = GRPCServer.Options()
        options.drainLinger = linger
        // Among hundreds of tests one may wait for its turn longer than a client does.
        options.firstByteTimeLimit = nil
        let group = MultiThreadedEventLoopGroup.singleton
        let clock = ManualClock()
        let service = try MemoryService(
            limits: limits, clusterID: 0xcdf8_181e_3266_0e8d,
            member: ServiceMember(
                id: 0x8e9e_05c5_2164_694d, name: "default", peerURLs: ["http://localhost:2380"],
                clientURLs: ["http://localhost:2379"], isLearner: false),
            now: { clock.now })
        let etcd = EtcdServer(service: wrap(service))
        let server = try await GRPCServer.bind(
            to: [SocketAddress(ipAddress: "127.0.0.1", port: port)], group: group, options: options,
            configureHTTP1: { try etcd.configureHTTP1($0) }, makeService: { etcd.makeService(for: $0) })
        let client = try await GRPCTestClient.connect(to: server.localAddresses[0])
        return ServerHarness(service: service, server: server, etcd: etcd, client: client, clock: clock)
    }

    private init(
        service: MemoryService, server: GRPCServer, etcd: EtcdServer, client: GRPCTestClient,
        clock: ManualClock
    ) {
        self.service = service
        self.server = server
        self.etcd = etcd
        self.client = client
        self.clock = clock
    }

    /// Lets so much time pass for leases, which end by nothing else.
    func advance(by span: TimeSpan) {
        clock.advance(by: span)
        service.tick()
    }

    var port: Int { server.localAddresses[0].port! }

    func stop() async throws {
        try? await client.close()
        await etcd.stop()
        await server.stop(grace: .zero)
    }
}

/// Time that passes when a test says so.
private final class ManualClock: Sendable {
    private let time = Mutex(Instant(nanoseconds: 1_000_000_000))
    var now: Instant { time.withLock { $0 } }
    func advance(by span: TimeSpan) { time.withLock { $0 = $0 + span } }
}

/// Runs `body` on a server of its own.
func withServer(
    limits: ServiceLimits = ServiceLimits(), linger: Duration = .milliseconds(500),
    wrap: (MemoryService) -> any CoordinationService = { $0 },
    _ body: (ServerHarness) async throws -> Void
) async throws {
    let harness = try await ServerHarness.start(limits: limits, linger: linger, wrap: wrap)
    do {
        try await body(harness)
    } catch {
        try? await harness.stop()
        throw error
    }
    try await harness.stop()
}

/// Serves on the port that the environment names until the process ends, for tools that need a server without a
/// disk: `SYNOD_ETCD_MEMORY_PORT=26050 swift test --filter memoryServer`.
@Test(
    "a server in memory serves by hand",
    .enabled(
        if: getenv("SYNOD_ETCD_MEMORY_PORT") != nil, "only by hand: SYNOD_ETCD_MEMORY_PORT names the port"))
func memoryServer() async throws {
    let port = Int(String(cString: getenv("SYNOD_ETCD_MEMORY_PORT")))!
    let harness = try await ServerHarness.start(port: port)
    try await harness.server.stopped()
}

extension GRPCServer {
    fileprivate func stopped() async throws { try await Task.sleep(for: .seconds(1_000_000)) }
}
