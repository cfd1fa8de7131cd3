import Automata
import NIOCore
import NIOPosix
import Synchronization

/// This process's sending side towards one member: a connection that it makes and keeps, on which only it
/// speaks after the greeting. (The other's messages arrive on a connection that the other has made, so that
/// nobody has to decide which of two to keep.)
///
/// While there is no connection, and past `queueLimitBytes`, messages are dropped: the replicated protocol
/// tolerates loss, and what is late is worth less than what is new.
final class PeerLink: @unchecked Sendable {
    let peer: ProcessID
    private let greeting: PeerGreeting
    private let loop: any EventLoop
    private let instruments: Instruments
    private let report: Reporter
    private let queueLimitBytes: Int

    private struct Queue {
        var bytes = ByteBuffer()
        var isConnected = false
        var isFlushScheduled = false
        var dropped: UInt64 = 0
    }
    private let queue = Mutex(Queue())

    // The rest belongs to the event loop.
    private var urls: [PeerURL]
    private var nextURL = 0
    private var channel: (any Channel)?
    private var failures = 0
    private var lastReason = ""
    private var hasBeenConnected = false
    /// Where it connects, or has last tried to.
    private var address = ""
    private var isClosed = false

    init(
        peer: ProcessID, urls: [PeerURL], greeting: PeerGreeting, loop: any EventLoop,
        queueLimitBytes: Int, instruments: Instruments,
        report: Reporter
    ) {
        self.peer = peer
        self.urls = urls
        self.greeting = greeting
        self.loop = loop
        self.queueLimitBytes = queueLimitBytes
        self.instruments = instruments
        self.report = report
    }

    func start() { loop.execute { self.connect() } }

    func use(urls: [PeerURL]) {
        loop.execute {
            guard self.urls != urls else { return }
            self.urls = urls
            self.nextURL = 0
        }
    }

    /// Whether messages have somewhere to go at this moment. Any thread.
    var isConnected: Bool { queue.withLock { $0.isConnected } }

    // MARK: sending, any thread

    /// Queues one frame; it leaves with the next `flush`.
    func enqueue(_ frame: [UInt8]) {
        queue.withLock { queue in
            guard queue.isConnected, queue.bytes.readableBytes + frame.count <= queueLimitBytes else {
                queue.dropped += 1
                return
            }
            queue.bytes.writeBytes(frame)
        }
    }

    func flush() {
        let schedules = queue.withLock { queue in
            guard queue.isConnected, !queue.isFlushScheduled, queue.bytes.readableBytes > 0 else {
                return false
            }
            queue.isFlushScheduled = true
            return true
        }
        if schedules { loop.execute { self.writeQueued() } }
    }

    /// Frames that found no connection or no room since the last call.
    func takeDropped() -> UInt64 {
        queue.withLock { queue in
            defer { queue.dropped = 0 }
            return queue.dropped
        }
    }

    // MARK: on the event loop

    /// While the socket takes nothing, messages gather in the queue; `writable` calls again.
    fileprivate func writeQueued() {
        guard let channel, channel.isWritable else {
            queue.withLock { $0.isFlushScheduled = false }
            return
        }
        let bytes = queue.withLock { queue in
            queue.isFlushScheduled = false
            let bytes = queue.bytes
            queue.bytes = ByteBuffer()
            return bytes
        }
        guard bytes.readableBytes > 0 else { return }
        instruments.peerBytesSent.add(bytes.readableBytes)
        channel.writeAndFlush(bytes, promise: nil)
    }

