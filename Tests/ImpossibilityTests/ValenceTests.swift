import Paxos
import Testing

@testable import Impossibility

@Suite("Valence") struct ValenceTests {
    @Test("waiting for all never disagrees and never leaves anything open")
    func waitForAll() throws {
        let report = ValenceReport(Voting(processes: 3, quorum: 3), name: "all", limit: 1000)
        #expect(!report.disagrees && report.rows.allSatisfy { $0.initial != .bivalent })
        // Every order in which six messages arrive: each is there or not.
        #expect(report.rows.allSatisfy { $0.counts.reduce(0, +) == 64 })
    }

    @Test("waiting for all but one is bivalent at first and lets processes disagree")
    func waitForAllButOne() throws {
        let report = ValenceReport(Voting(processes: 3, quorum: 2), name: "all but one", limit: 1000)
        #expect(report.disagrees)
        #expect(report.rows.filter { $0.initial == .bivalent }.map(\.inputs.description).count == 3)
    }

    /// The theorem's picture on Paxos: one bivalent initial configuration lies between all 0 and all 1, no two processes
    /// ever disagree, and a critical configuration stands before every decision.
    @Test("Paxos with one proposer that may begin twice and one that may not")
    func paxos() throws {
        let graph = try ValenceGraph(
            SynodProtocol(processes: 3, ballots: [1, 0]), inputs: [true, false], limit: 100_000)
        #expect(graph.disagreement == nil && graph.initialValence == .one, "there is one proposer")
    }

    @Test("two processes, a ballot each: bivalent, and every step of the critical configuration settles it")
    func critical() throws {
        let subject = SynodProtocol(processes: 2, ballots: [1, 1])
        let graph = try ValenceGraph(subject, inputs: [true, false], limit: 1_000_000)
        #expect(graph.initialValence == .bivalent && graph.disagreement == nil)
        let critical = try #require(graph.critical)
        let after = Set(graph.steps[critical].map { graph.valences[Int($0.successor)] })
        #expect(after.isSuperset(of: [.zero, .one]) && !after.contains(.bivalent))
        // The trace leads there, delivery by delivery.
        var (states, sent) = subject.start([true, false])
        for envelope in graph.trace(to: critical) {
            let place = try #require(sent.firstIndex(of: envelope))
            sent.remove(at: place)
            let next = subject.receive(envelope, states[envelope.to])[0]
            states[envelope.to] = next.state
            sent += next.sent
        }
        #expect(states.allSatisfy { subject.decision($0) == nil })
    }

    @Test("Ben-Or, every coin either way: two processes never disagree, and equal inputs are decided")
    func benOr() throws {
        let report = ValenceReport(
            BenOrProtocol(processes: 2, crashes: 0, rounds: 2), name: "ben-or", limit: 200_000)
        #expect(!report.disagrees && !report.isCut)
        #expect(report.rows[0].initial == .zero && report.rows[3].initial == .one)
        #expect(report.rows[1].initial == .bivalent && report.rows[2].initial == .bivalent)
    }

    @Test("interrupted, it tells what is complete and how far it came")
    func interrupt() {
        let report = ValenceReport(
            SynodProtocol(processes: 2, ballots: [1, 1]), name: "paxos", limit: 1_000_000
        ) { inputs, _ in
            inputs == "00"
        }
        #expect(report.isInterrupted && !report.isCut && report.rows.count == 1)
        #expect(report.lines.last?.contains("interrupted after") == true)
        var said: [String] = []
        let program = ImpossibilityProgram(
            say: { said.append($0) }, complain: { _ in }, isInterrupted: { true })
        #expect(program.run(["valence", "--json"]) == 130)
        #expect(said.count == 1 && said[0].contains("\"complete\":false,\"interrupted\":true"))
        #expect(said[0].contains("\"unfinished\":{\"inputs\":\"00\",\"configurations\":"))
        #expect(program.run(["ben-or", "--seeds", "5"]) == 130)
    }

    @Test("more configurations than allowed are said to be so")
    func limit() {
        let report = ValenceReport(SynodProtocol(processes: 3, ballots: [1, 1]), name: "paxos", limit: 100)
        #expect(report.isCut)
    }
}
