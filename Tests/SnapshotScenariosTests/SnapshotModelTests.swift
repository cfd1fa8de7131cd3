import SnapshotScenarios
import Testing

/// The counts are TLC's for the module CLSnap, which is written independently of this code.
@Suite("Every reachable state of a snapshot") struct SnapshotModelTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let topology: SnapshotModel.Topology
        let tokens: [UInt64]
        let initiators: [Int]
        let states: Int
        let depth: Int

        var testDescription: String { "\(topology) \(tokens), started by \(initiators)" }
    }

    static let rows: [Row] = [
        Row(topology: .complete, tokens: [1, 0], initiators: [1], states: 34, depth: 11),
        Row(topology: .complete, tokens: [1, 0], initiators: [1, 2], states: 70, depth: 11),
        Row(topology: .complete, tokens: [2, 0], initiators: [1], states: 155, depth: 18),
        Row(topology: .complete, tokens: [2, 0], initiators: [1, 2], states: 377, depth: 18),
        Row(topology: .ring, tokens: [1, 0, 0], initiators: [1], states: 71, depth: 16),
        Row(topology: .ring, tokens: [1, 0, 0], initiators: [1, 2, 3], states: 294, depth: 16),
    ]

    @Test("the production core reaches exactly the states that the specification reaches", arguments: rows)
    func counts(_ row: Row) {
        let model = SnapshotModel(topology: row.topology, tokens: row.tokens, initiators: row.initiators)
        let outcome = SnapshotExplorer(model: model).explore()
        #expect(outcome.distinctStates == row.states)
        #expect(outcome.depth == row.depth)
        #expect(outcome.violation == nil)
        #expect(outcome.isConserved)
        #expect(outcome.completeStates > 0)
    }

    /// The numbers count the states of the run, its first one included.
    @Test(
        "where messages overtake each other a snapshot is refuted, by a shortest run",
        arguments: [
            (SnapshotModel.Topology.complete, [1, 0] as [UInt64], 5),
            (SnapshotModel.Topology.ring, [1, 0, 0] as [UInt64], 6),
        ])
    func nonFIFO(topology: SnapshotModel.Topology, tokens: [UInt64], statesOnPath: Int) throws {
        for initiators in [[1], Array(1...tokens.count)] {
            let model = SnapshotModel(
                topology: topology, tokens: tokens, initiators: initiators, nonFIFO: true)
            let outcome = SnapshotExplorer(model: model).explore()
            let path = try #require(outcome.violation)
            #expect(outcome.depth == statesOnPath)
            #expect(path.count == statesOnPath - 1)
            #expect(path.contains { $0.contains("overtakes") }, "\(path)")
        }
    }

    @Test("what the five variables leave out does not bear on what happens next", arguments: rows)
    func projectionIsSound(_ row: Row) {
        let model = SnapshotModel(topology: row.topology, tokens: row.tokens, initiators: row.initiators)
        let merged = SnapshotExplorer(model: model).explore()
        let whole = SnapshotExplorer(model: model, fingerprint: { AnyHashable(model.everything(in: $0)) })
            .explore()
        #expect(whole.distinctStates >= merged.distinctStates)
        #expect(whole.projections == merged.projections)
    }
}
