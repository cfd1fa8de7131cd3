import Automata
import Coordination
import NIOCore
import NIOPosix
import PeerLinks
import Synchronization

/// One connection that this process makes to a member and keeps, on which only it speaks after the greeting: the
/// other side says now and then that it is there. (The other's messages arrive on connections that the other has
/// made, so that nobody has to decide which of two to keep.)
///
/// While there is no connection, and past what it can carry, frames are dropped: the replicated protocol tolerates
/// loss, and what is late is worth less than what is new.
final class PeerConnection: @unchecked Sendable {
    /// What is handed to the socket at once; the rest waits here, where its size is known.
    private static let sliceBytes = 256 << 10
    /// Fewer bytes are not counted while nothing else waits, and otherwise count as carried when they are written: to
    /// hear when they have left costs more than the write. What the count misses of them on a slow link is bounded, as
    /// nothing is written while a slice waits.
    private static let uncountedBytes = 4 << 10
    /// What the kernel keeps of the bulk beyond what is on its way. More would only hide what the link carries.
    private static let unsentBytes = 128 << 10

    let purpose: PeerGreeting.Purpose
    let times: LinkTimes
    private let greeting: PeerGreeting
    private let loop: any EventLoop
    private let instruments: Instruments
    /// Told of every change, on the event loop: whether there is a connection, where, and when there is none, why.
    typealias Changed = @Sendable (_ isConnected: Bool, _ address: String, _ reason: String) -> Void
    private let changed: Changed

    private struct Queue {
        var bytes = ByteBuffer()
        /// Of `bytes`, what the budget does not know of.
        var uncounted = 0
        var budget: SendBudget
        var isConnected = false
        /// As the peer said when it was last reached; nil before.
        var commands: CommandVersions?
        var isFlushScheduled = false
        var dropped: UInt64 = 0

        /// False when there is no room for it.
        mutating func append(_ frame: [UInt8]) -> Bool {
            let count = uncounted + frame.count
            if budget.waiting == 0, count < PeerConnection.uncountedBytes {
                uncounted = count
            } else {
                guard budget.admit(count, at: MonotonicClock.now()) else { return false }
                uncounted = 0
            }
            bytes.writeBytes(frame)
            return true
        }

        mutating func carried(_ count: Int) {
            if count > 0, budget.waiting > 0 { budget.carried(count, at: MonotonicClock.now()) }
        }

        mutating func reset() {
            bytes = ByteBuffer()
            uncounted = 0
            budget.reset()
        }

        /// What is to be written now, at most a slice; nil when nothing waits.
        mutating func next(afterWriting count: Int) -> ByteBuffer? {
            carried(count)
            isFlushScheduled = false
            guard bytes.readableBytes > 0 else { return nil }
            uncounted = 0
            guard bytes.readableBytes > PeerConnection.sliceBytes else {
                defer { bytes = ByteBuffer() }
                return bytes
            }
            return bytes.readSlice(length: PeerConnection.sliceBytes)
        }
    }
    private let queue: Mutex<Queue>

    // The rest belongs to the event loop.
    private var urls: [PeerURL]
    private var nextURL = 0
    /// Where it connects, or has last tried to.
    private var address = ""
    private var channel: (any Channel)?
    private var attempts = 0
    private var lastAttempt = NIODeadline.uptimeNanoseconds(0)
    private var nextAttempt: Scheduled<Void>?
    private var redial: Redial
    private var isClosed = false

    init(
        purpose: PeerGreeting.Purpose, urls: [PeerURL], greeting: PeerGreeting, loop: any EventLoop,
        times: LinkTimes, queueLimitBytes: Int, instruments: Instruments,
        changed: @escaping Changed
    ) {
        self.purpose = purpose
        self.urls = urls
        self.greeting = greeting
        self.loop = loop
        self.times = times
        self.instruments = instruments
        self.changed = changed
        redial = Redial(times)
        queue = Mutex(
            Queue(budget: SendBudget(patience: times.electionTimeout, ceiling: queueLimitBytes)))
    }

    func start() { loop.execute { self.dial() } }

    func use(urls: [PeerURL]) {
        loop.execute {
            guard self.urls != urls else { return }
            self.urls = urls
            self.nextURL = 0
            self.dialSoon()
        }
    }

    /// The peer has just been heard on a connection of its own: it is there. Any thread.
    func peerIsThere() { loop.execute { self.dialSoon() } }

    /// Whether messages have somewhere to go at this moment. Any thread.
    var isConnected: Bool { queue.withLock { $0.isConnected } }
    /// Which commands the peer understands, as it said when it was last reached; nil before. Any thread.
    var commands: CommandVersions? { queue.withLock { $0.commands } }

