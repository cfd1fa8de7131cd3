import Automata
import Paxos
import Testing

@Suite("Configuration changes") struct ConfigurationChangeTests {
    private func process(_ number: UInt64) -> ProcessID { ProcessID(number) }

    @Test("each change counts the epoch up and does what it says")
    func changes() throws {
        let start = Configuration(voters: [process(1), process(2), process(3)])
        let learner = try start.applying(.add(process(4), asLearner: true))
        #expect(learner.epoch == 2)
        #expect(learner.learners == [process(4)])
        #expect(learner.voters.count == 3)
        let promoted = try learner.applying(.promote(process(4)))
        #expect(promoted.learners.isEmpty && promoted.voters.count == 4)
        let removed = try promoted.applying(.remove(process(1)))
        #expect(removed.voters == [process(2), process(3), process(4)])
        let replaced = try removed.applying(.replace(process(2), with: process(9)))
        #expect(replaced.voters == [process(3), process(4), process(9)])
        #expect(replaced.epoch == 5)
    }

    @Test("a learner may take the place of a voter")
    func replaceByLearner() throws {
        let start = try Configuration(
            voters: [process(1), process(2)], learners: [process(3)], quorums: .majority)
        let next = try start.applying(.replace(process(1), with: process(3)))
        #expect(next.voters == [process(2), process(3)])
        #expect(next.learners.isEmpty)
    }

    @Test("a change of the wrong process is refused")
    func wrongSubject() {
        let start = Configuration(voters: [process(1), process(2)], learners: [process(3)])
        for change: ConfigurationChange in [
            .add(process(1), asLearner: true), .add(process(3), asLearner: false), .remove(process(9)),
            .promote(process(1)), .replace(process(1), with: process(2)),
            .replace(process(9), with: process(8)),
        ] {
            #expect(throws: ConfigurationError.self) { try start.applying(change) }
        }
        let one = Configuration(voters: [process(1)])
        #expect(throws: ConfigurationError.self) { try one.applying(.remove(process(1))) }
    }

    @Test("a change that would let quorums miss each other is refused")
    func unsound() throws {
        let start = try Configuration(
            voters: [process(1), process(2), process(3)], quorums: .flexible(phase1: 2, phase2: 2))
        #expect(throws: ConfigurationError.self) { try start.applying(.add(process(4), asLearner: false)) }
        #expect(try start.applying(.add(process(4), asLearner: true)).voters.count == 3)
    }

    @Test("weights and places in a grid pass to whoever replaces a voter")
    func inherit() throws {
        let weights = [QuorumSystem.Weight(process(1), 2), .init(process(2), 1), .init(process(3), 1)]
        let weighted = try Configuration(
            voters: [process(1), process(2), process(3)], quorums: .weighted(weights, phase1: 3, phase2: 2))
        let heir = try weighted.applying(.replace(process(1), with: process(7)))
        #expect(heir.isPhase2Quorum([process(7)]))
        let grown = try weighted.applying(.add(process(8), asLearner: false))
        #expect(!grown.isPhase2Quorum([process(8), process(2)]), "a new voter starts with weight 0")

        let grid = try Configuration(
            voters: [process(1), process(2), process(3), process(4)],
            quorums: .grid(rows: [[process(1), process(2)], [process(3), process(4)]]))
        let next = try grid.applying(.replace(process(2), with: process(9)))
        #expect(next.isPhase2Quorum([process(1), process(9)]))
    }
}
