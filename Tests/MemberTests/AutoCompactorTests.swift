import Automata
import Member
import Testing

@Suite("Compaction on its own") struct AutoCompactorTests {
    @Test("periodic compaction keeps what is younger than the retention")
    func periodicCompaction() {
        var compactor = AutoCompactor(.periodic(.seconds(10)))
        var compacted: [(second: UInt64, revision: Int64)] = []
        for second in 0..<30 as Range<UInt64> {
            let revision = Int64(second * 100 + 1)
            if let target = compactor.due(
                revision: revision, compacted: compacted.last?.revision ?? 0, now: .zero + .seconds(second),
                isLeading: true)
            {
                compacted.append((second, target))
            }
        }
        #expect(compacted.first?.second == 10)
        #expect(compacted.allSatisfy { $0.revision == Int64(($0.second - 10) * 100 + 1) })
        #expect(compacted.count == 20)
    }

    @Test("compaction by revision keeps as many as it was told, and members that follow compact nothing")
    func revisionCompaction() {
        var compactor = AutoCompactor(.revision(1000))
        #expect(compactor.due(revision: 500, compacted: 0, now: .zero, isLeading: true) == nil)
        #expect(
            compactor.due(revision: 5000, compacted: 0, now: .zero + .seconds(10), isLeading: true) == nil)
        #expect(
            compactor.due(revision: 5000, compacted: 0, now: .zero + .seconds(300), isLeading: true) == 4000)
        #expect(
            compactor.due(revision: 9000, compacted: 4000, now: .zero + .seconds(600), isLeading: false)
                == nil)
    }
}
