import NIOCore
import PeerLinks
import Synchronization

/// The sending side of a checkpoint's connection. It hears the verdict on its greeting, then at every tick that the
/// other side is there, and in the end the answer; whatever it waits for, it does not wait for ever.
final class CheckpointDialHandler: ChannelInboundHandler, @unchecked Sendable {
    typealias InboundIn = ByteBuffer

    private let greeting: PeerGreeting
    private let times: LinkTimes
    private let welcome: EventLoopPromise<PeerGreetingAnswer>
    private let answer: EventLoopPromise<CheckpointAnswer>
    private var reader = PeerFrameReader()
    private var watch: TransferWatch
    private var ticks: RepeatedTask?
    private var greetingTimer: Scheduled<Void>?
    private let ending = Mutex<String?>(nil)

    init(
        _ greeting: PeerGreeting, times: LinkTimes, welcome: EventLoopPromise<PeerGreetingAnswer>,
        answer: EventLoopPromise<CheckpointAnswer>
    ) {
        self.greeting = greeting
        self.times = times
        self.welcome = welcome
        self.answer = answer
        watch = TransferWatch(times)
    }

    /// Why the transfer has ended before its time, once it has. Any thread.
    var reason: String? { ending.withLock { $0 } }

    /// A piece has left. On the event loop.
    func progressed() { watch.progressed() }

    func channelActive(context: ChannelHandlerContext) {
        let frame = PeerFrame.encoded(.greeting) { greeting.encode(into: &$0) }
        context.writeAndFlush(NIOAny(ByteBuffer(bytes: frame)), promise: nil)
        let channel = context.channel
        greetingTimer = context.eventLoop.scheduleTask(in: TimeAmount(times.greeting)) {
            self.end(channel, "it does not answer the greeting")
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        watch.heard()
        reader.receive(unwrapInboundIn(data))
        do {
            while try reader.next(limit: 4096, { kind, body in try onFrame(kind, body, context) }) {}
        } catch {
            end(context.channel, "\(error)")
        }
    }

    private func onFrame(
        _ kind: PeerFrameKind, _ body: UnsafeRawBufferPointer, _ context: ChannelHandlerContext
    ) throws {
        switch kind {
        case .greetingAnswer:
            let verdict = try PeerGreetingAnswer(decoding: body)
            guard verdict.verdict == .welcome else { throw PeerProtocolError(verdict.reason(for: greeting)) }
            greetingTimer?.cancel()
            beginTicks(context)
            welcome.succeed(verdict)
        case .checkpointAnswer:
            let verdict = try CheckpointAnswer(decoding: body)
            // A refusal may come while there is much to send still.
            guard verdict.isInstalled else {
                throw PeerProtocolError("it was not installed: \(verdict.reason)")
            }
            answer.succeed(verdict)
        case .alive: break
        default: throw PeerProtocolError("a frame that is out of place")
        }
    }

    private func beginTicks(_ context: ChannelHandlerContext) {
        guard ticks == nil else { return }
        let channel = context.channel
        let tick = TimeAmount(times.tick)
        ticks = context.eventLoop.scheduleRepeatedTask(initialDelay: tick, delay: tick) { _ in
            self.onTick(channel)
        }
    }

    private func onTick(_ channel: any Channel) {
        switch watch.tick() {
        case .silent: end(channel, "nothing was heard from it for \(times.silence)")
        case .stalled: end(channel, "the transfer has not got on for \(times.stall)")
        case .goOn:
            if channel.isWritable {
                channel.writeAndFlush(ByteBuffer(bytes: PeerFrame.alive), promise: nil)
            }
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        end(context.channel, Runtime.reason(of: error))
    }

    func channelInactive(context: ChannelHandlerContext) {
        greetingTimer?.cancel()
        ticks?.cancel()
        end(context.channel, "the connection was closed")
    }

    /// Everything that waits for this connection fails with its end.
    private func end(_ channel: any Channel, _ reason: String) {
        ending.withLock { if $0 == nil { $0 = reason } }
        let error = PeerProtocolError(self.reason ?? reason)
        welcome.fail(error)
        answer.fail(error)
        channel.close(promise: nil)
    }
}
