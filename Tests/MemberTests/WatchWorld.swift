import Coordination
import Member

/// A hub over a store in memory. What it delivers is written down in words.
struct WatchWorld {
    static let port: UInt64 = 7

    let store = MemoryStore()
    var ledger: Ledger
    var hub: WatchHub
    private var outputs: [WatchOutput] = []
    private(set) var questions = 0

    init(_ settings: WatchHub.Settings = .init()) throws {
        ledger = try store.read { try Ledger(from: $0) }
        hub = WatchHub(revision: ledger.revision, settings: settings)
    }

    /// One batch, and what is to be told of it.
    mutating func apply(_ commands: KeyValueCommand...) throws -> AppliedEvents {
        let before = ledger.revision
        var consequences = Consequences()
        var ledger = ledger
        try store.write { transaction in
            for command in commands {
                _ = try ledger.apply(command.command, in: transaction, into: &consequences)
            }
        }
        self.ledger = ledger
        return AppliedEvents(after: before, through: ledger.revision, events: consequences.events)
    }

    mutating func tell(_ input: WatchInput) -> [String] {
        outputs = []
        hub.step(input, into: &outputs)
        if case .readPrevious(let versions)? = outputs.last {
            questions += 1
            outputs.removeLast()
            let previous = try? store.read { try versions.answer(in: $0) }
            hub.step(.previousRead(previous ?? []), into: &outputs)
        }
        return outputs.compactMap { output in
            guard case .deliver(let delivery, _) = output else { return nil }
            return Self.words(delivery)
        }
    }

    var delivered: [ServiceDelivery] {
        outputs.compactMap { output in
            guard case .deliver(let delivery, _) = output else { return nil }
            return delivery
        }
    }

    private static func words(_ delivery: ServiceDelivery) -> String {
        switch delivery {
        case .events(let watcher, let batch):
            let events = batch.events.map { event in
                let before = event.previous.map { "<\(text($0.value))" } ?? ""
                return "\(event.kind == .put ? "" : "-")\(text(event.keyValue.key))"
                    + "@\(event.keyValue.modRevision)\(before)"
            }
            return "\(watcher.rawValue): \(events.joined(separator: " "))"
        case .watchCompacted(let watcher, let revision): return "\(watcher.rawValue): compacted \(revision)"
        case .progress(let token, let revision): return "told \(token): \(revision)"
        default: return "\(delivery)"
        }
    }

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    mutating func happens(_ commands: KeyValueCommand...) throws -> [String] {
        var all: [String] = []
        for command in commands { all += tell(.applied(try apply(command))) }
        return all
    }

    mutating func ask(_ requests: WatchRequest..., port: UInt64 = port) -> [String] {
        tell(.requested(requests, port: port, head: ledger.revision))
    }

    func slice() throws -> HistorySlice { try store.read { try hub.nextSlice(in: $0) } }

    /// Slices, until nobody is behind.
    mutating func catchUp() throws -> [String] {
        var all: [String] = []
        while hub.isHistoryDue { all += tell(.historyRead(try slice())) }
        return all
    }
}

func put(_ key: String, _ value: String = "v") -> KeyValueCommand {
    .put(PutOperation(key: Array(key.utf8), value: Array(value.utf8)))
}

func delete(_ key: String) -> KeyValueCommand {
    .delete(DeleteOperation(range: KeyRange(key: Array(key.utf8))))
}

/// Every key.
let everything = KeyRange(key: [0], end: [])

func watch(
    _ id: UInt64, _ range: KeyRange = everything, from start: Int64 = 0,
    _ change: (inout WatchSpecification) -> Void = { _ in }
) -> WatchRequest {
    var specification = WatchSpecification(range: range, startRevision: start)
    change(&specification)
    return .watch(specification, WatcherID(id))
}

func progress(_ ids: UInt64...) -> WatchRequest { .progress(ids.map { WatcherID($0) }, token: 9) }

func toldUpTo(_ revision: Int64, _ ids: UInt64..., token: UInt64 = 9) -> WatchRequest {
    .toldUpTo(revision, ids.map { WatcherID($0) }, token: token)
}

extension WatchHub.Counts {
    static func of(ports: Int) -> WatchHub.Counts {
        var counts = WatchHub.Counts()
        counts.ports = ports
        return counts
    }
}
