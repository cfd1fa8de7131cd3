import Automata
import Paxos

/// The proposals of this process's clients whose outcome is open, in the order in which they were made.
struct OutstandingProposals: Hashable, Sendable {
    /// With the message that carried it to the leader; zero at the leader itself.
    struct Proposed: Hashable, Sendable {
        let number: UInt64
        let sequence: UInt64
    }

    /// `nil` where the outcome is known.
    private var numbers: [Proposed?] = []
    /// Before it there are only `nil`s.
    private var head = 0
    /// Those before it were there at the last `expire`.
    private var mark = 0
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }

    mutating func append(_ number: UInt64, sequence: UInt64 = 0) {
        numbers.append(Proposed(number: number, sequence: sequence))
        count += 1
    }

    /// Says that the outcome is known; false when the proposal is not one of these. What is chosen was
    /// mostly proposed first, so this looks at the head first.
    mutating func settle(_ number: UInt64, sequence: UInt64? = nil) -> Bool {
        var index = head
        while index < numbers.count, numbers[index]?.number != number { index += 1 }
        guard index < numbers.count, sequence == nil || numbers[index]!.sequence == sequence else {
            return false
        }
        numbers[index] = nil
        count -= 1
        skipSettled()
        return true
    }

    mutating func takeAll() -> [Proposed] {
        let open = numbers[head...].compactMap { $0 }
        self = OutstandingProposals()
        return open
    }

    /// Takes those that were there at the last call already.
    mutating func expire() -> [Proposed] {
        let end = max(mark, head)
        let expired = numbers[head..<end].compactMap { $0 }
        count -= expired.count
        head = end
        skipSettled()
        mark = numbers.count
        return expired
    }

    private mutating func skipSettled() {
        while head < numbers.count, numbers[head] == nil { head += 1 }
        guard head == numbers.count || head >= 1024 && head > numbers.count / 2 else { return }
        numbers.removeFirst(head)
        mark = max(0, mark - head)
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
