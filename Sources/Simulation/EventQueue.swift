import Automata

/// What is to happen, in order of time; what is due at the same instant happens in the order in which it
/// was scheduled. A binary heap.
struct EventQueue<Event> {
    private struct Item {
        let time: Instant
        let sequence: UInt64
        let event: Event

        func isBefore(_ other: Item) -> Bool { (time, sequence) < (other.time, other.sequence) }
    }

    private var heap: [Item] = []
    private var scheduled: UInt64 = 0

    var isEmpty: Bool { heap.isEmpty }
    var count: Int { heap.count }
    var nextTime: Instant? { heap.first?.time }

    mutating func schedule(_ event: Event, at time: Instant) {
        scheduled += 1
        heap.append(Item(time: time, sequence: scheduled, event: event))
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child].isBefore(heap[parent]) else { break }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    mutating func popFirst() -> (time: Instant, event: Event)? {
        guard !heap.isEmpty else { return nil }
        heap.swapAt(0, heap.count - 1)
        let first = heap.removeLast()
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count {
                if heap[child].isBefore(heap[least]) { least = child }
            }
            if least == parent { break }
            heap.swapAt(parent, least)
            parent = least
        }
        return (first.time, first.event)
    }
}
