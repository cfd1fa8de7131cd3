import ModelChecking
import Models
import Testing

@Suite("Catalogue") struct CatalogueTests {
    /// The larger ones are counted by `check counts`, which is built with optimisation.
    private static let small = KnownCounts.all.filter { $0.distinctStates < 10_000 }

    @Test("the models have the numbers of states that independent tools found", arguments: small)
    func counts(known: KnownCounts) throws {
        let report = try ModelCatalogue.model(known.model, known.parameters).run()
        #expect(
            known.agrees(with: report),
            "\(known.source): \(known.distinctStates), here \(report.distinctStates) at \(report.depth)")
    }

    @Test("the number of workers and the way of keeping states change no number", arguments: [1, 2, 3])
    func workers(count: Int) throws {
        var options = CheckOptions()
        options.workers = count
        let paxos = try ModelCatalogue.model("lamport-paxos")
        #expect(paxos.run(options).distinctStates == 3921)
        options.keepsStates = true
        #expect(paxos.run(options).distinctStates == 3921)
        #expect(try ModelCatalogue.model("abd-register").run(options).distinctStates == 544)
    }

    @Test("quorums that do not meet break agreement", arguments: ["lamport-paxos", "lamport-voting"])
    func smallQuorums(name: String) throws {
        let report = try ModelCatalogue.model(name, ["quorum-size": 1]).run()
        #expect(report.verdict == .violated("agreement"))
        #expect(report.trace.count == report.depth)
        let two = try ModelCatalogue.model(name, ["acceptors": 4, "quorum-size": 2, "max-ballot": 1]).run()
        #expect(two.verdict == .violated("agreement"))
        let all = try ModelCatalogue.model(name, ["quorum-size": 3, "max-ballot": 1]).run()
        #expect(all.verdict == .holds)
    }

    @Test("two servers that each keep a register are not one register")
    func twoSingleCopies() throws {
        let report = try ModelCatalogue.model("single-copy-register", ["servers": 2]).run()
        #expect(report.verdict == .violated("linearizable"))
        #expect(report.depth == 5)
    }

    @Test("packed states of 64 and of 128 bits are the same states")
    func widths() throws {
        // 4 acceptors, 3 values and ballots 0...3 do not fit into 64 bits; one step from each is enough.
        let report = try ModelCatalogue.model(
            "lamport-paxos", ["acceptors": 4, "values": 3, "max-ballot": 3])
        var options = CheckOptions()
        options.depthLimit = 3
        #expect(report.run(options).verdict == .boundReached("depth"))
        #expect(throws: CatalogueError.self) {
            try ModelCatalogue.model("lamport-paxos", ["acceptors": 15, "max-ballot": 15])
        }
    }
}
