import Coordination
import EtcdDialect
import GRPC
import NIOCore
import NIOPosix

/// Where clients and operators come in: one port for gRPC, JSON and pages, and further ports for pages alone.
struct ClientDoors: Sendable {
    private let etcd: EtcdServer
    private let calls: GRPCServer
    private let pages: GRPCServer?

    /// Listens on all addresses or none.
    static func open(
        _ settings: ServeSettings, service: any CoordinationService, loops: any EventLoopGroup
    ) async throws -> ClientDoors {
        let etcd = EtcdServer(service: service)
        var options = GRPCServer.Options()
        options.grpc = settings.grpc
        let calls = try await GRPCServer.bind(
            to: try settings.listenClientURLs.map(address), group: loops, options: options,
            configureHTTP1: { try etcd.configureHTTP1($0) }, makeService: { etcd.makeService(for: $0) })
        var pages: GRPCServer?
        if !settings.listenMetricsURLs.isEmpty {
            pages = try await GRPCServer.bind(
                to: try settings.listenMetricsURLs.map(address), group: loops, options: options,
                configureHTTP1: { try etcd.configureMetrics($0) }, makeService: { etcd.makeService(for: $0) })
        }
        return ClientDoors(etcd: etcd, calls: calls, pages: pages)
    }

    /// Accepts nobody any more, ends the calls that are open, and closes what has not left by then.
    func close() async {
        async let calls: Void = calls.stop(grace: .seconds(1))
        async let pages: Void? = pages?.stop(grace: .seconds(1))
        await etcd.stop()
        _ = await (calls, pages)
    }

    /// `localhost` is the loopback address of the older kind, as etcd has it.
    private static func address(_ url: ServerURL) throws -> SocketAddress {
        if let path = url.socketPath { return try SocketAddress(unixDomainSocketPath: path) }
        return try SocketAddress(
            ipAddress: url.host == "localhost" ? "127.0.0.1" : url.host, port: Int(url.port))
    }
}
