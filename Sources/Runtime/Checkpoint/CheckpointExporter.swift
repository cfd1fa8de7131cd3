import Automata
import Coordination
import NIOCore
import NIOPosix
import Paxos
import PeerLinks
import Synchronization

/// Streams the state of this process to members that lag too far behind, each on a thread and a connection of
/// its own, so that nothing else waits for it. The socket's own flow control slows the thread down.
///
/// A member that goes away in the middle, or takes nothing any more, ends its transfer: what the thread waits for
/// ends with the connection, which `CheckpointDialHandler` watches. View, thread and place are then free for another.
final class CheckpointExporter: Sendable {
    /// On the way, and not taken by the socket.
    private static let piecesInFlight = 4

    private let store: StoreBox
    private let group: any EventLoopGroup
    private let clusterID: UInt64
    private let own: ProcessID
    private let formation: OwnFormation
    private let times: LinkTimes
    private let host: Mailbox<HostInput>
    private let instruments: Instruments
    private let report: Reporter

    private struct State {
        var isStopping = false
        var threads: [(receiver: ProcessID, thread: DedicatedThread, isDone: Bool)] = []
        var channels: [any Channel] = []
    }
    private let state = Mutex(State())

    init(
        store: StoreBox, group: any EventLoopGroup, clusterID: UInt64, own: ProcessID,
        formation: OwnFormation, times: LinkTimes, host: Mailbox<HostInput>, instruments: Instruments,
        report: Reporter
    ) {
        self.store = store
        self.group = group
        self.clusterID = clusterID
        self.own = own
        self.formation = formation
        self.times = times
        self.host = host
        self.instruments = instruments
        self.report = report
    }

    func export(to receiver: ProcessID, urls: [PeerURL]) {
        let finished = state.withLock { state -> [DedicatedThread] in
            // One that is under way says how it ended, and that counts.
            guard !state.isStopping, !state.threads.contains(where: { $0.receiver == receiver && !$0.isDone })
            else { return [] }
            let finished = state.threads.filter(\.isDone).map(\.thread)
            state.threads.removeAll(where: \.isDone)
            let thread = DedicatedThread(name: "synod-export") { self.run(receiver, urls) }
            state.threads.append((receiver, thread, false))
            return finished
        }
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
        defer {
            state.withLock { state in
                for index in state.threads.indices where state.threads[index].receiver == receiver {
                    state.threads[index].isDone = true
                }
            }
        }
        do {
            let connection = try connect(to: receiver, urls)
            defer {
                connection.channel.close(promise: nil)
                state.withLock { state in state.channels.removeAll { $0 === connection.channel } }
            }
            do {
                try stream(on: connection)
            } catch {
                throw connection.handler.reason.map { PeerProtocolError($0) } ?? error
            }
            instruments.checkpointsSent.add(1)
            host.send(.checkpointSent(to: receiver, success: true))
        } catch {
            host.note(failedReading: error)
            report(.warning, "could not send a checkpoint to \(member: receiver): \(error, as: "error")")
            // The replica asks again at once, and what stood in the way may need a moment to go.
            group.next().scheduleTask(in: TimeAmount(times.nextTransfer)) { [host] in
                host.send(.checkpointSent(to: receiver, success: false))
            }
        }
    }

    private struct Connection {
        let channel: any Channel
        let handler: CheckpointDialHandler
        /// What the receiver has said of itself.
        let welcome: PeerGreetingAnswer
        let answer: EventLoopFuture<CheckpointAnswer>
    }

    private func stream(on connection: Connection) throws {
        let view = try store.openView()
        defer { view.close() }
        var writer = try CheckpointWriter(
            of: view, receiver: connection.welcome.commands, isBare: connection.welcome.agreedVersion < 3)
        var inFlight: [EventLoopFuture<Void>] = []
        while let piece = try writer.next() {
            let frame = PeerFrame.encoded(piece.kind.frame) {
                $0.reserveCapacity(PeerFrame.headerBytes + piece.body.count)
                $0 += piece.body
            }
            inFlight.append(send(frame, on: connection))
            if inFlight.count >= CheckpointExporter.piecesInFlight { try inFlight.removeFirst().wait() }
        }
        for written in inFlight { try written.wait() }
        _ = try connection.answer.wait()
    }

    private func send(_ frame: [UInt8], on connection: Connection) -> EventLoopFuture<Void> {
        instruments.peerBytesSent.add(frame.count)
        let written = connection.channel.writeAndFlush(ByteBuffer(bytes: frame))
        written.whenSuccess { connection.handler.progressed() }
        return written
    }

    private func connect(to receiver: ProcessID, _ urls: [PeerURL]) throws -> Connection {
        guard let url = urls.first else { throw PeerProtocolError("its address is not known") }
        let greeting = PeerGreeting(
            purpose: .checkpoint, clusterID: clusterID, sender: own, receiver: receiver,
            formation: formation.known?.nonce ?? 0)
        let loop = group.next()
        let welcome = loop.makePromise(of: PeerGreetingAnswer.self)
        let answer = loop.makePromise(of: CheckpointAnswer.self)
        let handler = CheckpointDialHandler(greeting, times: times, welcome: welcome, answer: answer)
        do {
            let channel = try ClientBootstrap(group: loop)
                .channelOption(ChannelOptions.tcpOption(.tcp_nodelay), value: 1)
                .channelOption(.tcpUserTimeout, value: times.unacknowledgedMilliseconds)
                .connectTimeout(TimeAmount(times.connecting))
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(handler)
                    }
                }
                .connect(host: url.host, port: url.port).wait()
            let isStopping = state.withLock { state in
                state.channels.append(channel)
                return state.isStopping
            }
            if isStopping { channel.close(promise: nil) }
            return Connection(
                channel: channel, handler: handler, welcome: try welcome.futureResult.wait(),
                answer: answer.futureResult)
        } catch {
            welcome.fail(error)
            answer.fail(error)
            throw error
        }
    }
}
