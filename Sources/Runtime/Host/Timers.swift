import Automata
import Replica

/// The replica's timers and the host's own beat. There are few, so that a list serves better than a heap.
struct Timers {
    private var set: [(timer: ReplicaTimer, due: Instant)] = []
    private(set) var nextBeat: Instant
    private let beat: TimeSpan

    init(now: Instant, beat: TimeSpan) {
        self.beat = beat
        nextBeat = now + beat
    }

    /// The delay is drawn from the range; what was set before is replaced.
    mutating func set(_ timer: ReplicaTimer, after range: ClosedRange<TimeSpan>, now: Instant) {
        let delay = UInt64.random(in: range.lowerBound.nanoseconds...range.upperBound.nanoseconds)
        let due = now + TimeSpan(nanoseconds: delay)
        if let index = set.firstIndex(where: { $0.timer == timer }) {
            set[index].due = due
        } else {
            set.append((timer, due))
        }
    }

    mutating func cancel(_ timer: ReplicaTimer) { set.removeAll { $0.timer == timer } }

    var next: Instant {
        var next = nextBeat
        for entry in set where entry.due < next { next = entry.due }
        return next
    }

    /// Takes out one timer that is due.
    mutating func removeDue(at now: Instant) -> ReplicaTimer? {
        guard let index = set.firstIndex(where: { $0.due <= now }) else { return nil }
        return set.remove(at: index).timer
    }

    /// Whether the host's beat is due; the next one is set.
    mutating func takeBeat(at now: Instant) -> Bool {
        guard nextBeat <= now else { return false }
        nextBeat = now + beat
        return true
    }
}
