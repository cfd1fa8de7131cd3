import Paxos

/// Which of the log's segments may go: those in which no record is of a slot that is still needed.
public struct LogSegments: Hashable, Sendable {
    private struct Closed: Hashable {
        var number: UInt64
        var highest: Slot
    }

    /// Segments that are complete, oldest first, each with the highest slot that any record up to its end
    /// names.
    private var closed: [Closed] = []
    private var current: UInt64
    private var highest = Slot.zero
    /// The highest slot at the cuts that the log thread has not yet reported.
    private var cuts: [Slot] = []

    public init(current: UInt64 = 1) { self.current = current }

    public mutating func note(_ record: ReplicaRecord) {
        if let slots = record.slots, highest < slots.upperBound { highest = slots.upperBound }
    }

    /// The segment in which the records noted so far lie is to end.
    public mutating func cut() { cuts.append(highest) }

    /// Recovery has read every record of the segments up to `number`, and goes on in that one.
    public mutating func recovered(_ segments: ClosedRange<UInt64>) {
        closed = (segments.lowerBound..<segments.upperBound).map { Closed(number: $0, highest: highest) }
        current = segments.upperBound
    }

    /// `number` is nil when there was no room to begin one.
    public mutating func begin(_ number: UInt64?) {
        guard !cuts.isEmpty else { return }
        let highest = cuts.removeFirst()
        guard let number else { return }
        closed.append(Closed(number: current, highest: highest))
        current = number
    }

    /// The number before which all segments may go when nothing before `slot` is needed; nil when none may.
    public mutating func removable(before slot: Slot) -> UInt64? {
        let count = closed.prefix { $0.highest < slot }.count
        guard count > 0 else { return nil }
        let last = closed[count - 1].number
        closed.removeFirst(count)
        return last + 1
    }
}
