import Automata
import Paxos

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

/// What was forwarded to a leader that is none any more, as long as it may still say that it never proposed it.
struct DoubtfulProposals: Hashable, Sendable {
    /// In the order of their numbers.
    private var proposals: [OutstandingProposals.Proposed] = []
    /// Those that were there at the last `expire`.
    private var old: [OutstandingProposals.Proposed] = []

    var isEmpty: Bool { proposals.isEmpty && old.isEmpty }

    mutating func add(_ more: [OutstandingProposals.Proposed]) {
        let forwarded = more.filter { $0.sequence > 0 }
        guard !forwarded.isEmpty else { return }
        proposals = (proposals + forwarded).sorted { $0.number < $1.number }
    }

    /// False when it is none of these, or was forwarded by another message.
    mutating func settle(_ number: UInt64, sequence: UInt64) -> Bool {
        Self.remove(number, sequence, from: &proposals) || Self.remove(number, sequence, from: &old)
    }

    /// Forgets those that were there at the last call already: nobody waits for them any more.
    mutating func expire() {
        old = proposals
        proposals = []
    }

    private static func remove(
        _ number: UInt64, _ sequence: UInt64, from list: inout [OutstandingProposals.Proposed]
    ) -> Bool {
        var (low, high) = (0, list.count)
        while low < high {
            let middle = (low + high) / 2
            if list[middle].number < number { low = middle + 1 } else { high = middle }
        }
        guard low < list.count, list[low].number == number, list[low].sequence == sequence else {
            return false
        }
        list.remove(at: low)
        return true
    }
}

/// Which messages of a process a leader has seen, so that a copy made by the network proposes nothing twice.
struct ForwardWindow: Hashable, Sendable {
    let process: ProcessID
    private var incarnation: UInt64 = 0
    private var highest: UInt64 = 0
    /// Bit n: `highest` - n was seen.
    private var seen: UInt64 = 0

    init(_ process: ProcessID) { self.process = process }

    /// Whether this is the first time. What came so late that it is out of the window counts as a copy.
    mutating func admit(incarnation number: UInt64, sequence: UInt64) -> Bool {
        if number > incarnation {
            incarnation = number
            highest = sequence
            seen = 1
            return true
        }
        guard number == incarnation else { return false }
        if sequence > highest {
            let shift = sequence - highest
            seen = shift < 64 ? seen << shift | 1 : 1
            highest = sequence
            return true
        }
        let age = highest - sequence
        guard age < 64, seen & (1 << age) == 0 else { return false }
        seen |= 1 << age
        return true
    }
}

/// The reads of this process's clients while another leads.
struct ForwardedReads: Hashable, Sendable {
    /// Came after the last request was sent.
    var waiting: [ReadID] = []
    /// The last request stands for these.
    private(set) var asked: [ReadID] = []
    /// Of the last request.
    private(set) var number: UInt64 = 0

    var count: Int { waiting.count + asked.count }
    var isEmpty: Bool { waiting.isEmpty && asked.isEmpty }

    /// The number of the request to send: that of the one which is not answered, for the reads that it
    /// stands for, or else of a new one for all that wait. A request that is sent again keeps its number, so
    /// that an answer counts however long it takes.
    mutating func ask() -> UInt64 {
        guard asked.isEmpty else { return number }
        swap(&asked, &waiting)
        number += 1
        return number
    }

    mutating func takeAsked() -> [ReadID] {
        defer { asked = [] }
        return asked
    }

    mutating func takeAll() -> [ReadID] {
        defer {
            asked = []
            waiting = []
        }
        return asked + waiting
    }
}
