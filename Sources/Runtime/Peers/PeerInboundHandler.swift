import Automata
import Member
import NIOCore
import PeerLinks
import Replica

/// The listening side of one connection. Whatever arrives, it either is a frame that is in place or ends the
/// connection.
final class PeerInboundHandler: ChannelInboundHandler, @unchecked Sendable {
    typealias InboundIn = ByteBuffer

    private enum Phase {
        case greeting
        case messages(from: ProcessID)
        case checkpoint(CheckpointImport)
        case ended
    }

    /// A stranger may make this process hold no more than this.
    private static let greetingLimit = 256
    /// Of one connection, for the replica thread.
    private static let waitingBytesLimit = 8 << 20

    private let network: PeerNetwork
    private var reader = PeerFrameReader()
    private var limit = PeerInboundHandler.greetingLimit
    private var phase = Phase.greeting
    private var batch: [PeerMessage] = []
    private var batchBytes = 0
    private var window: ReceiveWindow?
    private var watch: TransferWatch
    private var ticks: RepeatedTask?
    /// A write that finds the peer gone reads what is left before it returns: that waits its turn here.
    private var isReading = false
    /// Runs while the peer has not said who it is. A timer that went on would keep a dead connection.
    private var greetingTimer: Scheduled<Void>?
    private var readMeanwhile: [ByteBuffer] = []

    init(_ network: PeerNetwork) {
        self.network = network
        watch = TransferWatch(network.times)
    }

