import NIOCore
import NIOHTTP1

/// Stands at the head of a new connection and decides by its first bytes what is spoken on it: HTTP/2's
/// preface or, at the first byte that differs from it, HTTP/1.1. Then it makes way.
final class ProtocolSniffer: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    /// RFC 9113, 3.4.
    private static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    private let timeLimit: Duration?
    private let onHTTP2: (any Channel) throws -> Void
    private let onHTTP1: (any Channel) throws -> Void
    private var begun: ByteBuffer?
    private var isDecided = false
    private var draining: GRPCServer.Draining?
    private var timer: Scheduled<Void>?

    /// `timeLimit` is how long the client may take to show what it speaks.
    init(
        timeLimit: Duration?, onHTTP2: @escaping (any Channel) throws -> Void,
        onHTTP1: @escaping (any Channel) throws -> Void
    ) {
        self.timeLimit = timeLimit
        self.onHTTP2 = onHTTP2
        self.onHTTP1 = onHTTP1
    }

    func handlerAdded(context: ChannelHandlerContext) {
        guard let timeLimit else { return }
        let channel = context.channel
        timer = context.eventLoop.scheduleTask(in: .nanoseconds(timeLimit.nanoseconds)) {
            channel.close(promise: nil)
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) { timer?.cancel() }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        context.fireChannelInactive()
    }

    /// The first request of a new connection may be on its way.
    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let draining = event as? GRPCServer.Draining, !isDecided, self.draining == nil {
            self.draining = draining
            timer?.cancel()
            let channel = context.channel
            timer = context.eventLoop.scheduleTask(in: draining.linger) {
                channel.close(promise: nil)
            }
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isDecided else {
            context.fireChannelRead(data)
            return
        }
        var bytes = unwrapInboundIn(data)
        if var begun {
            begun.writeBuffer(&bytes)
            self.begun = begun
        } else {
            begun = bytes
        }
        guard let begun, begun.readableBytes > 0 else { return }
        let common = begun.readableBytesView.prefix(Self.preface.count)
        if !common.elementsEqual(Self.preface.prefix(common.count)) {
            decide(context, begun, onHTTP1)
        } else if common.count == Self.preface.count {
            decide(context, begun, onHTTP2)
        }
    }

    private func decide(
        _ context: ChannelHandlerContext, _ bytes: ByteBuffer, _ configure: (any Channel) throws -> Void
    ) {
        isDecided = true
        timer?.cancel()
        do {
            try configure(context.channel)
        } catch {
            context.close(promise: nil)
            return
        }
        begun = nil
        if let draining { context.fireUserInboundEventTriggered(draining) }
        context.fireChannelRead(wrapInboundOut(bytes))
        context.pipeline.syncOperations.removeHandler(self, promise: nil)
    }
}
