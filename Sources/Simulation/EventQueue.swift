import Automata

/// What is to happen, in order of time; what is due at the same instant happens in the order in which it
/// was scheduled. A binary heap of small keys; the events stay where they are.
public struct EventQueue<Event> {
    private var keys = KeyHeap()
    private var events: [Event?] = []
    private var free: [Int] = []

    public init() {}

    public var isEmpty: Bool { keys.isEmpty }

    public mutating func schedule(_ event: Event, at time: Instant) {
        let place: Int
        if let reused = free.popLast() {
            place = reused
            events[place] = event
        } else {
            place = events.count
            events.append(event)
        }
        keys.insert(place, at: time)
    }

    public mutating func popFirst() -> (time: Instant, event: Event)? {
        guard let (time, place) = keys.popFirst() else { return nil }
        free.append(place)
        return events[place].take().map { (time, $0) }
    }
}

/// The order of the queue, apart from the events so that it is not generic.
struct KeyHeap {
    private struct Key {
        let time: Instant
        let sequence: UInt64
        let place: Int

        func isBefore(_ other: Key) -> Bool {
            time < other.time || time == other.time && sequence < other.sequence
        }
    }

    private var heap: [Key] = []
    private var inserted: UInt64 = 0

    var isEmpty: Bool { heap.isEmpty }

    mutating func insert(_ place: Int, at time: Instant) {
        inserted += 1
        heap.append(Key(time: time, sequence: inserted, place: place))
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child].isBefore(heap[parent]) else { break }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    mutating func popFirst() -> (time: Instant, place: Int)? {
        guard !heap.isEmpty else { return nil }
        heap.swapAt(0, heap.count - 1)
        let first = heap.removeLast()
        var parent = 0
        while true {
            var least = parent
            if 2 * parent + 1 < heap.count, heap[2 * parent + 1].isBefore(heap[least]) {
                least = 2 * parent + 1
            }
            if 2 * parent + 2 < heap.count, heap[2 * parent + 2].isBefore(heap[least]) {
                least = 2 * parent + 2
            }
            if least == parent { break }
            heap.swapAt(parent, least)
            parent = least
        }
        return (first.time, first.place)
    }
}