    func channelActive(context: ChannelHandlerContext) {
        let channel = context.channel
        network.onOpened(channel)
        greetingTimer = context.eventLoop.scheduleTask(in: .seconds(10)) { channel.close(promise: nil) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .ended = phase { return }
        let bytes = unwrapInboundIn(data)
        watch.heard()
        network.instruments.peerBytesReceived.add(bytes.readableBytes)
        guard !isReading else { return readMeanwhile.append(bytes) }
        isReading = true
        defer { isReading = false }
        take(bytes, context)
        while !readMeanwhile.isEmpty { take(readMeanwhile.removeFirst(), context) }
    }

    private func take(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        if case .ended = phase { return }
        reader.receive(bytes)
        do {
            while try reader.next(limit: limit, { kind, body in try onFrame(kind, body, context) }) {
                if case .ended = phase { return }
            }
        } catch {
            end(context, "\(error)")
        }
    }

    /// What one read held goes on as one batch. When the replica thread does not keep up, no more is read, and
    /// past the number of batches that it has room for they are dropped: the protocol sends again.
    func channelReadComplete(context: ChannelHandlerContext) {
        guard case .messages(let from) = phase, let window, !batch.isEmpty else { return }
        let received = ReceivedBatch(messages: batch, sender: from, bytes: batchBytes, window: window)
        window.arrived(batchBytes)
        if !network.host.offer(.received(received)) { received.taken() }
        batch = []
        batchBytes = 0
    }

    private func onFrame(
        _ kind: PeerFrameKind, _ body: UnsafeRawBufferPointer, _ context: ChannelHandlerContext
    ) throws {
        batchBytes += PeerFrame.headerBytes + body.count
        switch (phase, kind) {
        case (.messages, .alive), (.checkpoint, .alive): break
        case (.greeting, .greeting): try onGreeting(PeerGreeting(decoding: body), context)
        case (.messages, .replica): batch.append(.replica(try ReplicaMessage(decoding: body)))
        case (.messages, .request):
            let request = try PeerRequest(decoding: body)
            batch.append(.question(request.question, number: request.number))
        case (.messages, .answer):
            let answer = try PeerAnswer(decoding: body)
            batch.append(.answer(answer.content, to: answer.number))
        case (.messages, .farewell), (.messages, .farewellAnswer):
            try PeerBodyReader(body).end()
            batch.append(kind == .farewell ? .farewell : .farewellAnswer)
        case (.checkpoint(let incoming), _):
            guard let piece = kind.checkpointPiece else { fallthrough }
            watch.progressed()
            incoming.receive(piece, [UInt8](body))
        default: throw PeerProtocolError("a frame that is out of place")
        }
    }

    private func onGreeting(_ greeting: PeerGreeting, _ context: ChannelHandlerContext) throws {
        greetingTimer?.cancel()
        let answer = network.judge(greeting)
        let frame = PeerFrame.encoded(.greetingAnswer) { answer.encode(into: &$0) }
        let written = context.writeAndFlush(NIOAny(ByteBuffer(bytes: frame)))
        guard answer.verdict == .welcome else {
            network.complain(
                "refused a peer at \(remote(context), as: "remote-addr") that says it is "
                    + "\(member: greeting.sender, as: "remote-member-id") of cluster "
                    + "\(hex(greeting.clusterID), as: "remote-cluster-id"): "
                    + "\(refusal(answer, greeting), as: "error")")
            phase = .ended
            let channel = context.channel
            written.whenComplete { _ in channel.close(promise: nil) }
            return
        }
        // The write may have found the peer gone; what is begun now nobody would end.
        guard context.channel.isActive else {
            phase = .ended
            return
        }
        limit = network.frameLimit
        if greeting.purpose != .inquiry {
            beginTicks(context)
            network.link(to: greeting.sender)?.peerIsThere()
        }
        switch greeting.purpose {
        case .messages, .bulk:
            phase = .messages(from: greeting.sender)
            window = ReceiveWindow(
                limit: PeerInboundHandler.waitingBytesLimit, channel: context.channel,
                changed: { [self] in watch.isReading = $0 })
        case .inquiry:
            phase = .ended
            let channel = context.channel
            written.whenComplete { _ in channel.close(promise: nil) }
        case .checkpoint:
            phase = .checkpoint(
                CheckpointImport(
                    from: greeting.sender, channel: context.channel, importer: network.checkpoints,
                    readingChanged: { [self] in watch.isReading = $0 }))
        }
    }

    /// From the greeting on each side says at every tick that it is there, and gives up one that does not.
    private func beginTicks(_ context: ChannelHandlerContext) {
        let channel = context.channel
        let tick = TimeAmount(network.times.tick)
        ticks = context.eventLoop.scheduleRepeatedTask(initialDelay: tick, delay: tick) { _ in
            self.onTick(channel)
        }
    }

    private func onTick(_ channel: any Channel) {
        let verdict = watch.tick()
        switch (phase, verdict) {
        case (.messages, .silent):
            phase = .ended
            channel.close(promise: nil)
        case (.checkpoint(let incoming), .silent):
            giveUp(incoming, "nothing was heard from its sender for \(network.times.silence)", channel)
        case (.checkpoint(let incoming), .stalled) where incoming.awaitsMore:
            giveUp(incoming, "it has not got on for \(network.times.stall)", channel)
        case (.messages, _), (.checkpoint, _):
            channel.writeAndFlush(ByteBuffer(bytes: PeerFrame.alive), promise: nil)
        default: break
        }
    }

    private func giveUp(_ incoming: CheckpointImport, _ reason: String, _ channel: any Channel) {
        phase = .ended
        incoming.abandon(reason)
        channel.close(promise: nil)
    }

    private func refusal(_ answer: PeerGreetingAnswer, _ greeting: PeerGreeting) -> String {
        switch answer.verdict {
        case .welcome: ""
        case .otherVersion: "it speaks version \(greeting.version) of the peer protocol"
        case .otherCluster: "this process belongs to cluster \(hex(network.clusterID))"
        case .otherMember:
            "it looks for member \(hex(greeting.receiver.rawValue)), this is \(hex(network.own.rawValue))"
        case .strangeSender: "no such member is known"
        case .otherFormation:
            "the clusters have the same name and were formed apart, it \(hex(greeting.formation)) and this "
                + "process \(hex(answer.formation)): they hold different data, and must not be joined"
        case .notFormed: "this process does not know yet how the cluster was formed"
        }
    }

    private func end(_ context: ChannelHandlerContext, _ reason: String) {
        network.complain(
            "closed the connection of a peer at \(remote(context), as: "remote-addr"): it sent \(reason, as: "error")"
        )
        if case .checkpoint(let incoming) = phase { incoming.abandon(reason) }
        phase = .ended
        batch = []
        context.close(promise: nil)
    }

    private func remote(_ context: ChannelHandlerContext) -> String {
        context.remoteAddress.map(shown) ?? "an unknown address"
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func channelInactive(context: ChannelHandlerContext) {
        greetingTimer?.cancel()
        ticks?.cancel()
        if case .checkpoint(let incoming) = phase { incoming.abandon("the connection was closed") }
        phase = .ended
        // It tells this handler when it stops reading, and so holds it.
        window = nil
        network.onClosed(context.channel)
    }
}
