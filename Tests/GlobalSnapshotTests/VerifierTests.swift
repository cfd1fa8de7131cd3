import Automata
import Testing

@testable import GlobalSnapshot

@Suite("The verifier of snapshots") struct VerifierTests {
    /// Counts what it has received less what it has sent, from 5.
    struct Counter: ReplayedApplication {
        var count = 5
        var state: Payload { Payload("\(count)") }
        mutating func replay(_ event: RunEvent) -> Bool {
            switch event.kind {
            case .sent: count -= 1
            case .received: count += 1
            case .changed, .recorded: break
            }
            return count >= 0
        }
    }

    let id = SnapshotID(initiator: p1, sequence: 1)
    let topology = SnapshotTopology.complete([p1, p2])
    private let forth = MessageID(channel: ChannelID(from: p1, to: p2), number: 1)
    private let back = MessageID(channel: ChannelID(from: p2, to: p1), number: 1)
    private let m = Payload("m")

    /// p1 records and then sends; p2 sends before it records: neither 4, 5 nor 5, 4 was ever the state.
    private var run: [RunEvent] {
        [
            RunEvent(p1, .recorded(id)), RunEvent(p1, .sent(forth, m)), RunEvent(p2, .sent(back, m)),
            RunEvent(p2, .recorded(id)), RunEvent(p2, .received(forth, m)),
            RunEvent(p1, .received(back, m)),
        ]
    }
    private func snapshot(_ states: (String, String), _ messages: [RecordedMessage]) -> RecordedSnapshot {
        RecordedSnapshot(
            id: id, initiators: [p1],
            states: [
                .init(process: p1, state: Payload(states.0)), .init(process: p2, state: Payload(states.1)),
            ], messages: messages, completedAt: .zero)
    }
    private var good: RecordedSnapshot {
        snapshot(("5", "4"), [RecordedMessage(channel: back.channel, payload: m)])
    }

    @Test("the witness swaps neighbours until the recorded state occurs, and ends as the run did")
    func witness() throws {
        let verifier = try SnapshotVerifier(topology: topology, run: run, order: .fifo)
        #expect(try verifier.check(good).included.components.map(\.count) == [1])
        let witness = try verifier.witness(for: good)
        #expect(witness.swaps == 2 && witness.cutPosition == 1)
        #expect(witness.run.first == RunEvent(p2, .sent(back, m)))
        let last = try witness.replay(good, topology: topology, order: .fifo) { _ in Counter() }
        #expect(last.map(\.state) == [Payload("5"), Payload("5")])
    }

    private func code(_ body: () throws -> Void) -> SnapshotViolation.Code? {
        do {
            try body()
            return nil
        } catch { return (error as? SnapshotViolation)?.code }
    }

    @Test("a message that is received before the cut and sent after it refutes the cut, and has no witness")
    func inconsistent() throws {
        let run = [
            RunEvent(p1, .recorded(id)), RunEvent(p1, .sent(forth, m)), RunEvent(p2, .received(forth, m)),
            RunEvent(p2, .recorded(id)),
        ]
        let verifier = try SnapshotVerifier(topology: topology, run: run, order: .fifo)
        let snapshot = snapshot(("5", "6"), [])
        #expect(code { try verifier.check(snapshot) } == .inconsistentCut)
        #expect(code { _ = try verifier.witness(for: snapshot) } == .swap)
    }

    @Test("a channel that holds too little or too much is named, and so is a state that never was")
    func wrongContents() throws {
        let verifier = try SnapshotVerifier(topology: topology, run: run, order: .fifo)
        let twice = good.messages + good.messages
        #expect(code { try verifier.check(snapshot(("5", "4"), [])) } == .channelState)
        #expect(code { try verifier.check(snapshot(("5", "4"), twice)) } == .channelState)
        let wrong = snapshot(("5", "5"), good.messages)
        #expect(
            code {
                _ = try verifier.witness(for: wrong).replay(wrong, topology: topology, order: .fifo) { _ in
                    Counter()
                }
            } == .processState)
    }

    @Test("a process that never recorded, and a message out of nowhere, are refused")
    func malformed() throws {
        let verifier = try SnapshotVerifier(topology: topology, run: Array(run.prefix(3)), order: .fifo)
        #expect(code { try verifier.check(good) } == .recordings)
        #expect(
            code {
                _ = try SnapshotVerifier(topology: topology, run: [run[4]], order: .fifo)
            } == .impossibleEvent)
    }
}
