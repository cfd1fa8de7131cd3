import Models
import Testing

@Suite("Check command") struct CommandTests {
    private func run(_ line: String) -> (code: Int32, text: String) {
        var lines: [String] = []
        let code = CheckProgram { lines.append($0) }.run(line.split(separator: " ").map(String.init))
        return (code, lines.joined(separator: "\n"))
    }

    @Test("the exit code says whether all holds, something is violated or a bound was reached")
    func exitCodes() {
        #expect(run("lamport-paxos --acceptors 3 --values 2 --max-ballot 0").code == 0)
        #expect(run("lamport-paxos --max-ballot=1 --quorum-size 1 --quiet").code == 1)
        #expect(run("two-phase-commit --resource-managers 5 --max-states 100").code == 3)
        let (code, text) = run("two-phase-commit --resource-managers 9 --memory 1M")
        #expect(code == 3 && text.contains("the bound is 1 MiB: --memory says another"))
        let runs = run("chandy-lamport --tokens 2,0 --liveness --max-states 376 --initiators 1,2")
        #expect(runs.code == 3)
    }

    @Test(
        "a wrong command line has exit code 2",
        arguments: [
            "", "raft", "paxos --ballots 1,1,1", "paxos --ballots 1,x", "chandy-lamport --topology star",
            "chandy-lamport --initiators 3", "chandy-lamport --non-fifo=1", "lamport-paxos --servers 3",
            "lamport-paxos --acceptors", "actor-paxos --servers 9",
            "lamport-paxos --acceptors three", "lamport-paxos x", "two-phase-commit --memory 4Q",
            "lamport-paxos --quorum-size 4",
        ])
    func usage(line: String) { #expect(run(line).code == 2) }

    @Test("JSON has the numbers and the verdict")
    func json() {
        let (code, text) = run("lamport-voting --acceptors 3 --values 2 --max-ballot 2 --json --workers 2")
        #expect(code == 0)
        for part in [
            "\"verdict\": \"holds\"", "\"distinctStates\": 6752", "\"depth\": 16", "\"statesPerSecond\": ",
            "\"workers\": 2",
        ] { #expect(text.contains(part), "\(text)") }
        #expect(text.split(separator: "\n").count == 1)
    }

    @Test("what a kind does not promise is said to be so, and does not stand among what holds")
    func notPromised() {
        let (code, text) = run("multicast --kind best-effort --multicasts 1,0,0 --crash 1 --quiet")
        #expect(code == 0)
        let lines = text.split(separator: "\n")
        #expect(
            lines.first?.hasSuffix(
                ": integrity, validity, everything is delivered everywhere, FIFO order hold") == true)
        #expect(
            lines.dropFirst().first
                == "not promised: virtual synchrony, agreement, uniformity, causal order, total order")
        let json = run("multicast --kind best-effort --multicasts 1,0,0 --crash 1 --json").text
        #expect(json.contains("\"notPromised\": [\"virtual synchrony\", \"agreement\", "))
        #expect(!run("lamport-paxos --max-ballot 0 --json").text.contains("notPromised"))
    }

    @Test("random walks tell states and visits apart")
    func visits() {
        let walks = "lamport-paxos --max-ballot 0 --random-walks --walks 200 --walk-length 30"
        let (code, text) = run(walks)
        #expect(code == 3 && text.contains("73 distinct states in "), "\(text)")
        #expect(run(walks + " --json").text.contains("\"distinctStates\": 73, \"visits\": "))
        #expect(!run("lamport-paxos --max-ballot 0 --json").text.contains("visits"))
    }

    @Test("interrupted, it says what it has found so far, also as JSON, and ends with 130")
    func interrupt() {
        func run(_ line: String) -> (code: Int32, text: String) {
            var lines: [String] = []
            let program = CheckProgram(say: { lines.append($0) }, isInterrupted: { true })
            return (program.run(line.split(separator: " ").map(String.init)), lines.joined(separator: "\n"))
        }
        let (code, text) = run("two-phase-commit --resource-managers 12")
        #expect(code == 130 && text.contains("interrupted; nothing found so far"))
        #expect(text.contains(" distinct states, "))
        let json = run("two-phase-commit --resource-managers 12 --json")
        #expect(json.code == 130 && json.text.contains("\"verdict\": \"interrupted\""))
        let counts = run("counts --json")
        #expect(counts.code == 130 && counts.text.contains("\"checked\": 0, \"of\": 52"), "\(counts.text)")
        #expect(run("counts").text == "interrupted after 0 of 52")
    }

    @Test("a counterexample can be had step by step, with what each changes")
    func steps() {
        let (code, text) = run("chandy-lamport --tokens 1,0 --initiators 1 --non-fifo --trace-json")
        #expect(code == 1)
        for part in [
            "\"verdict\": \"violated\"", "\"property\": \"consistent\"", "\"depth\": 5",
            "\"parameters\": {\"topology\": \"complete\", \"tokens\": [1, 0], \"initiators\": [1], "
                + "\"non-fifo\": true}",
            "{\"label\": \"p1 sends a token to p2\", \"process\": \"p1\", \"changes\": "
                + "{\"p1\": \"0 held, nothing recorded\", \"under way\": \"p1→p2 a token\"}}",
        ] { #expect(text.contains(part), "\(text)") }
    }
}
