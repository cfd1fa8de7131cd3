import Automata
import Testing

@Suite("Vocabulary") struct AutomataTests {
    @Test("the time since a later instant is zero, never negative")
    func sinceNeverNegative() {
        let early = Instant(nanoseconds: 5)
        let late = early + .milliseconds(3)
        #expect(late.since(early) == .milliseconds(3))
        #expect(early.since(late) == .zero)
    }

    @Test("spans are said in their unit")
    func units() {
        #expect(TimeSpan.seconds(2) == .milliseconds(2_000))
        #expect(TimeSpan.milliseconds(7) * 3 == .milliseconds(21))
        #expect(TimeSpan.milliseconds(1500).description == "1500ms")
    }

    @Test("process names are ordered as numbers")
    func processOrder() {
        #expect([ProcessID(10), ProcessID(9)].sorted().map(\.description) == ["p9", "p10"])
    }
}

@Suite("Stable hash") struct StableHashTests {
    @Test("the hash is the same in every run")
    func known() {
        var hash = StableHash()
        hash.combine(1)
        hash.combine([1, 2, 3])
        #expect(hash.description == "e0681c125b7c0b124cf2755a302dfba1")
    }

    @Test("order and boundaries count")
    func boundaries() {
        func hashed(_ parts: [[UInt8]]) -> StableHash {
            var hash = StableHash()
            for part in parts { hash.combine(part) }
            return hash
        }
        #expect(hashed([[1], [2]]) != hashed([[1, 2]]))
        #expect(hashed([[1], [2]]) != hashed([[2], [1]]))
        #expect(hashed([[0]]) != hashed([[0, 0]]))
        #expect(hashed([]) != hashed([[]]))
    }

    @Test("a hash can be written down and continued")
    func continued() {
        var whole = StableHash()
        whole.combine(1)
        var resumed = StableHash(low: whole.value.low, high: whole.value.high)
        whole.combine(2)
        resumed.combine(2)
        #expect(whole == resumed)
    }
}
