/// Why a search ended before it had seen everything.
public enum CheckBound: String, Error, Sendable {
    case memory, states, depth
    /// Random walks prove nothing by ending.
    case walks
    /// Somebody asked for the end.
    case interrupt
}

/// What a check found.
public struct CheckResult<M: Model>: Sendable {
    public typealias Bound = CheckBound

    public enum Verdict: Sendable, Equatable {
        /// Every reachable state, and with liveness every fair run, keeps every property.
        case holds
        case violated
        /// Nothing was found before a bound ended the search.
        case boundReached(Bound)
    }

    public struct Counterexample: Sendable {
        public let property: String
        public let kind: Property<M.State>.Kind
        /// Empty for a `sometimes`: that there is no such state has no witness.
        public let trace: Trace<M>
    }

    public var verdict: Verdict
    public var distinctStates = 0
    /// Of random walks: how often a state was visited, known or not.
    public var visits: Int?
    /// States that actions led to, known or not.
    public var transitions = 0
    /// States on the longest of the shortest paths from an initial state, which itself has depth 1.
    public var depth = 0
    /// Whether every state was looked at and kept what it must, so that a bound only ended the look at infinite
    /// runs.
    public var allStatesHold = false
    /// The most bytes that tables, states and buffers took together.
    public var bytes = 0
    public var counterexample: Counterexample?
    /// For each `sometimes` that holds, a path to a state in which it does.
    public var witnesses: [Counterexample] = []

    @inlinable init(_ verdict: Verdict) { self.verdict = verdict }

    public var bytesPerState: Double { distinctStates == 0 ? 0 : Double(bytes) / Double(distinctStates) }
}

/// A step of a trace in words, so that it can be drawn.
public struct TraceStep: Hashable, Sendable {
    public let label: String
    /// Who takes it; `nil` where nobody does.
    public let process: String?
    /// The parts of the state that it changes, as they are then; of the first step, all.
    public let changed: [StatePart]
    /// The names of parts that there are no more.
    public let gone: [String]
}

/// A run: states, and the actions between them.
public struct Trace<M: Model>: Sendable {
    public struct Step: Sendable {
        /// `nil` at the start.
        public let action: M.Action?
        public let state: M.State

        @inlinable init(action: M.Action?, state: M.State) {
            self.action = action
            self.state = state
        }
    }

    public var steps: [Step]
    /// Of a lasso: the index of the state that the last step comes back to. The steps after it are the
    /// cycle; when it is the last state itself, the run stops there.
    public var cycleStart: Int?

    @inlinable init(_ steps: [Step] = [], cycleStart: Int? = nil) {
        self.steps = steps
        self.cycleStart = cycleStart
    }

    public var states: [M.State] { steps.map(\.state) }
    public var actions: [M.Action] { steps.compactMap(\.action) }

    /// What each step is and does to the state, in the model's words.
    public func changes(_ model: M) -> [TraceStep] {
        var before: [StatePart] = []
        return steps.enumerated().map { index, step in
            let parts = model.parts(of: step.state)
            let changed = parts.filter { !before.contains($0) }
            let gone = before.filter { old in !parts.contains { $0.name == old.name } }
            before = parts
            return TraceStep(
                label: step.action.map { model.describe($0, in: steps[index - 1].state) } ?? "initially",
                process: step.action.flatMap { model.actor(of: $0) }, changed: changed,
                gone: gone.map(\.name))
        }
    }

    /// An element a step, in the model's words: a line that says what happens, and one with what that changes.
    public func lines(_ model: M) -> [String] {
        var lines = changes(model).enumerated().map { index, step in
            let changed =
                step.changed.count == 1 && step.changed[0].name == StatePart.whole
                ? [step.changed[0].text]
                : step.changed.map { "\($0.name): \($0.text)" } + step.gone.map { "no \($0)" }
            return "\(index + 1). \(step.label)\n      "
                + (changed.isEmpty ? "nothing changes" : changed.joined(separator: "; "))
        }
        if let cycleStart {
            lines.append(
                cycleStart == steps.count - 1
                    ? "and nothing happens any more"
                    : "and again from \(cycleStart + 1), for ever")
        }
        return lines
    }
}
