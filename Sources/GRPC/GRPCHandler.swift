import NIOCore

/// Carries the bytes between a channel and its `HTTP2Session`.
///
/// Everything that one read of the socket brings is answered with one write, when the read is complete.
/// Answers that come at other times leave together at the end of the event loop's turn, or at `flush`.
/// While the channel cannot take more, nothing more is produced and nothing more is read: what waits then
/// is bounded by what the client has already asked for.
final class GRPCHandler: ChannelInboundHandler, ChannelOutboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = Never
    typealias OutboundOut = ByteBuffer

    private let settings: GRPCSettings
    private let makeService: @Sendable (any GRPCConnection) -> any GRPCService
    private var context: ChannelHandlerContext?
    private var session: HTTP2Session?

    private var isReading = false
    private var isFlushing = false
    private var flushIsScheduled = false
    private var readIsHeldBack = false
    private var isClosing = false
    private var deadlineTimer: (at: Int64, task: Scheduled<Void>)?
    private var keepaliveTimer: Scheduled<Void>?
    private var drainTimer: Scheduled<Void>?
    private var lastReadAt: Int64 = 0

    /// How long the answer to the ping that precedes the end of a connection may take.
    private static let drainAnswerLimit = TimeAmount.seconds(1)
    /// About what one write hands to the kernel.
    private static let writeBytes = 256 << 10
    /// After so much, other connections of the event loop have their turn.
    private static let turnBytes = 1 << 20

    init(
        settings: GRPCSettings, makeService: @escaping @Sendable (any GRPCConnection) -> any GRPCService
    ) {
        self.settings = settings
        self.makeService = makeService
    }

    // MARK: Life

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { start(context) }
    }

    func channelActive(context: ChannelHandlerContext) {
        start(context)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        stop()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        stop()
        self.context = nil
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // Whatever the socket complains about, the connection is over.
        context.close(promise: nil)
    }

    private func start(_ context: ChannelHandlerContext) {
        guard session == nil else { return }
        let session = HTTP2Session(settings: settings, service: makeService(self))
        session.now = Self.clock()
        session.onWork = { [unowned self] in scheduleFlush() }
        self.session = session
        lastReadAt = session.now
        scheduleKeepalive(context)
        flush()
    }

    private func stop() {
        deadlineTimer?.task.cancel()
        deadlineTimer = nil
        keepaliveTimer?.cancel()
        keepaliveTimer = nil
        drainTimer?.cancel()
        session?.close()
        session = nil
    }

    // MARK: Reading

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard let session else { return }
        isReading = true
        session.now = Self.clock()
        lastReadAt = session.now
        unwrapInboundIn(data).withUnsafeReadableBytes { session.receive($0) }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        session?.receiveComplete()
        isReading = false
        flush()
        armDeadlineTimer(context)
        context.fireChannelReadComplete()
    }

    func read(context: ChannelHandlerContext) {
        if context.channel.isWritable { context.read() } else { readIsHeldBack = true }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is GRPCServer.Draining, drainTimer == nil, let session {
            session.shutDown()
            // A client that does not answer is not about to open calls.
            drainTimer = context.eventLoop.assumeIsolated().scheduleTask(in: Self.drainAnswerLimit) {
                [self] in
                session.finishShutDown()
                flush()
            }
            flush()
        }
        context.fireUserInboundEventTriggered(event)
    }

    // MARK: Writing

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            flush()
            if readIsHeldBack, context.channel.isWritable {
                readIsHeldBack = false
                context.read()
            }
        }
        context.fireChannelWritabilityChanged()
    }

    func flush() {
        guard !isFlushing, !isReading, let context, let session else { return }
        isFlushing = true
        var written = 0
        while context.channel.isWritable, written < Self.turnBytes {
            session.fillOutput(limit: Self.writeBytes)
            let output = session.output
            written += output.count
            if output.count > 0 {
                var buffer = context.channel.allocator.buffer(capacity: output.count)
                buffer.writeBytes(output)
                session.clearOutput()
                context.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
            }
            session.notifyDrained()
            if output.count == 0 { break }
        }
        isFlushing = false
        if written >= Self.turnBytes { continueAfterOthers(context) }
        if session.isFinished { closeAfterOutput(context) }
    }

    /// The session has said its last: the connection ends when the client has taken it, or soon.
    private func closeAfterOutput(_ context: ChannelHandlerContext) {
        guard !isClosing else { return }
        isClosing = true
        let channel = context.channel
        context.writeAndFlush(wrapOutboundOut(ByteBuffer())).whenComplete { _ in
            channel.close(promise: nil)
        }
        let timeLimit = context.eventLoop.scheduleTask(in: .seconds(5)) { channel.close(promise: nil) }
        channel.closeFuture.whenComplete { _ in timeLimit.cancel() }
    }

    private func scheduleFlush() {
        guard !isReading, !isFlushing, !flushIsScheduled, let context else { return }
        flushIsScheduled = true
        context.eventLoop.assumeIsolated().execute { [self] in
            flushIsScheduled = false
            flush()
        }
    }

    /// A task that is due at once would run before other sockets are looked at.
    private func continueAfterOthers(_ context: ChannelHandlerContext) {
        guard !flushIsScheduled else { return }
        flushIsScheduled = true
        context.eventLoop.assumeIsolated().scheduleTask(in: .microseconds(10)) { [self] in
            flushIsScheduled = false
            flush()
        }
    }

    // MARK: Time

    private static func clock() -> Int64 { Int64(NIODeadline.now().uptimeNanoseconds) }

    /// One timer for all calls of the connection: at the earliest deadline.
    private func armDeadlineTimer(_ context: ChannelHandlerContext) {
        guard let session, session.nextDeadline != .max else { return }
        if let armed = deadlineTimer {
            guard session.nextDeadline < armed.at else { return }
            armed.task.cancel()
        }
        let at = session.nextDeadline
        let task = context.eventLoop.assumeIsolated().scheduleTask(
            deadline: .uptimeNanoseconds(UInt64(max(0, at)))
        ) { [self] in onDeadline() }
        deadlineTimer = (at, task)
    }

    private func onDeadline() {
        deadlineTimer = nil
        guard let session, let context else { return }
        session.now = Self.clock()
        session.onDeadline()
        flush()
        armDeadlineTimer(context)
    }

    private func scheduleKeepalive(_ context: ChannelHandlerContext) {
        guard let interval = settings.keepaliveInterval?.nanoseconds else { return }
        let quiet = Self.clock() - lastReadAt
        keepaliveTimer = context.eventLoop.assumeIsolated().scheduleTask(
            in: .nanoseconds(max(0, interval - quiet))
        ) { [self] in onQuiet(interval) }
    }

    private func onQuiet(_ interval: Int64) {
        guard let session, let context else { return }
        guard Self.clock() - lastReadAt >= interval else {
            scheduleKeepalive(context)
            return
        }
        session.sendPing()
        let askedAt = lastReadAt
        keepaliveTimer = context.eventLoop.assumeIsolated().scheduleTask(
            in: .nanoseconds(settings.keepaliveTimeout.nanoseconds)
        ) { [self] in
            guard let context = self.context else { return }
            if lastReadAt == askedAt { close() } else { scheduleKeepalive(context) }
        }
    }
}

extension GRPCHandler: GRPCConnection {
    var eventLoop: any EventLoop {
        guard let context else { preconditionFailure("a connection is asked for its loop before it has one") }
        return context.eventLoop
    }

    var remoteAddress: SocketAddress? { context?.remoteAddress }

    func close() { context?.close(promise: nil) }
}
