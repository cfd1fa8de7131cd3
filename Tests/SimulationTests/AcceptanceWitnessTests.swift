import Automata
import Paxos
import Replica
import Testing

@testable import ReplicaSimulation

@Suite("What the witness takes for chosen") struct AcceptanceWitnessTests {
    private let p1 = ProcessID(1)
    private let p2 = ProcessID(2)

    /// Writes and makes durable one acceptance of one entry.
    private func accept(
        _ entry: Entry, in slot: UInt64, at ballot: Ballot, by process: ProcessID, number: UInt64,
        _ witness: inout AcceptanceWitness
    ) throws {
        let acceptance = ReplicaRecord.Acceptance(
            ballot: ballot, first: Slot(slot), entries: [entry], chosenUpTo: .zero)
        try witness.onWrote(process, .accepted(acceptance))
        witness.onDurable(process, upTo: RecordNumber(number))
    }

    @Test("a change of configuration that was not chosen is not chosen by smaller quorums that come later")
    func smallerQuorums() throws {
        let first = Configuration(epoch: 1, voters: [p1, p2])
        let wide = try first.applying(.setQuorums(.flexible(phase1: 2, phase2: 1)))
        let other = try first.applying(.remove(p1))
        let (lower, higher) = (Ballot(round: 1, process: p2), Ballot(round: 2, process: p1))
        func change(_ number: UInt64, _ process: ProcessID, _ to: Configuration) -> Entry {
            .configuration(ProposalID(process: process, number: number), to)
        }
        var witness = AcceptanceWitness(bootstrap: first)
        // What p2 proposed in the first configuration has reached nobody else.
        try accept(change(1, p2, other), in: 2, at: lower, by: p2, number: 1, &witness)
        try accept(change(1, p1, wide), in: 1, at: higher, by: p1, number: 1, &witness)
        try accept(change(1, p1, wide), in: 1, at: higher, by: p2, number: 2, &witness)
        #expect(witness.lastChosen == Slot(1) && witness.configuration == wide)
        // p1 has found that by phase 1, and fills the slot.
        try accept(.noop, in: 2, at: higher, by: p1, number: 2, &witness)
        #expect(witness.chosen == [change(1, p1, wide), .noop])
    }
}
