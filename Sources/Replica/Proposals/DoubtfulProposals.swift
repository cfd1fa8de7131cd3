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
