import ModelChecking

/// A model of the catalogue, whatever its states are.
public struct CheckableModel: Sendable {
    public let name: String
    let values: ParameterValues
    /// What somebody might expect of it and it does not promise.
    let notPromised: [String]
    private let check: @Sendable (CheckOptions) -> CheckReport

    init<M: Model>(_ model: M, _ name: String, _ values: ParameterValues, notPromised: [String] = []) {
        self.name = name
        self.notPromised = notPromised
        self.values = values
        check = { options in CheckReport(Checker(model, options).run(), of: model) }
    }

    /// As it would be asked for on the command line.
    public var title: String { values.text.isEmpty ? name : "\(name) \(values.text)" }

    /// Checks it and says what came of it.
    public func run(_ options: CheckOptions = CheckOptions()) -> CheckReport { check(options) }
}

/// What a check found, in words.
public struct CheckReport: Sendable {
    public enum Verdict: Sendable, Hashable {
        case holds
        /// The name of the property.
        case violated(String)
        case boundReached(String)
    }

    public let verdict: Verdict
    public let distinctStates: Int
    /// Of random walks: how often a state was visited, known or not.
    public let visits: Int?
    public let transitions: Int
    public let depth: Int
    /// Whether a bound only ended the look at infinite runs, after every state had been looked at.
    public let allStatesHold: Bool
    public let bytes: Int
    public let bytesPerState: Double
    /// The counterexample, an element of two lines a step; empty when there is none.
    public let trace: [String]
    /// The same step by step, with what each changes.
    public let steps: [TraceStep]
    /// Of a lasso: the number of the step, counted from 1, to whose state the last step comes back.
    public let cycleStart: Int?
    /// The names of the properties.
    public let properties: [String]

    init<M: Model>(_ result: CheckResult<M>, of model: M) {
        verdict =
            switch result.verdict {
            case .holds: .holds
            case .violated: .violated(result.counterexample?.property ?? "")
            case .boundReached(let bound): .boundReached(bound.rawValue)
            }
        distinctStates = result.distinctStates
        visits = result.visits
        transitions = result.transitions
        depth = result.depth
        allStatesHold = result.allStatesHold
        bytes = result.bytes
        bytesPerState = result.bytesPerState
        trace = result.counterexample?.trace.lines(model) ?? []
        steps = result.counterexample?.trace.changes(model) ?? []
        cycleStart = result.counterexample?.trace.cycleStart.map { $0 + 1 }
        properties = model.properties.map(\.name)
    }
}
