import Automata
import Coordination
import NIOCore
import NIOPosix
import Paxos
import Synchronization

/// Streams the state of this process to members that lag too far behind, each on a thread and a connection of
/// its own, so that nothing else waits for it. The socket's own flow control slows the thread down.
final class CheckpointExporter: Sendable {
    /// Chunks on the way that the socket has not taken.
    private static let chunksInFlight = 4

    private let store: StoreBox
    private let group: any EventLoopGroup
    private let clusterID: UInt64
    private let own: ProcessID
    private let host: Mailbox<HostInput>
    private let instruments: Instruments
    private let report: Reporter

    private struct State {
        var isStopping = false
        var threads: [(receiver: ProcessID, thread: DedicatedThread)] = []
        var channels: [any Channel] = []
    }
    private let state = Mutex(State())

    init(
        store: StoreBox, group: any EventLoopGroup, clusterID: UInt64, own: ProcessID,
        host: Mailbox<HostInput>, instruments: Instruments,
        report: Reporter
    ) {
        self.store = store
        self.group = group
        self.clusterID = clusterID
        self.own = own
        self.host = host
        self.instruments = instruments
        self.report = report
    }

    func export(to receiver: ProcessID, urls: [PeerURL]) {
        let finished = state.withLock { state -> [DedicatedThread] in
            guard !state.isStopping else { return [] }
            let finished = state.threads.filter { $0.receiver == receiver }.map(\.thread)
            state.threads.removeAll { $0.receiver == receiver }
            let thread = DedicatedThread(name: "synod-export") { self.run(receiver, urls) }
            state.threads.append((receiver, thread))
            return finished
        }
        // The replica asks again only when the one before has ended.
        for thread in finished { thread.join() }
    }

    func stop() {
        let (threads, channels) = state.withLock { state in
            state.isStopping = true
            return (state.threads.map(\.thread), state.channels)
        }
        for channel in channels { channel.close(promise: nil) }
        for thread in threads { thread.join() }
    }

    private func run(_ receiver: ProcessID, _ urls: [PeerURL]) {
        do {
            try stream(to: receiver, urls)
            instruments.checkpointsSent.add(1)
            host.send(.checkpointSent(to: receiver, success: true))
        } catch {
            report(.warning, "could not send a checkpoint to \(member: receiver): \(error, as: "error")")
            host.send(.checkpointSent(to: receiver, success: false))
        }
    }

    private func stream(to receiver: ProcessID, _ urls: [PeerURL]) throws {
        let (channel, answer) = try connect(to: receiver, urls)
        defer {
            channel.close(promise: nil)
            state.withLock { state in state.channels.removeAll { $0 === channel } }
        }
        let view = try store.store.openView()
        defer { view.close() }
        let applied = try AppliedState(from: view)
        let head = CheckpointHead(slot: Slot(applied.slot), configuration: applied.configuration)
        try send(PeerFrame.encoded(.checkpointHead) { head.encode(into: &$0) }, on: channel).wait()
        let end = try streamEntries(of: view, on: channel)
        try send(PeerFrame.encoded(.checkpointEnd) { end.encode(into: &$0) }, on: channel).wait()
        let verdict = try answer.wait()
        guard verdict.isInstalled else { throw PeerProtocolError("it was not installed: \(verdict.reason)") }
    }

