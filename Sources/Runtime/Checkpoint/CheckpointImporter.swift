import Automata
import Coordination
import NIOCore
import Paxos
import Synchronization

/// A checkpoint that lies complete and durable beside the store in use.
struct CheckpointArrival: Sendable {
    var slot: Slot
    var configuration: [UInt8]
    var store: any ServerStore
    /// Makes it the store that a restart finds.
    var moveIntoPlace: @Sendable () throws -> Void
    /// Says whether it was installed, and why not.
    var end: @Sendable (Bool, String) -> Void
}

/// Takes in one checkpoint at a time. The bytes arrive on an event loop, a thread of its own builds a new
/// store from them, and the replica thread switches to it when it is complete.
final class CheckpointImporter: Sendable {
    private let stores: StoreFolders
    private let host: Mailbox<HostInput>
    private let report: Reporter

    private struct State {
        var isBusy = false
        var isStopping = false
        var current: Mailbox<CheckpointImport.Piece>?
        var thread: DedicatedThread?
    }
    private let state = Mutex(State())

    init(
        stores: StoreFolders, host: Mailbox<HostInput>, report: Reporter
    ) {
        self.stores = stores
        self.host = host
        self.report = report
    }

    /// False when another one is under way.
    fileprivate func begin(_ incoming: CheckpointImport) -> Bool {
        let (isBegun, finished) = state.withLock { state -> (Bool, DedicatedThread?) in
            guard !state.isBusy, !state.isStopping else { return (false, nil) }
            state.isBusy = true
            state.current = incoming.mailbox
            let finished = state.thread
            state.thread = DedicatedThread(name: "synod-import") { self.run(incoming) }
            return (true, finished)
        }
        finished?.join()
        return isBegun
    }

    func stop() {
        let thread = state.withLock { state in
            state.isStopping = true
            state.current?.send(.abandoned("the process is stopping"))
            return state.thread
        }
        thread?.join()
    }

    private func run(_ incoming: CheckpointImport) {
        do {
            try receive(incoming)
        } catch {
            report(.warning, "a checkpoint from \(member: incoming.sender) failed: \(error, as: "error")")
            incoming.answer(CheckpointAnswer(isInstalled: false, reason: "\(error)"))
            // The sender's end of it fails as well, or is gone: whoever is asked next is free to send another.
            host.send(.checkpointFailed(incoming.sender))
        }
        state.withLock { state in
            state.isBusy = false
            state.current = nil
        }
    }

    private func receive(_ incoming: CheckpointImport) throws {
        let folder = try stores.makeIncoming()
        var isComplete = false
        defer { if !isComplete { stores.discard(folder) } }
        let store = try stores.open(folder)
        var reader = CheckpointReader()
        var pieces: [CheckpointImport.Piece] = []
        while !reader.isComplete {
            incoming.mailbox.take(into: &pieces, until: nil)
            // What comes after its end is that of the connection, which matters no more.
            for piece in pieces where !reader.isComplete {
                switch piece {
                case .abandoned(let reason): throw PeerProtocolError(reason)
                case .frame(let kind, let body):
                    try body.withUnsafeBytes { try reader.take(kind, $0, into: store) }
                    guard kind == .head else { break }
                    report(
                        .info,
                        "receiving a checkpoint at \(Slot(reader.head!.slot), as: "slot") from "
                            + "\(member: incoming.sender)")
                }
                incoming.window.taken(1)
            }
        }
        try store.read { try reader.judge($0) }
        let (slot, configuration) = (Slot(reader.head!.slot), reader.head!.configuration)
        try store.synchronize()
        isComplete = true
        let stores = stores
        host.send(
            .checkpointArrived(
                CheckpointArrival(
                    slot: slot, configuration: configuration, store: store,
                    moveIntoPlace: { try stores.use(folder) },
                    end: { isInstalled, reason in
                        if !isInstalled { stores.discard(folder) }
                        incoming.answer(CheckpointAnswer(isInstalled: isInstalled, reason: reason))
                    })))
    }
}

/// One checkpoint that arrives on a connection. Reading stops while too much of it waits for the disk.
final class CheckpointImport: @unchecked Sendable {
    enum Piece: Sendable {
        case frame(CheckpointPiece.Kind, [UInt8])
        case abandoned(String)
    }

    private static let waitingLimit = 16

    let sender: ProcessID
    fileprivate let mailbox = Mailbox<Piece>(capacity: .max)
    /// Counts pieces that the thread has not taken.
    fileprivate let window: ReceiveWindow
    private let channel: any Channel
    private let importer: CheckpointImporter
    private var isBegun = false
    private var isRefused = false
    /// Whether its end has not arrived yet; what follows is this process's own work.
    private(set) var awaitsMore = true

    init(
        from sender: ProcessID, channel: any Channel, importer: CheckpointImporter,
        readingChanged: @escaping @Sendable (Bool) -> Void
    ) {
        self.sender = sender
        self.channel = channel
        self.importer = importer
        window = ReceiveWindow(
            limit: CheckpointImport.waitingLimit, channel: channel, changed: readingChanged)
    }

    /// On the connection's event loop.
    func receive(_ kind: CheckpointPiece.Kind, _ body: [UInt8]) {
        guard !isRefused else { return }
        if !isBegun {
            isBegun = true
            guard importer.begin(self) else {
                isRefused = true
                answer(CheckpointAnswer(isInstalled: false, reason: "another checkpoint is being received"))
                return
            }
        }
        if kind == .end { awaitsMore = false }
        mailbox.send(.frame(kind, body))
        window.arrived(1)
    }

    /// On the connection's event loop.
    func abandon(_ reason: String) {
        if isBegun, !isRefused { mailbox.send(.abandoned(reason)) }
    }

    fileprivate func answer(_ answer: CheckpointAnswer) {
        let frame = PeerFrame.encoded(.checkpointAnswer) { answer.encode(into: &$0) }
        channel.writeAndFlush(ByteBuffer(bytes: frame), promise: nil)
    }
}
