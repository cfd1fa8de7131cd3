import Testing

@testable import Replica

@Suite("Proposals whose outcome is open") struct OutstandingTests {
    private func outstanding(_ numbers: some Sequence<UInt64>) -> OutstandingProposals {
        var outstanding = OutstandingProposals()
        for number in numbers { outstanding.append(number) }
        return outstanding
    }

    private func settle(_ open: inout OutstandingProposals, _ number: UInt64, sequence: UInt64? = nil) -> Bool
    {
        open.settle(number, sequence: sequence)
    }

    /// After a change of leader the old proposals are chosen while new ones are open.
    @Test("one of ten thousand is found, and one that is not there is missed, after looking at few")
    func work() {
        let open = outstanding(10_001...20_000)
        for number in [1, 10_000, 10_001, 10_002, 15_000, 19_999, 20_000, 20_001] as [UInt64] {
            var looks = 0
            _ = open.position(of: number) { looks += 1 }
            #expect(looks <= 16, "\(number)")
        }
        var looks = 0
        _ = open.position(of: 10_001) { looks += 1 }
        #expect(looks == 1, "the oldest is the first that is looked at")
    }

    @Test("each is settled once, in whatever order")
    func settled() {
        var open = outstanding(1...3_000)
        let order = (1...3_000 as ClosedRange<UInt64>).sorted { $0 % 7 < $1 % 7 }
        for number in order {
            #expect(settle(&open, number))
            #expect(!settle(&open, number))
        }
        #expect(open.isEmpty && open.takeAll().isEmpty)
    }

    @Test("what was held and is proposed after later ones is found, and so is what is proposed again")
    func outOfOrder() {
        var open = outstanding([5, 9, 2, 7])
        #expect(open.takeAll().map(\.number) == [2, 5, 7, 9])
        open = outstanding([1, 5])
        #expect(settle(&open, 5))
        open.append(5, sequence: 3)
        #expect(!settle(&open, 5, sequence: 2))
        #expect(settle(&open, 5, sequence: 3))
        #expect(open.takeAll().map(\.number) == [1])
    }

    @Test("what was there at the last call expires, and nothing that is newer")
    func expires() {
        var open = outstanding([1, 2, 3])
        #expect(open.expire().isEmpty)
        open.append(4)
        #expect(settle(&open, 2))
        #expect(open.expire().map(\.number) == [1, 3])
        #expect(open.count == 1)
        #expect(open.expire().map(\.number) == [4])
        #expect(open.isEmpty)
    }
}
