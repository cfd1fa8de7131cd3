import Automata
import Coordination
import Synchronization

@testable import Runtime

/// Takes what a port delivers, and lets a test wait for what it expects.
final class Deliveries: Sendable {
    private let state = Mutex([ServiceDelivery]())

    var deliver: @Sendable ([ServiceDelivery]) -> Void {
        { deliveries in self.state.withLock { $0 += deliveries } }
    }

    var all: [ServiceDelivery] { state.withLock { $0 } }

    func events(of watcher: UInt64) -> [KeyValueEvent] {
        all.flatMap { delivery -> [KeyValueEvent] in
            if case .events(WatcherID(watcher), let batch) = delivery { return batch.events }
            return []
        }
    }

    func batches(of watcher: UInt64) -> [WatchBatch] {
        all.compactMap { delivery in
            if case .events(WatcherID(watcher), let batch) = delivery { return batch }
            return nil
        }
    }

    func answer(to token: UInt64) -> Result<ServiceAnswer, ServiceError>? {
        for case .answer(token, let result) in all { return result }
        return nil
    }

    func progress(of token: UInt64) -> Int64? {
        for case .progress(token, let revision) in all { return revision }
        return nil
    }
}

/// Whether `condition` comes to hold within `seconds`.
func eventually(within seconds: UInt64 = 10, _ condition: () throws -> Bool) rethrows -> Bool {
    let deadline = MonotonicClock.now() + .seconds(seconds)
    while true {
        if try condition() { return true }
        if deadline < MonotonicClock.now() { return false }
        pause(.milliseconds(1))
    }
}

func put(_ key: String, _ value: String = "v", lease: Int64 = 0) -> KeyValueCommand {
    var operation = PutOperation(key: Array(key.utf8), value: Array(value.utf8))
    operation.lease = lease
    return .put(operation)
}

func delete(_ key: String) -> KeyValueCommand {
    .delete(DeleteOperation(range: KeyRange(key: Array(key.utf8))))
}

func everything() -> KeyRange { KeyRange(key: [0], end: []) }

func prefix(_ text: String) -> KeyRange {
    var end = Array(text.utf8)
    end[end.count - 1] += 1
    return KeyRange(key: Array(text.utf8), end: end)
}

extension KeyValueEvent {
    var name: String { String(decoding: keyValue.key, as: UTF8.self) }
}
