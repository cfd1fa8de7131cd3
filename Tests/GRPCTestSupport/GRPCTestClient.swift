import NIOCore
import NIOPosix

/// How a call ended, as the client saw it.
public struct GRPCTestReply: Sendable {
    public var messages: [[UInt8]]
    /// `grpc-status`; nil when the stream ended without one.
    public var code: Int?
    /// `grpc-message`, decoded.
    public var message: String
    public var httpStatus: String
    public var headers: [(name: String, value: String)]
    public var trailers: [(name: String, value: String)]
    /// The HTTP/2 error code if the server reset the stream.
    public var resetCode: UInt32?

    public init(_ exchange: HTTP2TestSession.Exchange, messages: [[UInt8]]) {
        self.messages = messages
        let ending = exchange.trailers + exchange.headers
        func value(_ name: String) -> String? { ending.first { $0.name == name }?.value }
        code = value("grpc-status").flatMap { Int($0) }
        message = GRPCWire.decodeMessage(value("grpc-message") ?? "")
        httpStatus = value(":status") ?? ""
        headers = exchange.headers
        trailers = exchange.trailers
        resetCode = exchange.resetCode
    }
}

public enum GRPCTestError: Error { case connectionClosed, timedOut }

/// A gRPC client on one connection, for tests. Safe to use from any task.
public final class GRPCTestClient: Sendable {
    private let channel: any Channel
    private let handler: NIOLoopBound<GRPCTestHandler>

    private init(channel: any Channel, handler: NIOLoopBound<GRPCTestHandler>) {
        self.channel = channel
        self.handler = handler
    }

    /// `window` is what the server may send ahead on one call, in bytes.
    public static func connect(
        to address: SocketAddress, window: UInt32 = 65_535,
        group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
    ) async throws -> GRPCTestClient {
        try await ClientBootstrap(group: group)
            .connect(to: address)
            .flatMapThrowing { channel in
                let handler = GRPCTestHandler(window: window, eventLoop: channel.eventLoop)
                try channel.pipeline.syncOperations.addHandler(handler)
                return GRPCTestClient(
                    channel: channel, handler: NIOLoopBound(handler, eventLoop: channel.eventLoop))
            }.get()
    }

    public static func connect(host: String = "127.0.0.1", port: Int) async throws -> GRPCTestClient {
        try await connect(to: SocketAddress(ipAddress: host, port: port))
    }

    /// One request, and everything that comes back until the call has ended.
    public func unary(
        _ path: String, _ message: [UInt8], metadata: [(name: String, value: String)] = [],
        timeout: String? = nil
    ) async throws -> GRPCTestReply {
        let call = try await open(path, metadata: metadata, timeout: timeout)
        call.send(message, ends: true)
        return try await call.reply()
    }

    /// Opens a call whose messages go both ways. `timeout` is the `grpc-timeout` header, such as `500m`.
    public func open(
        _ path: String, metadata: [(name: String, value: String)] = [], timeout: String? = nil
    ) async throws -> GRPCTestCall {
        let handler = handler
        return try await channel.eventLoop.submit {
            try handler.value.open(GRPCWire.fields(path, metadata: metadata, timeout: timeout), handler)
        }.get()
    }

    /// Sends a ping and returns once `count` answers in all have come.
    public func ping(answers count: Int = 1) async throws {
        let handler = handler
        try await channel.eventLoop.flatSubmit { handler.value.ping(answers: count) }.get()
    }

    /// The GOAWAYs that the server sent.
    public var goAways: [HTTP2TestSession.GoAway] {
        get async throws {
            let handler = handler
            return try await channel.eventLoop.submit { handler.value.session.goAways }.get()
        }
    }

    /// Stops or resumes reading from the socket.
    public func setReading(_ reads: Bool) async throws {
        try await channel.setOption(.autoRead, value: reads).get()
    }

    /// Returns once the connection is closed, by whomever.
    public func waitUntilClosed() async throws { try await channel.closeFuture.get() }

    public func close() async throws { try await channel.close() }
}

/// One call in both directions.
public final class GRPCTestCall: Sendable {
    private let id: Int32
    private let handler: NIOLoopBound<GRPCTestHandler>
    private let eventLoop: any EventLoop

    fileprivate init(id: Int32, handler: NIOLoopBound<GRPCTestHandler>, eventLoop: any EventLoop) {
        self.id = id
        self.handler = handler
        self.eventLoop = eventLoop
    }

