import Automata
import Testing

@testable import GlobalSnapshot

@Suite("Stable properties of a snapshot") struct StablePropertyTests {
    private func snapshot(_ states: [String], _ messages: [(ProcessID, ProcessID, String)] = [])
        -> RecordedSnapshot
    {
        RecordedSnapshot(
            id: SnapshotID(initiator: p1, sequence: 1), initiators: [p1],
            states: states.enumerated().map {
                .init(process: ProcessID(UInt64($0.offset) + 1), state: Payload($0.element))
            },
            messages: messages.map {
                RecordedMessage(channel: ChannelID(from: $0.0, to: $0.1), payload: Payload($0.2))
            }, completedAt: .zero)
    }

    @Test("a computation has ended when all are passive and every channel is empty, and not before")
    func termination() {
        let termination = Termination { $1 == Payload("passive") }
        #expect(termination.verdict(on: snapshot(["passive", "passive"])).holds)
        #expect(!termination.verdict(on: snapshot(["passive", "passive"], [(p1, p2, "work")])).holds)
        let verdict = termination.verdict(on: snapshot(["passive", "active"]))
        #expect(!verdict.holds && verdict.processes == [p2])
    }

    @Test("a token in a channel is not lost, and one that is nowhere is")
    func lostToken() {
        let lost = LostTokens(
            expected: 1, held: { $1 == Payload("token") ? 1 : 0 },
            carried: { $0 == Payload("token") ? 1 : 0 })
        #expect(!lost.verdict(on: snapshot(["token", ""])).holds)
        #expect(!lost.verdict(on: snapshot(["", ""], [(p1, p2, "token")])).holds)
        #expect(lost.verdict(on: snapshot(["", ""])).holds)
    }

    /// States are `all 2 3` or `any 1`, or empty for a process that waits for nothing.
    private let deadlock = Deadlock(
        wait: { _, state in
            let words = state.description.split(separator: " ")
            let others = words.dropFirst().compactMap { UInt64($0).map(ProcessID.init) }
            return words.first == "all" ? .all(others) : words.first == "any" ? .any(others) : .nothing
        }, grants: { $0 == Payload("grant") })

    @Test("with AND requests a cycle is a deadlock, and names itself")
    func andCycle() {
        let verdict = deadlock.verdict(on: snapshot(["all 2 3", "all 1", ""]))
        #expect(verdict.holds && verdict.processes == [p1, p2])
        #expect(verdict.evidence == "p1 waits for p2 waits for p1")
    }

    @Test("with OR requests a cycle that can be left is none, and a knot is one")
    func orKnot() {
        #expect(!deadlock.verdict(on: snapshot(["any 2 3", "any 1", ""])).holds)
        #expect(deadlock.verdict(on: snapshot(["any 2 3", "any 1", "any 2"])).holds)
    }

    @Test("a grant under way ends a wait: without the channels a phantom would be reported")
    func phantom() {
        #expect(!deadlock.verdict(on: snapshot(["all 2", "all 1"], [(p2, p1, "grant")])).holds)
        #expect(deadlock.verdict(on: snapshot(["all 2", "all 1"], [(p2, p1, "other")])).holds)
    }
}
