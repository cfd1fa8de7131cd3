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
            #expect(outcome.run.events.count > 8)
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

    @Test(
        "what a snapshot without markers misses and what it counts twice is said, and makes up the difference"
    )
    func naiveIsExplained() throws {
        func amount(_ lines: [String], _ words: String, _ place: Int) -> Int {
            let line = lines.first { $0.contains(words) } ?? ""
            let numbers = line.split { !$0.isNumber }.compactMap { Int($0) }
            return numbers.indices.contains(place) ? numbers[place] : 0
        }
        var twice = 0
        for seed in 1...40 {
            let outcome = try run("snapshot-bank", ["naive": "true", "seed": "\(seed)"])
            let lines = outcome.run.summary
            let (all, found) = (amount(lines, "written down", 0), amount(lines, "written down", 1))
            let (missed, doubled) = (
                amount(lines, "nobody looked", 0), amount(lines, "counted twice", 0)
            )
            #expect(all == found + missed - doubled && outcome.isKept == (missed == doubled), "seed \(seed)")
            #expect(outcome.run.cuts[0].isConsistent == (doubled == 0), "seed \(seed)")
            if doubled > 0 { twice += 1 }
        }
        #expect(twice > 0)
    }

    @Test("the command that a run names shows the same run", arguments: LabCatalogue.scenarios.map(\.name))
    func commands(name: String) throws {
        var given = ["seed": "7"]
        if name == "snapshot-bank" { given["naive"] = "yes" }
        if name == "total-auction" { given["order"] = "agreed" }
        let first = try run(name, given).run
        let command = try #require(first.command)
        #expect(command.hasPrefix("synod lab run \(name)") && command.contains("--seed 7"))
        var lines: [String] = []
        let program = LabProgram(say: { lines.append($0) }, complain: { _ in })
        _ = program.run(Array(command.split(separator: " ").map(String.init).dropFirst(2)))
        #expect(lines.joined(separator: "\n") == first.transcript.joined(separator: "\n"))
    }

    @Test("what is broken is an event of its own: an answer before its question, another order of bids")
    func violations() throws {
        for (name, given) in [("causal-chat", ["fifo": "yes"]), ("total-auction", ["order": "causal"])] {
            for seed in 1...20 {
                let outcome = try run(name, given.merging(["seed": "\(seed)"]) { $1 })
                let hasBroken = outcome.run.events.contains { $0.kind == .violation }
                #expect(hasBroken == !outcome.isKept, "\(name) --seed \(seed)")
            }
        }
    }

    @Test("a total order has one winner, also when the sequencer crashes; without one, bidders may differ")
    func auction() throws {
        for seed in 1...20 {
            for order in ["sequencer", "agreed"] {
                for crash in [false, true] {
                    var given = ["order": order, "bids": "12", "processes": "4", "seed": "\(seed)"]
                    if crash { given["crash"] = "yes" }
                    let outcome = try run("total-auction", given)
                    let isKept = outcome.isKept
                    #expect(isKept, "\(given)")
                    let changes = outcome.run.events.contains { $0.sentence.contains("installs view 2") }
                    #expect(changes == crash, "\(given)")
                    let heardAll = outcome.run.summary[0] == "all heard the same 12 bids in the same order"
                    #expect(heardAll || crash, "\(given)")
                }
            }
        }
        let causal = try (1...20).map { try run("total-auction", ["order": "causal", "seed": "\($0)"]) }
        #expect(causal.contains { !$0.isKept })
    }

    @Test("best effort leaves those that stay with different things, flooding does not")
    func crash() throws {
        let best = try (1...20).map { try run("multicast-crash", ["kind": "best-effort", "seed": "\($0)"]) }
        #expect(best.contains { !$0.isKept })
        for seed in 1...20 {
            let isKept = try run("multicast-crash", ["kind": "flooding", "seed": "\(seed)"]).isKept
            #expect(isKept, "seed \(seed)")
        }
    }

    @Test("the leader of Multi-Paxos crashes and another takes over")
    func failover() throws {
        for (processes, commands) in [(3, 8), (5, 20)] {
            for seed in 1...10 {
                let given = ["processes": "\(processes)", "commands": "\(commands)", "seed": "\(seed)"]
                let outcome = try run("paxos-failover", given)
                let (isKept, hasCrash) = (outcome.isKept, outcome.run.events.contains { $0.kind == .crash })
                #expect(isKept && hasCrash, "\(given)")
                let leaders = outcome.run.events.filter { $0.sentence.contains("; it leads with ballot") }
                #expect(Set(leaders.map(\.process)).count >= 2)
            }
        }
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
        #expect(program.run(["run", "snapshot-bank", "--naive=false", "--seed", "3"]) == 0)
        lines = []
        #expect(program.run(["run", "snapshot-bank", "--help"]) == 0)
        #expect(lines.contains { $0.contains("--naive") } && !lines.contains { $0.contains("--tokens") })
        for wrong in [
            [], ["run"], ["run", "x"], ["run", "ben-or", "--format", "gif"], ["run", "ben-or", "--seed"],
            ["run", "snapshot-bank", "--naive=perhaps"],
        ] {
            #expect(program.run(wrong) == 2)
        }
    }
}