    /// Records how long the peer's system takes to acknowledge what is sent. Any thread.
    func measureRoundTrip(_ histogram: Histogram) {
        loop.execute {
            guard let options = self.channel as? any SocketOptionProvider else { return }
            options.getTCPInfo().whenSuccess { info in
                histogram.record(TimeSpan(nanoseconds: UInt64(info.tcpi_rtt) * 1000))
            }
        }
    }

    // MARK: sending, any thread

    /// Queues one frame; it leaves with the next `flush`.
    func enqueue(_ frame: [UInt8]) {
        queue.withLock { queue in
            if !(queue.isConnected && queue.append(frame)) { queue.dropped += 1 }
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
    func writeQueued() {
        var written = 0
        while let channel, channel.isWritable {
            let bytes = queue.withLock { $0.next(afterWriting: written) }
            guard let bytes else { return }
            written = write(bytes, to: channel)
        }
        queue.withLock { queue in
            queue.isFlushScheduled = false
            queue.carried(written)
        }
    }

    /// Returns how many of the bytes count as carried already.
    private func write(_ bytes: ByteBuffer, to channel: any Channel) -> Int {
        let count = bytes.readableBytes
        instruments.peerBytesSent.add(count)
        guard count >= PeerConnection.uncountedBytes else {
            channel.writeAndFlush(bytes, promise: nil)
            return count
        }
        channel.writeAndFlush(bytes).whenSuccess { [self] in queue.withLock { $0.carried(count) } }
        return 0
    }

    private func schedule(in delay: TimeAmount) {
        nextAttempt?.cancel()
        nextAttempt = loop.scheduleTask(in: delay) { self.dial() }
    }

    /// At once, unless an attempt has only just begun.
    private func dialSoon() {
        guard channel == nil, !isClosed, lastAttempt + TimeAmount(times.tick) < .now() else { return }
        schedule(in: .zero)
    }

    private func dial() {
        guard !isClosed, channel == nil else { return }
        guard attempts < LinkTimes.attemptsLimit, !urls.isEmpty else {
            return schedule(in: TimeAmount(times.nextAttempt))
        }
        let url = urls[nextURL % urls.count]
        nextURL += 1
        address = "\(url)"
        attempts += 1
        lastAttempt = .now()
        // An attempt that nobody answers does not hold up the next; the first that is welcome is kept.
        schedule(in: TimeAmount(times.nextAttempt))
        ClientBootstrap(group: loop)
            .channelOption(ChannelOptions.socketOption(.so_reuseaddr), value: 1)
            .channelOption(ChannelOptions.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(ChannelOptions.socketOption(.so_keepalive), value: 1)
            .channelOption(.tcpUserTimeout, value: times.unacknowledgedMilliseconds)
            .channelOption(
                .tcpNotSentLowWater, value: .init(purpose == .bulk ? PeerConnection.unsentBytes : 1 << 20)
            )
            .channelOption(
                ChannelOptions.writeBufferWaterMark,
                value: .init(low: PeerConnection.sliceBytes / 4, high: PeerConnection.sliceBytes)
            )
            .connectTimeout(TimeAmount(times.connecting))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        PeerConnectionHandler(self, self.greeting))
                }
            }
            .connect(host: url.host, port: url.port)
            .whenFailure { error in self.onAttemptFailed(reason(of: error)) }
    }

    func onWelcome(_ channel: any Channel, _ commands: CommandVersions) {
        attempts -= 1
        guard !isClosed, self.channel == nil else {
            channel.close(promise: nil)
            return
        }
        self.channel = channel
        nextAttempt?.cancel()
        redial.succeeded()
        queue.withLock { queue in
            queue.reset()
            queue.isConnected = true
            queue.commands = commands
            queue.isFlushScheduled = false
        }
        changed(true, address, "")
    }

    /// A connection has ended, which was welcome or was not yet.
    func onEnded(_ channel: any Channel, wasWelcome: Bool, reason: String) {
        guard wasWelcome else { return onAttemptFailed(reason) }
        guard self.channel === channel else { return }
        self.channel = nil
        queue.withLock { queue in
            queue.reset()
            queue.isConnected = false
        }
        changed(false, address, reason)
        if !isClosed { redialLater() }
    }

    private func onAttemptFailed(_ reason: String) {
        attempts -= 1
        guard !isClosed, channel == nil else { return }
        changed(false, address, reason)
        // While others are under way, the next begins when it would have begun anyway.
        if attempts == 0 { redialLater() }
    }

    private func redialLater() {
        let range = redial.failed()
        schedule(
            in: .nanoseconds(
                Int64.random(in: Int64(range.lowerBound.nanoseconds)...Int64(range.upperBound.nanoseconds))))
    }

    /// Sends what is queued and closes. Any thread.
    func close() {
        loop.execute {
            self.isClosed = true
            self.nextAttempt?.cancel()
            self.writeQueued()
            self.queue.withLock { $0.isConnected = false }
            self.channel?.close(promise: nil)
        }
    }
}
