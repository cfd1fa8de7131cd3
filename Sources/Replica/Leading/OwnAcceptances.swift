import Automata
import Paxos

/// What a leader has accepted itself and not yet made durable: its own vote counts no earlier than any other.
struct OwnAcceptances: Hashable, Sendable {
    private struct Acceptance: Hashable, Sendable {
        let record: RecordNumber
        let upTo: Slot
    }

    /// In order.
    private var waiting: [Acceptance] = []

    mutating func append(upTo slot: Slot, in record: RecordNumber) {
        waiting.append(Acceptance(record: record, upTo: slot))
    }

    /// Up to where more is durable now that all records up to this one are; `nil` when nothing is.
    mutating func takeDurable(upTo record: RecordNumber) -> Slot? {
        let count = waiting.firstIndex { $0.record > record } ?? waiting.count
        guard count > 0 else { return nil }
        defer { waiting.removeFirst(count) }
        return waiting[count - 1].upTo
    }
}
