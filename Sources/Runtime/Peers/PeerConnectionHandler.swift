import Coordination
import NIOCore
import PeerLinks

/// Greets, hears the verdict, then says and hears at every tick that both sides are there.
final class PeerConnectionHandler: ChannelInboundHandler, @unchecked Sendable {
    typealias InboundIn = ByteBuffer

    private let connection: PeerConnection
    private let greeting: PeerGreeting
    private var reader = PeerFrameReader()
    private var isWelcome = false
    private var commands = CommandVersions.base
    private var hasEnded = false
    private var reason = "the connection was closed"
    private var watch = SilenceWatch()
    private var greetingTimer: Scheduled<Void>?
    private var ticks: RepeatedTask?

    init(_ connection: PeerConnection, _ greeting: PeerGreeting) {
        self.connection = connection
        self.greeting = greeting
    }

    func channelActive(context: ChannelHandlerContext) {
        let frame = PeerFrame.encoded(.greeting) { greeting.encode(into: &$0) }
        context.writeAndFlush(NIOAny(ByteBuffer(bytes: frame)), promise: nil)
        let channel = context.channel
        greetingTimer = context.eventLoop.scheduleTask(in: TimeAmount(connection.times.greeting)) {
            self.reason = "it does not answer the greeting"
            channel.close(promise: nil)
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        watch.heard()
        reader.receive(unwrapInboundIn(data))
        do {
            let wasWelcome = isWelcome
            while try reader.next(limit: 4096, { kind, body in try onFrame(kind, body) }) {}
            // After the reader, because a write that finds the peer gone reads again before it returns.
            if isWelcome, !wasWelcome, !hasEnded { onWelcome(context) }
        } catch {
            reason = "\(error)"
            context.close(promise: nil)
        }
    }

    private func onFrame(_ kind: PeerFrameKind, _ body: UnsafeRawBufferPointer) throws {
        switch (kind, isWelcome) {
        case (.greetingAnswer, false):
            let answer = try PeerGreetingAnswer(decoding: body)
            guard answer.verdict == .welcome else {
                throw PeerProtocolError(answer.reason(for: greeting))
            }
            isWelcome = true
            commands = answer.commands ?? .base
        case (.alive, true): break
        default: throw PeerProtocolError("a frame that is out of place")
        }
    }

    private func onWelcome(_ context: ChannelHandlerContext) {
        greetingTimer?.cancel()
        let channel = context.channel
        let tick = TimeAmount(connection.times.tick)
        ticks = context.eventLoop.scheduleRepeatedTask(initialDelay: tick, delay: tick) { _ in
            self.onTick(channel)
        }
        connection.onWelcome(channel, commands)
    }

    private func onTick(_ channel: any Channel) {
        if watch.tick() {
            reason = "nothing was heard from it for \(connection.times.silence)"
            channel.close(promise: nil)
        } else if channel.isWritable {
            // What else is on its way says as much.
            channel.writeAndFlush(ByteBuffer(bytes: PeerFrame.alive), promise: nil)
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if isWelcome, context.channel.isWritable { connection.writeQueued() }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        reason = Runtime.reason(of: error)
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        hasEnded = true
        greetingTimer?.cancel()
        ticks?.cancel()
        connection.onEnded(context.channel, wasWelcome: isWelcome, reason: reason)
    }
}
