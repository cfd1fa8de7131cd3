import ModelChecking

/// Numbers of states that independent tools found for the same models. A checker that misses a state, or
/// takes one for two, does not hit them.
public struct KnownCounts: Sendable {
    public let model: String
    public let parameters: [String: ParameterValue]
    public let distinctStates: Int
    /// `nil` where only the number of states is known.
    public let depth: Int?
    /// Who found it.
    public let source: String

    private init(
        _ model: String, _ parameters: [String: ParameterValue], _ distinctStates: Int, depth: Int? = nil,
        from source: String
    ) {
        self.model = model
        self.parameters = parameters
        self.distinctStates = distinctStates
        self.depth = depth
        self.source = source
    }

    public static let all: [KnownCounts] = [
        paxos(1, 1, 1, 25, depth: 9, from: "TLC, tlaplus/Examples MCPaxos"),
        paxos(3, 2, 0, 73, depth: 9, from: "TLC"),
        paxos(3, 1, 1, 1681, depth: 17, from: "TLC"),
        paxos(3, 2, 1, 3921, depth: 17, from: "TLC, tlaplus/Examples MCPaxosTiny"),
        KnownCounts(
            "lamport-voting", ["acceptors": 3, "values": 2, "max-ballot": 2], 6752, depth: 16,
            from: "TLC, tlaplus/Examples MCVoting"),
        KnownCounts(
            "two-phase-commit", ["resource-managers": 3], 288, depth: 11, from: "TLC and Stateright"),
        KnownCounts("two-phase-commit", ["resource-managers": 4], 1568, from: "TLC"),
        KnownCounts("two-phase-commit", ["resource-managers": 5], 8832, from: "TLC and Stateright"),
        KnownCounts("two-phase-commit", ["resource-managers": 6], 50816, from: "TLC, TwoPhase.tla"),
        KnownCounts(
            "actor-paxos", ["servers": 3, "clients": 2], 16668, depth: 21, from: "Stateright"),
        KnownCounts("actor-paxos", ["servers": 3, "clients": 1], 265, from: "the rules of Stateright"),
        KnownCounts("abd-register", ["servers": 2, "clients": 2], 544, from: "Stateright"),
        KnownCounts("single-copy-register", ["servers": 1, "clients": 2], 93, from: "Stateright"),
        snapshot("complete", [1, 0], [1], 34, depth: 11),
        snapshot("complete", [1, 0], [1, 2], 70, depth: 11),
        snapshot("complete", [2, 0], [1], 155, depth: 18),
        snapshot("complete", [2, 0], [1, 2], 377, depth: 18),
        snapshot("ring", [1, 0, 0], [1], 71, depth: 16),
        snapshot("ring", [1, 0, 0], [1, 2, 3], 294, depth: 16),
    ]

    private static func snapshot(
        _ topology: String, _ tokens: [Int], _ initiators: [Int], _ states: Int, depth: Int
    ) -> KnownCounts {
        KnownCounts(
            "chandy-lamport",
            ["topology": .word(topology), "tokens": .numbers(tokens), "initiators": .numbers(initiators)],
            states, depth: depth, from: "TLC, CLSnap.tla")
    }

    private static func paxos(
        _ acceptors: Int, _ values: Int, _ maxBallot: Int, _ states: Int, depth: Int, from source: String
    ) -> KnownCounts {
        KnownCounts(
            "lamport-paxos",
            [
                "acceptors": .number(acceptors), "values": .number(values), "max-ballot": .number(maxBallot),
            ], states,
            depth: depth, from: source)
    }

    /// Whether a report shows these numbers and that everything holds.
    public func agrees(with report: CheckReport) -> Bool {
        report.verdict == .holds && report.distinctStates == distinctStates
            && depth ?? report.depth == report.depth
    }

    /// Checks all and says a line for each. The result is an exit code.
    static func compare(_ options: CheckOptions, say: (String) -> Void) -> Int32 {
        var agree = true
        for known in all {
            guard let model = try? ModelCatalogue.model(known.model, known.parameters) else {
                preconditionFailure("the catalogue does not have \(known.model) \(known.parameters)")
            }
            let run = TimedCheck(model, options)
            let isSame = known.agrees(with: run.report)
            agree = agree && isSame
            let expected = "\(known.distinctStates)" + (known.depth.map { ", depth \($0)" } ?? "")
            say("\(isSame ? "same" : "DIFFERENT") as \(known.source) (\(expected)): \(run.lines.last!)")
            say("    \(model.title)")
        }
        return agree ? CheckProgram.ExitCode.holds : CheckProgram.ExitCode.violated
    }
}
