import Automata

/// The proposals of this process's clients whose outcome is open.
///
/// They are kept in the order of their numbers, which is nearly always that in which they are made. After a
/// change of leader thousands may be chosen of which nobody waits here for the outcome any more, while thousands
/// of new ones are open: each must be told apart by a search, not by looking through all.
struct OutstandingProposals: Hashable, Sendable {
    /// With the message that carried it to the leader; zero at the leader itself.
    struct Proposed: Hashable, Sendable {
        let number: UInt64
        let sequence: UInt64
    }

    private struct Item: Hashable, Sendable {
        let proposed: Proposed
        /// How often `expire` had been called when it was added.
        let period: UInt64
        /// The outcome is known.
        var isSettled = false
    }

    /// Ascending by number.
    private var items: [Item] = []
    /// Those before it are settled.
    private var head = 0
    private var period: UInt64 = 0
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }

    mutating func append(_ number: UInt64, sequence: UInt64 = 0) {
        let item = Item(proposed: Proposed(number: number, sequence: sequence), period: period)
        count += 1
        if items.last.map({ $0.proposed.number < number }) ?? true {
            items.append(item)
        } else {
            items.insert(item, at: position(of: number))
        }
    }

    /// Says that the outcome is known; false when the proposal is not one of these, or was forwarded by another
    /// message than that of this number.
    mutating func settle(_ number: UInt64, sequence: UInt64? = nil) -> Bool {
        var index = position(of: number)
        // A number that was settled may have been proposed again.
        while index < items.count, items[index].isSettled, items[index].proposed.number == number {
            index += 1
        }
        guard index < items.count, items[index].proposed.number == number,
            sequence == nil || items[index].proposed.sequence == sequence
        else { return false }
        items[index].isSettled = true
        count -= 1
        skipSettled()
        return true
    }

    /// Where the first with this number or a higher one is, of those that may be open. `looking` is called for
    /// each that is looked at.
    func position(of number: UInt64, looking: () -> Void = {}) -> Int {
        var (low, high) = (head, items.count)
        while low < high {
            // What is chosen was mostly proposed first.
            let middle = low == head ? low : (low + high) / 2
            looking()
            if items[middle].proposed.number < number { low = middle + 1 } else { high = middle }
        }
        return low
    }

    mutating func takeAll() -> [Proposed] {
        let open = items[head...].filter { !$0.isSettled }.map(\.proposed)
        items = []
        head = 0
        count = 0
        return open
    }

    /// Takes those that were there at the last call already.
    mutating func expire() -> [Proposed] {
        let expired = items[head...].filter { !$0.isSettled && $0.period < period }.map(\.proposed)
        items.removeAll { $0.isSettled || $0.period < period }
        head = 0
        count = items.count
        period += 1
        return expired
    }

    private mutating func skipSettled() {
        while head < items.count, items[head].isSettled { head += 1 }
        guard head == items.count || head >= 1024 && head > items.count / 2 else { return }
        items.removeFirst(head)
        head = 0
    }
}
