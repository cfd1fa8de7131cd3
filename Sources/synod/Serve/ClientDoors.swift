import Coordination
import EtcdDialect
import GRPC
import Glibc
import NIOCore
import NIOPosix
import Runtime
import Synchronization

/// Where clients and operators come in: one port for gRPC, JSON and pages, and further ports for pages alone.
///
/// The addresses are taken before the member takes part in anything, so that one which is taken already costs
/// the cluster nothing; who connects is heard once the doors are opened.
final class ClientDoors: Sendable {
    private let calls: GRPCServer
    private let pages: GRPCServer?
    private let sockets: [String]
    private let etcd: Hall

    /// Listens on all addresses or none. Throws `DoorError`.
    static func listen(_ settings: ServeSettings, loops: any EventLoopGroup) async throws -> ClientDoors {
        let etcd = Hall()
        var options = GRPCServer.Options()
        options.grpc = settings.grpc
        options.acceptsAtOnce = false
        let calls = try await bind(
            settings.listenClientURLs, "clients", loops, options, etcd
        ) { try $0.configureHTTP1($1) }
        var pages: GRPCServer?
        do {
            if !settings.listenMetricsURLs.isEmpty {
                pages = try await bind(settings.listenMetricsURLs, "metrics", loops, options, etcd) {
                    try $0.configureMetrics($1)
                }
            }
        } catch {
            await calls.stop(grace: .zero)
            throw error
        }
        let sockets = (settings.listenClientURLs + settings.listenMetricsURLs).compactMap(\.socketPath)
        return ClientDoors(calls: calls, pages: pages, sockets: sockets, etcd: etcd)
    }

    private init(calls: GRPCServer, pages: GRPCServer?, sockets: [String], etcd: Hall) {
        self.calls = calls
        self.pages = pages
        self.sockets = sockets
        self.etcd = etcd
    }

    private static func bind(
        _ urls: [ServerURL], _ audience: String, _ loops: any EventLoopGroup, _ options: GRPCServer.Options,
        _ etcd: Hall, _ configure: @escaping @Sendable (EtcdServer, any Channel) throws -> Void
    ) async throws -> GRPCServer {
        var addresses: [SocketAddress] = []
        for url in urls {
            do { addresses.append(try address(url)) } catch {
                throw DoorError(audience: audience, url: url, reason: reason(of: error))
            }
        }
        do {
            return try await GRPCServer.bind(
                to: addresses, group: loops, options: options,
                configureHTTP1: { try configure(etcd.server, $0) },
                makeService: { etcd.server.makeService(for: $0) })
        } catch let error as GRPCServer.ListenError {
            let index = addresses.firstIndex(of: error.address) ?? 0
            throw DoorError(audience: audience, url: urls[index], reason: reason(of: error.cause))
        }
    }

    /// `localhost` is the loopback address of the older kind, as etcd has it. What an ended server has left of its
    /// socket is taken away.
    private static func address(_ url: ServerURL) throws -> SocketAddress {
        guard let path = url.socketPath else {
            return try SocketAddress(
                ipAddress: url.host == "localhost" ? "127.0.0.1" : url.host, port: Int(url.port))
        }
        let address = try SocketAddress(unixDomainSocketPath: path)
        if isAbandonedSocket(path) { unlink(path) }
        return address
    }

    /// A socket on which nobody listens.
    private static func isAbandonedSocket(_ path: String) -> Bool {
        var status = stat()
        guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK else { return false }
        return UnixSocket.connect(.stream, to: path).map { Glibc.close($0) } == nil && errno == ECONNREFUSED
    }

    /// Hears who has connected and who will.
    func open(_ service: any CoordinationService) async throws {
        etcd.open(EtcdServer(service: service))
        try await calls.accept()
        try await pages?.accept()
    }

    /// Accepts nobody any more, tells who is there so, and serves what has arrived; then streams end and connections
    /// close. Returns when all have, or after `limit`.
    func drain(limit: Duration) async {
        async let calls: Void = calls.drain(limit: limit)
        async let pages: Void? = pages?.drain(limit: limit)
        etcd.serverIfOpen?.drain()
        _ = await (calls, pages)
    }

    /// Ends what is still open.
    func close() async {
        await etcd.serverIfOpen?.stop()
        async let calls: Void = calls.stop(grace: .milliseconds(200))
        async let pages: Void? = pages?.stop(grace: .milliseconds(200))
        _ = await (calls, pages)
        for path in sockets { unlink(path) }
    }
}

/// An address on which nobody can be heard.
struct DoorError: Error, CustomStringConvertible {
    /// For whom it was meant.
    let audience: String
    let url: ServerURL
    let reason: String

    var description: String { "cannot listen for \(audience) on \(url.text): \(reason)" }
}

/// Where connections find the server once there is one.
private final class Hall: Sendable {
    private let state = Mutex<EtcdServer?>(nil)

    func open(_ server: EtcdServer) { state.withLock { $0 = server } }

    var serverIfOpen: EtcdServer? { state.withLock { $0 } }

    var server: EtcdServer {
        guard let server = serverIfOpen else {
            preconditionFailure("a connection was accepted before there was anything to serve it")
        }
        return server
    }
}