    private func connect() {
        guard !isClosed, channel == nil, !urls.isEmpty else { return }
        let url = urls[nextURL % urls.count]
        nextURL += 1
        address = "\(url)"
        ClientBootstrap(group: loop)
            .channelOption(ChannelOptions.socketOption(.so_reuseaddr), value: 1)
            .channelOption(ChannelOptions.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(ChannelOptions.socketOption(.so_keepalive), value: 1)
            .channelOption(
                ChannelOptions.writeBufferWaterMark, value: .init(low: 1 << 20, high: 4 << 20)
            )
            .connectTimeout(.seconds(3))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(PeerLinkHandler(self, self.greeting))
                }
            }
            .connect(host: url.host, port: url.port)
            .whenFailure { error in self.onFailure(reason(of: error)) }
    }

    fileprivate func onWelcome(_ channel: any Channel) {
        if isClosed {
            channel.close(promise: nil)
            return
        }
        self.channel = channel
        let again: LogLine = hasBeenConnected ? " again" : ""
        report(
            .info,
            "connected to \(member: peer, as: "remote-member-id") at \(address, as: "remote-addr")" + again)
        hasBeenConnected = true
        failures = 0
        lastReason = ""
        queue.withLock { queue in
            queue.bytes = ByteBuffer()
            queue.isConnected = true
            queue.isFlushScheduled = false
        }
        instruments.activePeers.add(1)
    }

    fileprivate func onClosed(_ channel: any Channel, reason: String) {
        if self.channel === channel {
            self.channel = nil
            queue.withLock { queue in
                queue.bytes = ByteBuffer()
                queue.isConnected = false
            }
            instruments.activePeers.add(-1)
        }
        onFailure(reason)
    }

    /// Tries again after 20 ms, then after twice as long each time up to a second, and up to half of that
    /// again, so that members that wait for each other do not march in step.
    private func onFailure(_ reason: String) {
        guard !isClosed else { return }
        if reason != lastReason {
            report(
                .warning,
                "no connection to \(member: peer, as: "remote-member-id") at "
                    + "\(address, as: "remote-addr"): \(reason, as: "error")")
            lastReason = reason
        }
        let delay = min(1000, 20 << min(failures, 6))
        failures += 1
        let jitter = Int64.random(in: 0...Int64(delay / 2))
        loop.scheduleTask(in: .milliseconds(Int64(delay) + jitter)) { self.connect() }
    }

    /// Sends what is queued and closes. Any thread.
    func close() {
        loop.execute {
            self.isClosed = true
            self.writeQueued()
            self.queue.withLock { $0.isConnected = false }
            self.channel?.close(promise: nil)
        }
    }
}

/// Greets, hears the verdict, then only listens for the end of the connection.
private final class PeerLinkHandler: ChannelInboundHandler, @unchecked Sendable {
    typealias InboundIn = ByteBuffer

    private let link: PeerLink
    private let greeting: PeerGreeting
    private var reader = PeerFrameReader()
    private var isWelcome = false
    private var reason = "the connection was closed"

    init(_ link: PeerLink, _ greeting: PeerGreeting) {
        self.link = link
        self.greeting = greeting
    }

    func channelActive(context: ChannelHandlerContext) {
        let frame = PeerFrame.encoded(.greeting) { greeting.encode(into: &$0) }
        context.writeAndFlush(NIOAny(ByteBuffer(bytes: frame)), promise: nil)
        let channel = context.channel
        context.eventLoop.scheduleTask(in: .seconds(5)) {
            guard !self.isWelcome, channel.isActive else { return }
            self.reason = "it does not answer the greeting"
            channel.close(promise: nil)
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        reader.receive(unwrapInboundIn(data))
        do {
            let wasWelcome = isWelcome
            while try reader.next(limit: 4096, { kind, body in try onFrame(kind, body) }) {}
            // After the reader, because a write that finds the peer gone reads again before it returns.
            if isWelcome, !wasWelcome { link.onWelcome(context.channel) }
        } catch {
            reason = "\(error)"
            context.close(promise: nil)
        }
    }

    private func onFrame(
        _ kind: PeerFrameKind, _ body: UnsafeRawBufferPointer
    ) throws {
        guard kind == .greetingAnswer, !isWelcome else {
            throw PeerProtocolError("a frame that is out of place")
        }
        let answer = try PeerGreetingAnswer(decoding: body)
        guard answer.verdict == .welcome else {
            throw PeerProtocolError(answer.reason(for: greeting))
        }
        isWelcome = true
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if isWelcome, context.channel.isWritable { link.writeQueued() }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        reason = Runtime.reason(of: error)
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) { link.onClosed(context.channel, reason: reason) }
}
