import Automata
import Paxos
import Testing

@Suite("Accepted log") struct AcceptedLogTests {
    /// The same by the book: one ballot and one entry for every slot.
    private struct Naive {
        var floor: UInt64 = 0
        var slots: [UInt64: (Ballot, Entry)] = [:]
        var last: UInt64 { max(floor, slots.keys.max() ?? 0) }
    }

    private struct Draws {
        var state: UInt64
        mutating func below(_ bound: UInt64) -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (state >> 33) % bound
        }
    }

    @Test("it holds what a map from slots would hold, whatever is written and trimmed")
    func likeMap() {
        var draws = Draws(state: 1)
        for _ in 0..<60 {
            var acceptor = Acceptor()
            var naive = Naive()
            var round: UInt64 = 1
            for step in 0..<40 {
                if draws.below(4) == 0 { round += 1 }
                let ballot = Ballot(round: round, process: ProcessID(1))
                if draws.below(8) == 0 {
                    let floor = naive.floor + draws.below(naive.last - naive.floor + 3)
                    acceptor.trim(upTo: Slot(floor))
                    naive.floor = max(naive.floor, floor)
                    naive.slots = naive.slots.filter { $0.key > naive.floor }
                } else {
                    let first = naive.floor + 1 + draws.below(naive.last - naive.floor + 1)
                    let entries = (0..<draws.below(5)).map { offset in
                        Entry.payload(
                            ProposalID(process: ProcessID(1), number: UInt64(step)), Payload("\(offset)"))
                    }
                    #expect(acceptor.accept(ballot, first: Slot(first), entries: entries) == .accepted)
                    for (offset, entry) in entries.enumerated() {
                        naive.slots[first + UInt64(offset)] = (ballot, entry)
                    }
                }
                check(acceptor.accepted, naive)
            }
        }
    }

    private func check(_ log: AcceptedLog, _ naive: Naive) {
        #expect(log.floor.rawValue == naive.floor)
        #expect(log.last.rawValue == naive.last)
        for (slot, (ballot, entry)) in naive.slots {
            #expect(log[Slot(slot)] == entry)
            #expect(log.ballot(at: Slot(slot)) == ballot)
            var end = slot - 1
            while naive.slots[end + 1]?.0 == ballot { end += 1 }
            #expect(log.end(of: ballot, after: Slot(slot - 1)).rawValue == end)
            let chunk = log.chunk(from: Slot(slot), bytesLimit: 100)
            for (offset, entry) in chunk.entries.enumerated() {
                let at = slot + UInt64(offset)
                #expect(naive.slots[at]?.1 == entry)
                #expect(chunk.runs.last { $0.first.rawValue <= at }?.ballot == naive.slots[at]?.0)
            }
            #expect(!chunk.entries.isEmpty)
        }
        for (run, next) in zip(log.runs, log.runs.dropFirst()) { #expect(run.ballot != next.ballot) }
        #expect(log.isEmpty || log.runs.first?.first == log.floor.next)
    }

    @Test("a batch ends before the limit of bytes, and an entry above it travels alone")
    func limits() {
        var acceptor = Acceptor()
        let ballot = Ballot(round: 1, process: ProcessID(1))
        let id = ProposalID(process: ProcessID(1), number: 1)
        let sizes = [10, 10, 500, 10]
        let entries = sizes.map { Entry.payload(id, Payload([UInt8](repeating: 0, count: $0))) }
        _ = acceptor.accept(ballot, first: Slot(1), entries: entries)
        let log = acceptor.accepted
        #expect(log.entries(from: Slot(1), through: Slot(4), bytesLimit: 100).count == 2)
        #expect(log.entries(from: Slot(3), through: Slot(4), bytesLimit: 100).count == 1)
        #expect(log.entries(from: Slot(1), through: Slot(1), bytesLimit: 100).count == 1)
        #expect(log.entries(from: Slot(5), through: Slot(9), bytesLimit: 100).isEmpty)
    }
}
