import Automata
import Member
import Paxos
import Testing

@testable import Replica

@Suite("What waits for the log's disk") struct LogBacklogTests {
    private func record(of bytes: Int) -> ReplicaRecord {
        let entry = Entry.payload(
            ProposalID(process: ProcessID(1), number: 1), Payload([UInt8](repeating: 1, count: bytes)))
        return .accepted(.init(ballot: .none, first: Slot(1), entries: [entry], chosenUpTo: .zero))
    }

    @Test("the limit is in bytes, is told of once, and is left when half of it is durable")
    func limit() {
        var backlog = LogBacklog()
        var number: UInt64 = 0
        while !backlog.isFull {
            number += 1
            let reaches = backlog.note(record(of: 1 << 20), number: number, at: .zero)
            #expect(reaches == backlog.isFull)
        }
        #expect(number == 32)
        number += 1
        let reachesAgain = backlog.note(record(of: 1 << 20), number: number, at: .zero)
        #expect(!reachesAgain)
        var freed: UInt64 = 0
        for record in 1...number where backlog.onDurable(upTo: record, at: .zero) { freed = record }
        #expect(freed == 18)
        #expect(!backlog.isFull && backlog.bytes == 0)
    }

    @Test("what is durable is forgotten, whatever has passed through")
    func passesThrough() {
        var backlog = LogBacklog()
        for number in 1...20_000 as ClosedRange<UInt64> {
            let reaches = backlog.note(record(of: 10_000), number: number, at: .zero)
            let leaves = number % 100 == 0 && backlog.onDurable(upTo: number, at: .zero)
            #expect(!reaches && !leaves)
        }
        #expect(backlog.bytes == 0)
    }

    @Test("a disk stalls that finishes nothing while something waits, however long it had nothing to do")
    func stalls() {
        var backlog = LogBacklog()
        let second = TimeSpan.seconds(1)
        func at(_ seconds: UInt64) -> Instant { .zero + .seconds(seconds) }
        #expect(!backlog.hasStalled(for: second, at: at(100)))
        _ = backlog.note(record(of: 1), number: 1, at: at(100))
        #expect(!backlog.hasStalled(for: second, at: at(101)) && backlog.hasStalled(for: second, at: at(102)))
        _ = backlog.note(record(of: 1), number: 2, at: at(102))
        #expect(backlog.hasStalled(for: second, at: at(102)))
        _ = backlog.onDurable(upTo: 1, at: at(103))
        #expect(!backlog.hasStalled(for: second, at: at(104)) && backlog.hasStalled(for: second, at: at(105)))
        _ = backlog.onDurable(upTo: 2, at: at(105))
        #expect(!backlog.hasStalled(for: second, at: at(200)))
    }
}
