import Coordination

/// The events of one batch, of which many watchers may want the same part: whatever two of them want alike is
/// made once.
struct SharedEvents: Sendable {
    typealias Part = (events: [KeyValueEvent], bytes: Int)

    /// The parts that were made, of events with what they replaced or of those without.
    private struct Parts: Sendable {
        var whole: Part?
        /// Of one event each, by its position; empty until the first is made.
        var singles: [Part?] = []
    }

    private let all: [KeyValueEvent]
    private let previous: PreviousVersions
    private var plain = Parts()
    private var withPrevious = Parts()

    init(_ events: [KeyValueEvent], _ previous: PreviousVersions) {
        all = events
        self.previous = previous
    }

    /// The events at these positions, which ascend, and what they count for.
    mutating func events(at positions: [Int32], withPrevious isPreviousWanted: Bool) -> Part {
        if isPreviousWanted {
            return part(positions, of: &withPrevious) { previous.event(at: $0) ?? all[Int($0)] }
        }
        return part(positions, of: &plain) { all[Int($0)] }
    }

    private func part(
        _ positions: [Int32], of parts: inout Parts, _ event: (Int32) -> KeyValueEvent
    ) -> Part {
        if positions.count == all.count {
            if let whole = parts.whole { return whole }
            let whole = weighed(positions.map(event))
            parts.whole = whole
            return whole
        }
        guard positions.count == 1 else { return weighed(positions.map(event)) }
        let place = Int(positions[0])
        if parts.singles.isEmpty { parts.singles = Array(repeating: nil, count: all.count) }
        if let single = parts.singles[place] { return single }
        let single = weighed([event(positions[0])])
        parts.singles[place] = single
        return single
    }

    private func weighed(_ events: [KeyValueEvent]) -> Part {
        (events, events.reduce(0) { $0 + $1.byteCount })
    }
}
