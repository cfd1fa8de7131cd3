import Automata
import Member
import Testing

@Suite struct QuorumWaitTests {
    private let a = ProcessID(1)
    private let b = ProcessID(2)

    @Test(
        "it is said after an election timeout, then every ten seconds, or once a second when others are reached"
    )
    func pace() {
        var wait = QuorumWait()
        func isDue(_ milliseconds: UInt64, _ reached: [ProcessID]) -> Bool {
            wait.isDue(
                .zero + .milliseconds(milliseconds), since: .zero + .milliseconds(500), patience: .seconds(1),
                reached: reached)
        }
        #expect(!isDue(1_400, [a]))
        #expect(isDue(1_500, [a]))
        #expect(!isDue(2_499, [a, b]))
        #expect(isDue(2_500, [a, b]))
        #expect(!isDue(12_400, [a, b]))
        #expect(isDue(12_500, [a, b]))
        wait.ended()
        #expect(isDue(12_600, [a, b]))
    }
}
