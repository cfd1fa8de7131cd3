import Automata
import Paxos
import Testing

@Suite("Quorum systems") struct QuorumSystemTests {
    private func voters(_ count: Int) -> [ProcessID] { (0..<count).map { ProcessID(UInt64($0 + 1)) } }

    /// Every system of a few shapes, sound or not.
    private func systems(of voters: [ProcessID]) -> [QuorumSystem] {
        var systems: [QuorumSystem] = [.majority]
        for phase1 in 0...voters.count + 1 {
            for phase2 in 0...voters.count + 1 {
                systems.append(.flexible(phase1: phase1, phase2: phase2))
                for heavy in [UInt64(0), 2, 3] {
                    let weights = voters.enumerated().map {
                        QuorumSystem.Weight($1, $0 == 0 ? heavy : 1)
                    }
                    systems.append(.weighted(weights, phase1: UInt64(phase1), phase2: UInt64(phase2)))
                }
            }
        }
        for width in 1...voters.count {
            var rows: [[ProcessID]] = []
            for (index, voter) in voters.enumerated() {
                if index % width == 0 { rows.append([]) }
                rows[rows.count - 1].append(voter)
            }
            systems.append(.grid(rows: rows))
        }
        return systems
    }

    private func subsets(of voters: [ProcessID]) -> [[ProcessID]] {
        (0..<1 << voters.count).map { bits in
            voters.indices.filter { bits & 1 << $0 != 0 }.map { voters[$0] }
        }
    }

    @Test("a system is accepted only if every phase-1 quorum meets every phase-2 quorum", arguments: 1...5)
    func meet(count: Int) {
        let voters = voters(count)
        let subsets = subsets(of: voters)
        var accepted = 0
        for system in systems(of: voters) {
            guard let configuration = try? Configuration(voters: voters, quorums: system) else { continue }
            accepted += 1
            let phase1 = subsets.filter { configuration.isPhase1Quorum($0) }
            let phase2 = subsets.filter { configuration.isPhase2Quorum($0) }
            #expect(!phase1.isEmpty && !phase2.isEmpty, "\(system)")
            for one in phase1 {
                for other in phase2 {
                    #expect(one.contains { other.contains($0) }, "\(system): \(one) misses \(other)")
                }
            }
            for set in subsets {
                // The highest value that a quorum has reached is found by trying them all.
                let reached: (ProcessID) -> UInt64 = { set.contains($0) ? 7 : 3 }
                #expect(
                    configuration.reachedByPhase2Quorum(reached)
                        == (configuration.isPhase2Quorum(set) ? 7 : 3), "\(system) \(set)")
            }
        }
        #expect(accepted > count)
    }

    @Test("what does not fit the voters, or could miss, is refused and said why")
    func refused() {
        func code(_ voters: [ProcessID], _ system: QuorumSystem) -> ConfigurationError.Code? {
            do {
                _ = try Configuration(voters: voters, quorums: system)
                return nil
            } catch { return error.code }
        }
        let three = voters(3)
        #expect(code([], .majority) == .noVoters)
        #expect(code([ProcessID(1), ProcessID(1)], .majority) == .namedTwice)
        #expect(code(three, .flexible(phase1: 1, phase2: 2)) == .quorumsDoNotMeet)
        #expect(code(three, .flexible(phase1: 4, phase2: 2)) == .doesNotFit)
        #expect(code(three, .grid(rows: [[ProcessID(1)], [ProcessID(2)]])) == .doesNotFit)
        #expect(code(three, .weighted([.init(ProcessID(1), 1)], phase1: 1, phase2: 1)) == .doesNotFit)
        let heavy = three.map { QuorumSystem.Weight($0, UInt64.max) }
        #expect(code(three, .weighted(heavy, phase1: 1, phase2: 1)) == .doesNotFit)
    }
}
