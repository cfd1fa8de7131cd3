import Coordination

/// What puts and deletes of one batch have replaced, for the watchers that want to know: a question to the store, and
/// the events with its answer.
public struct PreviousVersions: Sendable {
    /// Positions of events that the store is asked about, ascending, and those events.
    private var positions: [Int32] = []
    private var events: [KeyValueEvent] = []

    init() {}

    var isEmpty: Bool { positions.isEmpty }

    /// To be called in the order of positions. The store is not asked what the event itself says: what it has in hand,
    /// and that a key's first version replaced nothing.
    mutating func ask(about event: KeyValueEvent, at position: Int32) {
        guard event.space == .keyValue, event.previous == nil,
            event.kind == .delete || event.keyValue.version > 1
        else { return }
        positions.append(position)
        events.append(event)
    }

    /// What each of the events has replaced. It is missing when it was compacted meanwhile, as in etcd.
    public func answer(in reader: any OrderedReader) throws -> [KeyValue?] {
        let history = KeyValueReader(reader)
        return try events.map {
            try history.previous(of: $0.keyValue.key, before: $0.keyValue.modRevision)
        }
    }

    mutating func fill(_ answer: [KeyValue?]) {
        for (place, previous) in zip(events.indices, answer) { events[place].previous = previous }
    }

    /// The event with what it has replaced; nil when the store was not asked about it.
    func event(at position: Int32) -> KeyValueEvent? {
        var low = 0
        var high = positions.count
        while low < high {
            let middle = (low + high) / 2
            if positions[middle] < position { low = middle + 1 } else { high = middle }
        }
        return low < positions.count && positions[low] == position ? events[low] : nil
    }
}
