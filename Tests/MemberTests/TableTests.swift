import Automata
import Paxos
import Testing

@testable import Member
@testable import Replica

@Suite("Tables of what waits")
struct TableTests {
    private func pending(_ seconds: UInt64) -> ProposalTable.Pending {
        .init(
            origin: .own(.compact), payload: Payload([]), begun: .zero, deadline: .zero + .seconds(seconds))
    }

    @Test("proposals are numbered in order, found once, and unknown numbers are nobody's")
    func proposals() {
        var table = ProposalTable(first: 100)
        let numbers = (0..<5000).map { table.add(pending(UInt64($0 + 1))) }
        #expect(numbers == Array(100..<5100))
        #expect(table.remove(99) == nil)
        #expect(table.remove(5100) == nil)
        for number in numbers.reversed() where number % 2 == 0 { #expect(table.remove(number) != nil) }
        #expect(table.count == 2500)
        #expect(table.remove(100) == nil)
        for number in numbers where number % 2 == 1 { #expect(table.remove(number) != nil) }
        #expect(table.count == 0)
        #expect(table.add(pending(1)) == 5100)
    }

    @Test("the oldest proposal expires first, and none before its time")
    func expiry() {
        var table = ProposalTable(first: 1)
        for second in 1...3 { _ = table.add(pending(UInt64(second))) }
        _ = table.remove(1)
        #expect(table.removeExpired(at: .zero + .seconds(2)) == nil)
        #expect(table.removeExpired(at: .zero + .milliseconds(2001))?.deadline == .zero + .seconds(2))
        #expect(table.removeExpired(at: .zero + .milliseconds(2001)) == nil)
        #expect(table.count == 1)
    }

    @Test("what was held for want of a leader is released once, in order, without what has ended")
    func held() {
        var table = ProposalTable(first: 1)
        for _ in 0..<4 { _ = table.add(pending(9)) }
        for number in [1, 2, 4] as [UInt64] { table.hold(number) }
        _ = table.remove(2)
        #expect(table.release().map(\.number) == [1, 4])
        #expect(table.release().isEmpty)
    }

    @Test("a read is answered once its slot is applied, and an answer to an earlier id means nothing")
    func reads() {
        var table = ReadTable()
        let first = table.add([], state: .requested(at: .zero), begun: .zero, deadline: .zero + .seconds(7))
        let second = table.renew(requestedBefore: .zero + .seconds(1), now: .zero + .seconds(1))
        #expect(second.count == 1 && second[0] != first)
        table.confirm(first, at: Slot(1))
        #expect(table.removeReady(applied: Slot(9)).isEmpty)
        table.confirm(second[0], at: Slot(10))
        #expect(table.removeReady(applied: Slot(9)).isEmpty)
        #expect(table.removeReady(applied: Slot(10)).count == 1)
        #expect(table.isEmpty)
    }

    @Test("a segment of the log goes only when no record up to its end is needed")
    func segments() {
        var segments = LogSegments(current: 1)
        func accepted(_ slot: UInt64) -> ReplicaRecord {
            .accepted(.init(ballot: .none, first: Slot(slot), entries: [.noop], chosenUpTo: .zero))
        }
        segments.note(accepted(7))
        segments.note(.promised(.none))
        segments.cut()
        segments.note(accepted(8))
        segments.begin(2)
        segments.cut()
        segments.begin(nil)
        #expect(segments.removable(before: Slot(7)) == nil)
        #expect(segments.removable(before: Slot(8)) == 2)
        #expect(segments.removable(before: Slot(100)) == nil)
        segments.cut()
        segments.begin(3)
        #expect(segments.removable(before: Slot(8)) == nil)
        #expect(segments.removable(before: Slot(9)) == 3)
    }
}
