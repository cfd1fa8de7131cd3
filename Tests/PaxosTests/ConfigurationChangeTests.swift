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

@Suite("Disks of voters") struct MemberDiskTests {
    private func process(_ number: UInt64) -> ProcessID { ProcessID(number) }
    private let start = Configuration(
        voters: [ProcessID(1), ProcessID(2)],
        disks: [.init(ProcessID(2), DiskID(22)), .init(ProcessID(1), DiskID(11))])

    @Test("a process becomes a voter together with its disk, and leaves with it")
    func binding() throws {
        let grown = try start.applying(.add(process(3), asLearner: false, disk: DiskID(33)))
        #expect(grown.disk(of: process(3)) == DiskID(33) && grown.disk(of: process(1)) == DiskID(11))
        let learning = try start.applying(.add(process(4), asLearner: true))
        #expect(learning.disk(of: process(4)) == nil)
        #expect(
            try learning.applying(.promote(process(4)), learnerDisk: DiskID(44)).disk(of: process(4))
                == DiskID(44))
        let replaced = try start.applying(.replace(process(2), with: process(5), disk: DiskID(55)))
        #expect(replaced.disks == [.init(process(1), DiskID(11)), .init(process(5), DiskID(55))])
        #expect(try start.applying(.remove(process(2))).disk(of: process(2)) == nil)
    }

    @Test("where voters are known by their disks, none comes without")
    func unknownDisks() throws {
        let learning = try start.applying(.add(process(4), asLearner: true))
        for (configuration, change) in [
            (start, ConfigurationChange.add(process(3), asLearner: false)),
            (start, .replace(process(2), with: process(3))), (learning, .promote(process(4))),
        ] {
            #expect { try configuration.applying(change) } throws: {
                ($0 as? ConfigurationError)?.code == .unknownDisk
            }
        }
        #expect(throws: ConfigurationError.self) {
            try Configuration(
                voters: [process(1)], quorums: .majority, disks: [.init(process(2), DiskID(2))])
        }
    }
}
