import Automata
import Paxos
import Testing

@Suite("Proposer") struct ProposerTests {
    private let configuration = Configuration(voters: (1...3).map { ProcessID($0) })
    private let mine = Ballot(round: 9, process: ProcessID(1))

    private func value(_ text: String) -> Entry {
        .payload(ProposalID(process: ProcessID(1), number: 1), Payload(text))
    }

    private func chunk(_ first: UInt64, _ accepted: [(UInt64, String)]) -> AcceptedChunk {
        var runs: [AcceptedLog.Run] = []
        for (offset, one) in accepted.enumerated() {
            let ballot = Ballot(round: one.0, process: ProcessID(2))
            if runs.last?.ballot != ballot {
                runs.append(.init(first: Slot(first + UInt64(offset)), ballot: ballot))
            }
        }
        return AcceptedChunk(first: Slot(first), entries: accepted.map { value($0.1) }, runs: runs)
    }

    @Test("the value of the highest ballot is taken, not the one reported most")
    func highest() {
        var promises = PromiseCollection(ballot: mine, configuration: configuration, from: Slot(1))
        promises.add(chunk(1, [(1, "often"), (3, "s2")]))
        promises.add(chunk(1, [(1, "often")]))
        promises.add(chunk(1, [(2, "late"), (1, "old")]))
        #expect(promises.values == [value("late"), value("s2")])
    }

    @Test("a slot in which nobody accepted anything gets a noop")
    func hole() {
        var promises = PromiseCollection(ballot: mine, configuration: configuration, from: Slot(1))
        promises.add(chunk(3, [(1, "third")]))
        #expect(promises.values == [.noop, .noop, value("third")])
    }

    @Test("only acceptors that have told everything make a quorum")
    func quorum() {
        var promises = PromiseCollection(ballot: mine, configuration: configuration, from: Slot(1))
        promises.add(chunk(1, [(1, "a")]))
        promises.finish(ProcessID(2))
        promises.finish(ProcessID(2))
        #expect(!promises.isQuorum)
        promises.finish(ProcessID(9))
        #expect(!promises.isQuorum, "a process that is no voter does not count")
        promises.finish(ProcessID(1))
        #expect(promises.isQuorum)
    }

    @Test("what has become chosen in the meantime is left out")
    func raise() {
        var promises = PromiseCollection(ballot: mine, configuration: configuration, from: Slot(1))
        promises.add(chunk(1, [(1, "a"), (1, "b"), (1, "c")]))
        promises.raise(to: Slot(3))
        #expect(promises.values == [value("c")])
        promises.add(chunk(2, [(2, "x"), (2, "y")]))
        #expect(promises.values == [value("y")])
        promises.raise(to: Slot(8))
        #expect(promises.values.isEmpty)
        #expect(promises.last == Slot(7))
    }

    @Test("a slot is chosen once a phase-2 quorum has reached it, and answers may come late and twice")
    func tally() {
        var tally = AcceptanceTally(ballot: mine)
        tally.record(ProcessID(1), upTo: Slot(5))
        #expect(tally.chosenUpTo(in: configuration) == .zero)
        tally.record(ProcessID(3), upTo: Slot(3))
        tally.record(ProcessID(3), upTo: Slot(2))
        tally.record(ProcessID(9), upTo: Slot(9))
        #expect(tally.chosenUpTo(in: configuration) == Slot(3))
        tally.record(ProcessID(2), upTo: Slot(7))
        #expect(tally.chosenUpTo(in: configuration) == Slot(5))
    }
}
