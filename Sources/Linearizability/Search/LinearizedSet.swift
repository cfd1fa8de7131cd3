/// Which operations are linearized, as bits in the order of invocation.
struct LinearizedSet {
    private var words: [UInt64]
    /// Words below this one are full.
    private var firstOpen = 0
    /// Words from this one on are empty.
    private var end = 0

    init(count: Int) { words = Array(repeating: 0, count: (count + 63) / 64 + 1) }

    mutating func insert(_ index: Int) {
        words[index / 64] |= 1 << UInt64(index % 64)
        end = max(end, index / 64 + 1)
        while words[firstOpen] == .max { firstOpen += 1 }
    }

    mutating func remove(_ index: Int) {
        words[index / 64] &= ~(1 << UInt64(index % 64))
        firstOpen = min(firstOpen, index / 64)
        while end > 0, words[end - 1] == 0 { end -= 1 }
    }

    /// The same for equal sets only. Operations take effect roughly in the order in which they were invoked, so that
    /// the words that are neither full nor empty are few.
    var key: Key {
        func word(_ index: Int) -> UInt64 { index < end ? words[index] : 0 }
        return Key(
            firstOpen: firstOpen, first: word(firstOpen), second: word(firstOpen + 1),
            rest: end > firstOpen + 2 ? Array(words[(firstOpen + 2)..<end]) : [])
    }

    struct Key: Hashable {
        let firstOpen: Int
        let first: UInt64
        let second: UInt64
        let rest: [UInt64]

        func hash(into hasher: inout Hasher) {
            hasher.combine(UInt64(truncatingIfNeeded: firstOpen) ^ first &* 0x9E37_79B9_7F4A_7C15)
            hasher.combine(second)
            for word in rest { hasher.combine(word) }
        }
    }
}
