import Automata
import Paxos
import Testing

@Suite("Acceptor") struct AcceptorTests {
    private let low = Ballot(round: 1, process: ProcessID(1))
    private let high = Ballot(round: 1, process: ProcessID(2))

    private func value(_ text: String) -> Entry {
        .payload(ProposalID(process: ProcessID(1), number: 1), Payload(text))
    }

    @Test("a lower ballot is refused with a nack that carries the promised ballot")
    func nack() {
        var acceptor = Acceptor()
        #expect(acceptor.prepare(high) == .promised(changed: true))
        #expect(acceptor.prepare(low) == .nack(high))
        #expect(acceptor.accept(low, first: Slot(1), entries: [value("x")]) == .nack(high))
        #expect(acceptor.accepted.isEmpty)
    }

    @Test("the same ballot is promised again, and nothing new must become durable")
    func again() {
        var acceptor = Acceptor()
        _ = acceptor.prepare(low)
        #expect(acceptor.prepare(low) == .promised(changed: false))
    }

    @Test("accepting raises the promise, so that a ballot in between is refused")
    func acceptRaises() {
        var acceptor = Acceptor()
        #expect(acceptor.accept(high, first: Slot(1), entries: [value("x")]) == .accepted)
        #expect(acceptor.promised == high)
        #expect(acceptor.prepare(low) == .nack(high))
    }

    @Test("a higher ballot replaces what was accepted, and later slots stay at their ballot")
    func replace() {
        var acceptor = Acceptor()
        _ = acceptor.accept(low, first: Slot(1), entries: [value("a"), value("b"), value("c")])
        _ = acceptor.accept(high, first: Slot(1), entries: [value("x"), value("y")])
        #expect(acceptor.accepted[Slot(2)] == value("y"))
        #expect(acceptor.accepted.ballot(at: Slot(2)) == high)
        #expect(acceptor.accepted[Slot(3)] == value("c"))
        #expect(acceptor.accepted.ballot(at: Slot(3)) == low)
    }

    @Test("entries that would leave a hole are not accepted")
    func gap() {
        var acceptor = Acceptor()
        _ = acceptor.accept(low, first: Slot(1), entries: [value("a")])
        #expect(acceptor.accept(low, first: Slot(3), entries: [value("c")]) == .gap(after: Slot(1)))
        #expect(acceptor.accepted.last == Slot(1))
    }

    @Test("slots that were trimmed are skipped")
    func trimmed() {
        var acceptor = Acceptor()
        _ = acceptor.accept(low, first: Slot(1), entries: [value("a"), value("b")])
        acceptor.trim(upTo: Slot(2))
        #expect(
            acceptor.accept(high, first: Slot(1), entries: [value("x"), value("y"), value("z")]) == .accepted)
        #expect(acceptor.accepted.floor == Slot(2))
        #expect(acceptor.accepted.last == Slot(3))
        #expect(acceptor.accepted[Slot(3)] == value("z"))
    }
}
