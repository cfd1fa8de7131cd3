import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// Listens on one or several addresses and serves gRPC over HTTP/2 and HTTP/1.1 on each.
public final class GRPCServer: Sendable {
    public struct Options: Sendable {
        public var grpc = GRPCSettings()
        /// Connections open at once, over all addresses; one more is closed as soon as it is accepted. Nil
        /// for no limit.
        public var maxConnections: Int?
        /// How long a new connection may be silent; nil for ever.
        public var firstByteTimeLimit: Duration? = .seconds(60)
        public var backlog: Int32 = 1024
        /// Bytes read from a socket at a time at most; a connection begins with little and grows into it.
        public var readBytes = 64 << 10
        /// Past so many bytes that the kernel has not taken, a connection produces and reads nothing until
        /// it is below `writeLowWaterBytes` again.
        public var writeHighWaterBytes = 1 << 20
        public var writeLowWaterBytes = 256 << 10

        public init() {}
    }

    private let listeners: [any Channel]
    private let connections: Connections

    private init(listeners: [any Channel], connections: Connections) {
        self.listeners = listeners
        self.connections = connections
    }

    /// Binds all addresses or none. `makeService` is called once per HTTP/2 connection on its event loop.
    /// `configureHTTP1` adds what serves `HTTPServerRequestPart` to a channel that already has NIO's
    /// HTTP/1.1 codecs; without it HTTP/1.1 connections are closed.
    public static func bind(
        to addresses: [SocketAddress], group: any EventLoopGroup, options: Options = Options(),
        configureHTTP1: (@Sendable (any Channel) throws -> Void)? = nil,
        makeService: @escaping @Sendable (any GRPCConnection) -> any GRPCService
    ) async throws -> GRPCServer {
        let connections = Connections(limit: options.maxConnections ?? .max)
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: options.backlog)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(
                .recvAllocator,
                value: AdaptiveRecvByteBufferAllocator(
                    minimum: 512, initial: min(2048, options.readBytes), maximum: options.readBytes)
            )
            .childChannelOption(
                .writeBufferWaterMark,
                value: .init(low: options.writeLowWaterBytes, high: options.writeHighWaterBytes)
            )
            .childChannelInitializer { channel in
                guard connections.insert(channel) else { return channel.close() }
                return channel.eventLoop.makeCompletedFuture {
                    if channel.remoteAddress?.protocol != .unix {
                        try channel.syncOptions?.setOption(.tcpOption(.tcp_nodelay), value: 1)
                    }
                    try channel.pipeline.syncOperations.addHandler(
                        ProtocolSniffer(
                            timeLimit: options.firstByteTimeLimit,
                            onHTTP2: { channel in
                                try channel.pipeline.syncOperations.addHandler(
                                    GRPCHandler(settings: options.grpc, makeService: makeService))
                            },
                            onHTTP1: { channel in
                                guard let configureHTTP1 else {
                                    channel.close(promise: nil)
                                    return
                                }
                                try channel.pipeline.syncOperations.configureHTTPServerPipeline(
                                    withErrorHandling: true)
                                try configureHTTP1(channel)
                            }))
                }
            }
        var listeners: [any Channel] = []
        do {
            for address in addresses { listeners.append(try await bootstrap.bind(to: address).get()) }
        } catch {
            for listener in listeners { try? await listener.close() }
            throw error
        }
        return GRPCServer(listeners: listeners, connections: connections)
    }

    /// Where it listens, in the order of the addresses given to `bind`; ports that were 0 are real here.
    public var localAddresses: [SocketAddress] { listeners.compactMap(\.localAddress) }

    public var connectionCount: Int { connections.count }

    /// Accepts nothing more, lets open calls end, and after `grace` closes what is still there. Calls that
    /// never end by themselves, such as watches, are the service's to end.
    public func stop(grace: Duration = .seconds(5)) async {
        for listener in listeners { try? await listener.close() }
        let open = connections.all
        for channel in open {
            channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
        }
        for channel in open {
            channel.eventLoop.scheduleTask(in: .nanoseconds(grace.nanoseconds)) {
                channel.close(promise: nil)
            }
        }
        for channel in open { try? await channel.closeFuture.get() }
    }
}

/// The open connections of a server, counted and within reach for its end.
private final class Connections: Sendable {
    private let limit: Int
    private let open = Mutex<[ObjectIdentifier: any Channel]>([:])

    init(limit: Int) { self.limit = limit }

    var count: Int { open.withLock { $0.count } }
    var all: [any Channel] { open.withLock { Array($0.values) } }

    /// False when there are too many already.
    func insert(_ channel: any Channel) -> Bool {
        let key = ObjectIdentifier(channel)
        let isWelcome = open.withLock { open in
            guard open.count < limit else { return false }
            open[key] = channel
            return true
        }
        if isWelcome {
            channel.closeFuture.whenComplete { [weak self] _ in
                _ = self?.open.withLock { $0.removeValue(forKey: key) }
            }
        }
        return isWelcome
    }
}