    private func streamEntries(of view: any OrderedView, on channel: any Channel) throws -> CheckpointEnd {
        var end = CheckpointEnd(chunks: 0, entries: 0)
        var chunk: [UInt8] = []
        var inFlight: [EventLoopFuture<Void>] = []
        func flushChunk() throws {
            guard !chunk.isEmpty else { return }
            let number = end.chunks
            let frame = PeerFrame.encoded(.checkpointChunk) {
                $0.reserveCapacity(chunk.count + 32)
                $0.appendInteger(number)
                $0.append(contentsOf: chunk)
            }
            chunk.removeAll(keepingCapacity: true)
            end.chunks += 1
            inFlight.append(send(frame, on: channel))
            if inFlight.count >= CheckpointExporter.chunksInFlight { try inFlight.removeFirst().wait() }
        }
        for table in StoreTable.allCases {
            let cursor = try view.cursor(in: table)
            var isThere = try cursor.seekToFirst()
            while isThere {
                CheckpointChunk.append(table, cursor.key, cursor.value, to: &chunk)
                end.entries += 1
                if chunk.count >= CheckpointChunk.targetBytes { try flushChunk() }
                isThere = try cursor.next()
            }
        }
        try flushChunk()
        for written in inFlight { try written.wait() }
        return end
    }

    private func send(_ frame: [UInt8], on channel: any Channel) -> EventLoopFuture<Void> {
        instruments.peerBytesSent.add(frame.count)
        return channel.writeAndFlush(ByteBuffer(bytes: frame))
    }

    private func connect(
        to receiver: ProcessID, _ urls: [PeerURL]
    ) throws -> (any Channel, EventLoopFuture<CheckpointAnswer>) {
        guard let url = urls.first else { throw PeerProtocolError("its address is not known") }
        let greeting = PeerGreeting(
            purpose: .checkpoint, clusterID: clusterID, sender: own, receiver: receiver)
        let loop = group.next()
        let welcome = loop.makePromise(of: Void.self)
        let answer = loop.makePromise(of: CheckpointAnswer.self)
        do {
            let channel = try ClientBootstrap(group: loop)
                .channelOption(ChannelOptions.tcpOption(.tcp_nodelay), value: 1)
                .connectTimeout(.seconds(5))
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(
                            CheckpointDialHandler(greeting, welcome: welcome, answer: answer))
                    }
                }
                .connect(host: url.host, port: url.port).wait()
            let isStopping = state.withLock { state in
                state.channels.append(channel)
                return state.isStopping
            }
            if isStopping { channel.close(promise: nil) }
            try welcome.futureResult.wait()
            return (channel, answer.futureResult)
        } catch {
            welcome.fail(error)
            answer.fail(error)
            throw error
        }
    }
}

/// The sending side of a checkpoint's connection hears two things: the verdict on its greeting, and in the end
/// the answer.
private final class CheckpointDialHandler: ChannelInboundHandler, @unchecked Sendable {
    typealias InboundIn = ByteBuffer

    private let greeting: PeerGreeting
    private let welcome: EventLoopPromise<Void>
    private let answer: EventLoopPromise<CheckpointAnswer>
    private var reader = PeerFrameReader()

    init(
        _ greeting: PeerGreeting, welcome: EventLoopPromise<Void>, answer: EventLoopPromise<CheckpointAnswer>
    ) {
        self.greeting = greeting
        self.welcome = welcome
        self.answer = answer
    }

    func channelActive(context: ChannelHandlerContext) {
        let frame = PeerFrame.encoded(.greeting) { greeting.encode(into: &$0) }
        context.writeAndFlush(NIOAny(ByteBuffer(bytes: frame)), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        reader.receive(unwrapInboundIn(data))
        do {
            while try reader.next(
                limit: 4096,
                { kind, body in
                    switch kind {
                    case .greetingAnswer:
                        let verdict = try PeerGreetingAnswer(decoding: body)
                        guard verdict.verdict == .welcome else {
                            throw PeerProtocolError(verdict.reason(for: greeting))
                        }
                        welcome.succeed(())
                    case .checkpointAnswer: answer.succeed(try CheckpointAnswer(decoding: body))
                    default: throw PeerProtocolError("a frame that is out of place")
                    }
                })
            {}
        } catch {
            fail(error)
            context.close(promise: nil)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        fail(error)
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        fail(PeerProtocolError("the connection was closed"))
    }

    private func fail(_ error: any Error) {
        welcome.fail(error)
        answer.fail(error)
    }
}
