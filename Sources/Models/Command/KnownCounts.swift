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
        paxos(1, 2, 2, 275, depth: 13, from: "TLC"),
        paxos(2, 2, 1, 145, depth: 13, from: "TLC"),
        paxos(2, 2, 2, 1501, depth: 19, from: "TLC"),
        paxos(3, 3, 1, 6801, depth: 17, from: "TLC"),
        paxos(3, 1, 2, 68921, depth: 25, from: "TLC"),
        paxos(3, 2, 2, 185_369, depth: 25, from: "TLC"),
        paxos(4, 1, 1, 9409, depth: 21, from: "TLC"),
        paxos(3, 2, 1, quorum: 3, 513, depth: 17, from: "TLC"),
        paxos(4, 2, 1, 20609, depth: 21, from: "TLC"),
        KnownCounts(
            "lamport-voting", ["acceptors": 3, "values": 2, "max-ballot": 2], 6752, depth: 16,
            from: "TLC, tlaplus/Examples MCVoting"),
        voting(3, 2, 1, 599, depth: 11), voting(3, 3, 2, 12490, depth: 16), voting(4, 2, 1, 3009, depth: 15),
        voting(2, 2, 3, 1105, depth: 17), voting(3, 1, 3, 23041, depth: 21),
        voting(5, 2, 1, 28591, depth: 17),
        KnownCounts("two-phase-commit", ["resource-managers": 1], 12, depth: 5, from: "TLC"),
        KnownCounts("two-phase-commit", ["resource-managers": 2], 56, depth: 8, from: "TLC"),
        KnownCounts(
            "two-phase-commit", ["resource-managers": 3], 288, depth: 11, from: "TLC and Stateright"),
        KnownCounts("two-phase-commit", ["resource-managers": 4], 1568, depth: 14, from: "TLC"),
        KnownCounts(
            "two-phase-commit", ["resource-managers": 5], 8832, depth: 17, from: "TLC and Stateright"),
        KnownCounts("two-phase-commit", ["resource-managers": 6], 50816, depth: 20, from: "TLC"),
        KnownCounts("two-phase-commit", ["resource-managers": 7], 296_448, depth: 23, from: "TLC"),
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
        snapshot("complete", [0, 0], [1], 4, depth: 4),
        snapshot("complete", [3, 0], [1, 2], 1438, depth: 25),
        snapshot("complete", [1, 1], [1, 2], 377, depth: 16),
        snapshot("complete", [2, 1], [2], 507, depth: 21),
        snapshot("complete", [4, 2], [1, 2], 26190, depth: 42),
        snapshot("complete", [1, 0, 0], [1], 2154, depth: 16),
        snapshot("complete", [1, 0, 0], [1, 2, 3], 4536, depth: 16),
        snapshot("complete", [1, 1, 0], [2], 45075, depth: 25),
        snapshot("ring", [2, 1], [1], 507, depth: 23),
        snapshot("ring", [2, 0, 0], [1], 518, depth: 27),
        snapshot("ring", [1, 1, 0], [1, 2], 1243, depth: 25),
        snapshot("ring", [2, 1, 1], [1, 2, 3], 70692, depth: 43),
        snapshot("ring", [1, 0, 0, 0], [1, 3], 292, depth: 21),
        snapshot("ring", [1, 0, 0, 0], [1, 2, 3, 4], 1052, depth: 21),
        snapshot("ring", [1, 0, 0, 0, 0], [1], 195, depth: 26),
    ]

    private static func snapshot(
        _ topology: String, _ tokens: [Int], _ initiators: [Int], _ states: Int, depth: Int
    ) -> KnownCounts {
        KnownCounts(
            "chandy-lamport",
            ["topology": .word(topology), "tokens": .numbers(tokens), "initiators": .numbers(initiators)],
            states, depth: depth, from: "TLC, CLSnap.tla")
    }

    private static func voting(
        _ acceptors: Int, _ values: Int, _ maxBallot: Int, _ states: Int, depth: Int
    ) -> KnownCounts {
        KnownCounts(
            "lamport-voting",
            [
                "acceptors": .number(acceptors), "values": .number(values), "max-ballot": .number(maxBallot),
            ], states, depth: depth, from: "TLC")
    }

    private static func paxos(
        _ acceptors: Int, _ values: Int, _ maxBallot: Int, quorum: Int? = nil, _ states: Int, depth: Int,
        from source: String
    ) -> KnownCounts {
        var parameters: [String: ParameterValue] = [
            "acceptors": .number(acceptors), "values": .number(values), "max-ballot": .number(maxBallot),
        ]
        if let quorum { parameters["quorum-size"] = .number(quorum) }
        return KnownCounts("lamport-paxos", parameters, states, depth: depth, from: source)
    }

    /// Whether a report shows these numbers and that everything holds.
    public func agrees(with report: CheckReport) -> Bool {
        report.verdict == .holds && report.distinctStates == distinctStates
            && depth ?? report.depth == report.depth
    }

    /// All of them, checked one after another.
    struct Comparison {
        private let options: CheckOptions
        private let showsProgress: Bool

        init(_ options: CheckOptions, showsProgress: Bool) {
            self.options = options
            self.showsProgress = showsProgress
        }

        /// Says a line for each and one with the next, or all in one line of JSON. The result is an exit code.
        func run(printsJSON: Bool, say: (String) -> Void) -> Int32 {
            var isSame: [Bool] = []
            var rows: [String] = []
            var isInterrupted = false
            for known in KnownCounts.all {
                guard let model = try? ModelCatalogue.model(known.model, known.parameters) else {
                    preconditionFailure("the catalogue does not have \(known.model) \(known.parameters)")
                }
                let run = TimedCheck(model, options, showsProgress: showsProgress)
                if run.isInterrupted {
                    isInterrupted = true
                    break
                }
                isSame.append(known.agrees(with: run.report))
                if printsJSON {
                    rows.append(known.json(run, isSame: isSame[isSame.count - 1]))
                } else {
                    known.lines(run, isSame: isSame[isSame.count - 1]).forEach(say)
                }
            }
            if printsJSON {
                say(
                    JSONText.object([
                        ("agree", "\(!isSame.contains(false))"), ("checked", "\(isSame.count)"),
                        ("of", "\(KnownCounts.all.count)"),
                        ("counts", "[" + rows.joined(separator: ", ") + "]"),
                    ]))
            } else if isInterrupted {
                say("interrupted after \(isSame.count) of \(KnownCounts.all.count)")
            }
            if isSame.contains(false) { return CheckProgram.ExitCode.violated }
            return isInterrupted ? CheckProgram.ExitCode.interrupted : CheckProgram.ExitCode.holds
        }
    }

    private func lines(_ run: TimedCheck, isSame: Bool) -> [String] {
        let expected = "\(distinctStates)" + (depth.map { ", depth \($0)" } ?? "")
        return [
            "\(isSame ? "same" : "DIFFERENT") as \(source) (\(expected)): \(run.lines.last ?? "")",
            "    \(run.model.title)",
        ]
    }

    private func json(_ run: TimedCheck, isSame: Bool) -> String {
        JSONText.object([
            ("same", "\(isSame)"), ("source", JSONText.string(source)),
            ("expectedStates", "\(distinctStates)"), ("expectedDepth", depth.map { "\($0)" } ?? "null"),
            ("check", run.json(withSteps: false)),
        ])
    }
}
