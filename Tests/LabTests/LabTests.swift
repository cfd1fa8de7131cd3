import Lab
import SpaceTime
import Testing

@Suite("Scenarios") struct LabTests {
    private func run(_ name: String, _ given: [String: String] = [:]) throws -> LabScenario.Outcome {
        try LabCatalogue.scenario(name).run(given)
    }

    @Test(
        "every scenario keeps its promise, whatever the seed", arguments: LabCatalogue.scenarios.map(\.name))
    func promises(name: String) throws {
        for seed in 1...20 {
            let outcome = try run(name, ["seed": "\(seed)"])
            #expect(outcome.isKept, "\(name) --seed \(seed)")
            #expect(outcome.run.events.count > 10)
            #expect(!outcome.run.cuts.contains { !$0.isConsistent })
        }
    }

    @Test(
        "the same seed is the same transcript, another one is not",
        arguments: LabCatalogue.scenarios.map(\.name))
    func replays(name: String) throws {
        let first = try run(name, ["seed": "5"]).run.transcript
        let again = try run(name, ["seed": "5"]).run.transcript
        let other = try run(name, ["seed": "6"]).run.transcript
        #expect(again == first && other != first)
    }

    @Test("snapshots with several initiators, in rings, of many processes")
    func snapshots() throws {
        for (processes, initiators, topology) in [
            (2, "1,2", "complete"), (5, "2,4", "ring"), (16, "1,8,16", "ring"),
        ] {
            for seed in 1...5 {
                for name in ["snapshot-tokens", "snapshot-bank"] {
                    let outcome = try run(
                        name,
                        [
                            "processes": "\(processes)", "initiators": initiators, "topology": topology,
                            "steps": "120", "seed": "\(seed)",
                        ])
                    #expect(outcome.isKept, "\(name) of \(processes), seed \(seed)")
                    let markers = outcome.run.messages.count { $0.kind == .marker }
                    #expect(markers == (topology == "ring" ? processes : processes * (processes - 1)))
                }
            }
        }
    }

    @Test("without markers the sum is wrong for some seed, and some such cut is inconsistent")
    func naive() throws {
        let outcomes = try (1...30).map { try run("snapshot-bank", ["naive": "yes", "seed": "\($0)"]) }
        #expect(outcomes.contains { !$0.isKept })
        #expect(outcomes.contains { !$0.run.cuts[0].isConsistent })
    }

    @Test("Paxos decides also when messages are lost")
    func loss() throws {
        for seed in 1...10 {
            let outcome = try run("paxos-duel", ["loss": "20", "deliveries": "4000", "seed": "\(seed)"])
            #expect(outcome.isKept && outcome.run.summary[0].hasPrefix("decided"), "seed \(seed)")
        }
    }

    @Test("the scheduler keeps Paxos undecided, and Ω ends that")
    func adversary() throws {
        let undecided = try run("flp-adversary", ["deliveries": "300"])
        #expect(undecided.run.events.allSatisfy { $0.kind == .step })
        let decided = try run("flp-adversary", ["deliveries": "300", "omega": "yes"])
        #expect(decided.run.events.contains { $0.kind == .milestone })
    }

    @Test(
        "what a scenario does not know is refused by name",
        arguments: [
            ["colour": "red"], ["processes": "0"], ["processes": "x"], ["topology": "star"],
            ["initiators": "1,9"],
            ["initiators": "1,,2"],
        ])
    func refusals(given: [String: String]) {
        let error = #expect(throws: LabError.self) { _ = try run("snapshot-tokens", given) }
        #expect(error?.description.contains(given.keys.first ?? "") == true)
    }

    @Test("commands: the list, each form, and exit codes")
    func program() throws {
        var lines: [String] = []
        let program = LabProgram(say: { lines.append($0) }, complain: { _ in })
        #expect(program.run(["list"]) == 0 && lines.contains { $0.hasPrefix("snapshot-tokens") })
        for form in ["text", "json", "shiviz", "svg", "html"] {
            #expect(program.run(["run", "ben-or", "--format", form]) == 0)
        }
        #expect(program.run(["run", "snapshot-bank", "--naive", "--seed", "3"]) == 1)
        for wrong in [
            [], ["run"], ["run", "x"], ["run", "ben-or", "--format", "gif"], ["run", "ben-or", "--seed"],
        ] {
            #expect(program.run(wrong) == 2)
        }
    }
}
