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
        /// Without it the system queues connections until `accept` is called.
        public var acceptsAtOnce = true
        /// How long a connection of HTTP/1.1, or one on which nothing was said, may still bring a request when the
        /// server drains; its answer says that the connection ends.
        public var drainLinger: Duration = .milliseconds(500)
        /// Bytes read from a socket at a time at most; a connection begins with little and grows into it.
        public var readBytes = 64 << 10
        /// Past so many bytes that the kernel has not taken, a connection produces and reads nothing until
        /// it is below `writeLowWaterBytes` again.
        public var writeHighWaterBytes = 1 << 20
        public var writeLowWaterBytes = 256 << 10

        public init() {}
    }

    /// To a connection's handlers, when the server drains: no new work, and an end when the old is done.
    public struct Draining: Sendable {
        /// How long to wait for a request that may be on its way.
        public let linger: TimeAmount
    }

    /// Why an address cannot be listened on.
    public struct ListenError: Error, CustomStringConvertible {
        public let address: SocketAddress
        public let cause: any Error
        public var description: String { "\(address): \(cause)" }
    }

    private let listeners: [any Channel]
    private let connections: Connections
    private let drainLinger: Duration

    private init(listeners: [any Channel], connections: Connections, drainLinger: Duration) {
        self.listeners = listeners
        self.connections = connections
        self.drainLinger = drainLinger
    }

    /// Binds all addresses or none, and throws `ListenError`. `makeService` is called once per HTTP/2 connection on its event loop.
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
            .serverChannelOption(.autoRead, value: options.acceptsAtOnce)
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
                                try channel.pipeline.syncOperations.addHTTP1Codecs()
                                try configureHTTP1(channel)
                            }))
                    // It was accepted just before the listeners closed.
                    if connections.isDraining { tellOfDraining(channel, linger: options.drainLinger) }
                }
            }
        var listeners: [any Channel] = []
        for address in addresses {
            do {
                listeners.append(try await bootstrap.bind(to: address).get())
            } catch {
                for listener in listeners { try? await listener.close() }
                throw ListenError(address: address, cause: error)
            }
        }
        return GRPCServer(listeners: listeners, connections: connections, drainLinger: options.drainLinger)
    }

    /// Accepts from now on, where `acceptsAtOnce` was off.
    public func accept() async throws {
        for listener in listeners { try await listener.setOption(.autoRead, value: true).get() }
    }

    /// Where it listens, in the order of the addresses given to `bind`; ports that were 0 are real here.
    public var localAddresses: [SocketAddress] { listeners.compactMap(\.localAddress) }

    package var connectionCount: Int { connections.count }

    /// Accepts nothing more, tells every client so, serves what has arrived, and returns when the connections
    /// have ended or after `limit`. Calls that never end by themselves, such as watches, are the service's to end.
    public func drain(limit: Duration) async {
        connections.beginDraining()
        for listener in listeners { try? await listener.close() }
        let open = connections.all
        for channel in open { tellOfDraining(channel, linger: drainLinger) }
        await connections.empty(within: limit)
    }

    /// As `drain`, and closes what is still there after `grace`.
    public func stop(grace: Duration = .seconds(5)) async {
        await drain(limit: grace)
        for channel in connections.all {
            channel.close(promise: nil)
            try? await channel.closeFuture.get()
        }
    }
}

private func tellOfDraining(_ channel: any Channel, linger: Duration) {
    channel.pipeline.fireUserInboundEventTriggered(
        GRPCServer.Draining(linger: .nanoseconds(linger.nanoseconds)))
}

extension ChannelPipeline.SynchronousOperations {
    /// NIO's codecs for a server, with the limits that Go's server has.
    fileprivate func addHTTP1Codecs() throws {
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = 1 << 20
        limits.maxHeaderListSize = 1 << 20
        limits.maxHeaderFieldCount = 16_384
        try addHandlers([
            HTTPResponseEncoder(),
            ByteToMessageHandler(
                HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes, limitConfiguration: limits)),
            HTTPServerPipelineHandler(), HTTPServerProtocolErrorHandler(),
        ])
    }
}

/// The open connections of a server, counted and within reach for its end.
private final class Connections: Sendable {
    private struct State {
        var open: [ObjectIdentifier: any Channel] = [:]
        var isDraining = false
        var waiting: [UInt64: CheckedContinuation<Void, Never>] = [:]
        var lastWaiting: UInt64 = 0
    }
    private let limit: Int
    private let state = Mutex(State())

    init(limit: Int) { self.limit = limit }

    var count: Int { state.withLock { $0.open.count } }
    var all: [any Channel] { state.withLock { Array($0.open.values) } }
    var isDraining: Bool { state.withLock { $0.isDraining } }

    func beginDraining() { state.withLock { $0.isDraining = true } }

    /// Returns when no connection is open, or after `limit`.
    func empty(within limit: Duration) async {
        await withCheckedContinuation { continuation in
            let number = state.withLock { state -> UInt64? in
                guard !state.open.isEmpty, limit > .zero else { return nil }
                state.lastWaiting += 1
                state.waiting[state.lastWaiting] = continuation
                return state.lastWaiting
            }
            guard let number else { return continuation.resume() }
            Task {
                try? await Task.sleep(for: limit)
                state.withLock { $0.waiting.removeValue(forKey: number) }?.resume()
            }
        }
    }

    /// False when there are too many already.
    func insert(_ channel: any Channel) -> Bool {
        let key = ObjectIdentifier(channel)
        let isWelcome = state.withLock { state in
            guard state.open.count < limit else { return false }
            state.open[key] = channel
            return true
        }
        if isWelcome { channel.closeFuture.whenComplete { [weak self] _ in self?.remove(key) } }
        return isWelcome
    }

    private func remove(_ key: ObjectIdentifier) {
        let waiting = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            state.open[key] = nil
            guard state.open.isEmpty else { return [] }
            defer { state.waiting = [:] }
            return Array(state.waiting.values)
        }
        for continuation in waiting { continuation.resume() }
    }
}
