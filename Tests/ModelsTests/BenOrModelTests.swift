import ModelChecking
import Models
import Testing

@Suite("Ben-Or with every coin") struct BenOrModelTests {
    @Test("who proposes the same decides it, and nobody decides what nobody proposed")
    func unanimous() throws {
        let report = try ModelCatalogue.model("ben-or", ["inputs": [1, 1, 1]]).run()
        #expect(report.verdict == .holds)
        #expect(report.distinctStates == 14_700 && report.depth == 13)
    }

    @Test("with no crash to be prepared for, all messages of a round are waited for")
    func noCrashes() throws {
        let values: [String: ParameterValue] = ["inputs": [0, 1, 1], "crashes": 0, "rounds": 2]
        let report = try ModelCatalogue.model("ben-or", values).run()
        #expect(report.verdict == .holds)
        #expect(throws: CatalogueError.self) {
            try ModelCatalogue.model("ben-or", ["inputs": [0, 1], "crashes": 1])
        }
    }
}
