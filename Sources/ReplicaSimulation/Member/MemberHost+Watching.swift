import Automata
import Coordination
import Member
import Replica
import Simulation

/// What the harness asks of a member's watchers.
enum WatchersRequest {
    case ask([WatchRequest], port: UInt64)
    case close(port: UInt64)
    /// The watch thread takes everything that lies before it, and reads a slice of history, which it takes at once or
    /// at its next turn.
    case turn(holdsSlice: Bool)
}

/// The watchers of a simulated member, and what lies before them. In the server they are on a thread of their own, whose
/// turns are the harness's to give here: so they hear late of what is applied, and read a store that is ahead of it.
struct SimulatedWatchers {
    private enum Message {
        case requests([WatchRequest], port: UInt64)
        case portClosed(UInt64)
        case applied(AppliedEvents)
        case passedOver
        case storeReplaced(revision: Int64)
    }

    private(set) var hub: WatchHub
    private var messages: [Message] = []
    /// More batches than this do not wait to be told.
    private let feedLimit: Int
    private var waiting = 0
    private var hasPassedOver = false
    private var slice: HistorySlice?
    private var outputs: [WatchOutput] = []

    init(_ plan: WatchPlan, revision: Int64) {
        hub = WatchHub(revision: revision, settings: plan.hub)
        feedLimit = plan.feedLimit
    }

    var hasWork: Bool { !messages.isEmpty || hub.isHistoryDue }

    // MARK: what is left for the watch thread

    mutating func ask(_ requests: [WatchRequest], port: UInt64) {
        messages.append(.requests(requests, port: port))
    }

    mutating func close(port: UInt64) { messages.append(.portClosed(port)) }

    mutating func publish(_ applied: AppliedEvents) {
        guard hub.counts.watchers > 0, applied.through > applied.after else { return }
        guard waiting < feedLimit else {
            if !hasPassedOver { messages.append(.passedOver) }
            hasPassedOver = true
            return
        }
        waiting += 1
        messages.append(.applied(applied))
    }

    mutating func storeReplaced(revision: Int64) { messages.append(.storeReplaced(revision: revision)) }

    // MARK: its turn

    struct Turn {
        /// From which revision on the watchers are told of everything that were asked for now.
        var opened: [(port: UInt64, watchers: [WatcherID], head: Int64)] = []
        var deliveries: [(port: UInt64, [ServiceDelivery])] = []
        var points: [MemberPoint] = []
    }

    mutating func takeTurn(over store: MemoryStore, at revision: Int64, holdsSlice: Bool) throws -> Turn {
        var turn = Turn()
        let taken = messages
        messages = []
        for message in taken { try take(message, over: store, at: revision, &turn) }
        if let slice {
            self.slice = nil
            try step(.historyRead(slice), over: store, &turn)
        } else if hub.isHistoryDue {
            let slice = try store.read { try hub.nextSlice(in: $0) }
            if holdsSlice { self.slice = slice } else { try step(.historyRead(slice), over: store, &turn) }
        }
        for case .deliver(let delivery, let port) in outputs {
            if let place = turn.deliveries.firstIndex(where: { $0.port == port }) {
                turn.deliveries[place].1.append(delivery)
            } else {
                turn.deliveries.append((port, [delivery]))
            }
        }
        outputs.removeAll()
        return turn
    }

    private mutating func take(
        _ message: Message, over store: MemoryStore, at revision: Int64, _ turn: inout Turn
    ) throws {
        switch message {
        case .requests(let requests, let port):
            let opened = requests.compactMap { request -> WatcherID? in
                if case .watch(_, let id) = request { return id }
                return nil
            }
            if !opened.isEmpty { turn.opened.append((port, opened, revision)) }
            try step(.requested(requests, port: port, head: revision), over: store, &turn)
        case .portClosed(let port): try step(.portClosed(port), over: store, &turn)
        case .applied(let applied):
            waiting -= 1
            try step(.applied(applied), over: store, &turn)
        case .passedOver:
            hasPassedOver = false
            if hub.counts.synced > 0 { turn.points.append(.watchMissed) }
            try step(.missed(through: revision), over: store, &turn)
        case .storeReplaced(let revision): try step(.missed(through: revision), over: store, &turn)
        }
    }

    private mutating func step(_ input: WatchInput, over store: MemoryStore, _ turn: inout Turn) throws {
        let before = hub.counts
        hub.step(input, into: &outputs)
        if case .readPrevious(let versions)? = outputs.last {
            outputs.removeLast()
            hub.step(.previousRead(try store.read { try versions.answer(in: $0) }), into: &outputs)
        }
        let after = hub.counts
        if case .historyRead = input, after.synced > before.synced { turn.points.append(.watchCrossed) }
        if after.slow > before.slow { turn.points.append(.watchSlowed) }
        if case .requested = input, after.slow < before.slow, after.behind > before.behind {
            turn.points.append(.watchReadOn)
        }
    }
}

extension MemberHost {
    mutating func onWatchers(_ request: WatchersRequest, _ outputs: inout [Output]) {
        switch request {
        case .ask(let requests, let port): watchers!.ask(requests, port: port)
        case .close(let port): watchers!.close(port: port)
        case .turn(let holdsSlice):
            guard !keeper.isSuspended else { return }
            do {
                let turn = try watchers!.takeTurn(
                    over: store, at: member!.applier.ledger.revision, holdsSlice: holdsSlice)
                for point in turn.points { pass(point, &outputs) }
                for (port, ids, head) in turn.opened {
                    outputs.append(.report(.watching(port: port, ids, head: head)))
                }
                for (port, deliveries) in turn.deliveries {
                    outputs.append(.report(.delivered(port: port, deliveries)))
                }
            } catch { preconditionFailure("\(error)") }
        }
    }
}

extension WatchersRequest {
    var traceText: String {
        switch self {
        case .ask(let requests, let port): "\(port): \(requests.map(Self.text).joined(separator: ", "))"
        case .close(let port): "\(port): close"
        case .turn(let holdsSlice): holdsSlice ? "watchers, holding history" : "watchers"
        }
    }

    private static func text(_ request: WatchRequest) -> String {
        switch request {
        case .watch(let watch, let id): "watch \(id.rawValue) from \(watch.startRevision)"
        case .cancel(let id): "cancel \(id.rawValue)"
        case .consumed(let bytes, let id): "consumed \(bytes) of \(id.rawValue)"
        case .progress(_, let token): "progress \(token)"
        case .toldUpTo(let revision, _, let token): "told up to \(revision) \(token)"
        }
    }
}