    public func send(_ message: [UInt8], ends: Bool = false) {
        sendRaw(GRPCWire.frame(message), ends: ends)
    }

    /// Bytes without a prefix of their own.
    public func sendRaw(_ bytes: [UInt8], ends: Bool = false) {
        eventLoop.execute { [handler, id] in
            handler.value.session.send(id, bytes, ends: ends)
            handler.value.flush()
        }
    }

    public func halfClose() { sendRaw([], ends: true) }

    public func reset() {
        eventLoop.execute { [handler, id] in
            handler.value.session.reset(id)
            handler.value.flush()
        }
    }

    /// The next message; nil when the call has ended.
    public func next() async throws -> [UInt8]? {
        try await eventLoop.flatSubmit { [handler, id] in handler.value.next(id) }.get()
    }

    /// Waits for the end of the call; `messages` are those that `next` has not taken.
    public func reply() async throws -> GRPCTestReply {
        try await eventLoop.flatSubmit { [handler, id] in handler.value.reply(id) }.get()
    }
}

private final class GRPCTestHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private struct Waiting {
        var taken = 0
        var next: [EventLoopPromise<[UInt8]?>] = []
        var end: [EventLoopPromise<GRPCTestReply>] = []
    }

    let session: HTTP2TestSession
    private var context: ChannelHandlerContext?
    private var waiting: [Int32: Waiting] = [:]
    private var pings: [(count: Int, promise: EventLoopPromise<Void>)] = []
    private var isClosed = false

    private let eventLoop: any EventLoop

    init(window: UInt32, eventLoop: any EventLoop) {
        session = HTTP2TestSession(window: window)
        self.eventLoop = eventLoop
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        session.onChange = { [unowned self] id in update(id) }
        flush()
    }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        session.receive(unwrapInboundIn(data).readableBytesView)
    }

    func channelReadComplete(context: ChannelHandlerContext) { flush() }

    func channelInactive(context: ChannelHandlerContext) {
        isClosed = true
        for id in waiting.keys { update(id) }
        for ping in pings { ping.promise.fail(GRPCTestError.connectionClosed) }
        pings = []
        context.fireChannelInactive()
    }

    func flush() {
        guard let context, context.channel.isActive else { return }
        let output = session.takeOutput()
        if !output.isEmpty { context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: output)), promise: nil) }
    }

    func open(
        _ fields: [(name: String, value: String)], _ bound: NIOLoopBound<GRPCTestHandler>
    ) throws -> GRPCTestCall {
        guard !isClosed else { throw GRPCTestError.connectionClosed }
        let id = session.request(fields, ends: false)
        waiting[id] = Waiting()
        flush()
        return GRPCTestCall(id: id, handler: bound, eventLoop: eventLoop)
    }

    func ping(answers: Int) -> EventLoopFuture<Void> {
        let promise = eventLoop.makePromise(of: Void.self)
        pings.append((answers, promise))
        session.ping()
        flush()
        return promise.futureResult
    }

    func next(_ id: Int32) -> EventLoopFuture<[UInt8]?> {
        let promise = eventLoop.makePromise(of: [UInt8]?.self)
        waiting[id]?.next.append(promise)
        update(id)
        return promise.futureResult
    }

    func reply(_ id: Int32) -> EventLoopFuture<GRPCTestReply> {
        let promise = eventLoop.makePromise(of: GRPCTestReply.self)
        waiting[id]?.end.append(promise)
        update(id)
        return promise.futureResult
    }

    private func update(_ id: Int32) {
        while let ping = pings.first, session.pingAnswers >= ping.count {
            pings.removeFirst()
            ping.promise.succeed()
        }
        guard let exchange = session.exchanges[id], var state = waiting[id] else { return }
        let ended = exchange.isClosed || isClosed
        guard !state.next.isEmpty || ended else { return }
        let messages = exchange.messages
        while !state.next.isEmpty, state.taken < messages.count {
            state.next.removeFirst().succeed(messages[state.taken])
            state.taken += 1
        }
        if ended {
            for promise in state.next { promise.succeed(nil) }
            state.next = []
            for promise in state.end {
                if exchange.isClosed {
                    promise.succeed(
                        GRPCTestReply(exchange, messages: Array(messages.dropFirst(state.taken))))
                } else {
                    promise.fail(GRPCTestError.connectionClosed)
                }
            }
            state.end = []
        }
        waiting[id] = state
    }
}
