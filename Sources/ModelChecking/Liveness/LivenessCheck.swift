/// Refutes properties about infinite runs. A property is refuted by a lasso: a stem to a set of states, its
/// region, in which a fair run stays for ever.
///
/// | property         | the stem                              | the cycle           |
/// |------------------|---------------------------------------|---------------------|
/// | eventually p     | from an initial state, all without p  | all without p       |
/// | always eventually p | any                                | all without p       |
/// | eventually always p | any                                | some state without p |
/// | p leads to q     | to p without q, from there without q  | all without q       |
///
/// The stem is looked for in the region itself, not along the first paths on which a search came by: a state
/// may be reached first on a path on which the property was met already.
struct LivenessCheck<M: Model> {
    private let model: M
    private let graph: StateGraph<M>
    private let cycles: FairCycles<M>

    init(_ model: M, _ graph: StateGraph<M>) {
        self.model = model
        self.graph = graph
        cycles = FairCycles(graph, model.fairness)
    }

    /// A counterexample with a shortest stem, or `nil` when the property holds.
    func counterexample(to property: Property<M.State>) -> CheckResult<M>.Counterexample? {
        let holds = graph.states.map(property.holds)
        let trace =
            switch property.kind {
            case .always, .sometimes: preconditionFailure("\(property.name) is about single states")
            case .eventually:
                lasso(Stems(graph, from: graph.initial) { !holds[Int($0)] }, meeting: { _ in true })
            case .alwaysEventually:
                lasso(
                    Stems(graph, from: graph.initial) { _ in true }, within: { !holds[Int($0)] },
                    meeting: { _ in true })
            case .eventuallyAlways:
                lasso(Stems(graph, from: graph.initial) { _ in true }, meeting: { !holds[Int($0)] })
            case .leadsTo: lassoAfterPremise(property, holds)
            }
        return trace.map { .init(property: property.name, kind: property.kind, trace: $0) }
    }

    private func lassoAfterPremise(_ property: Property<M.State>, _ holds: [Bool]) -> Trace<M>? {
        let all = Stems(graph, from: graph.initial) { _ in true }
        let starts = all.reached.filter { state in
            !holds[Int(state)] && property.premise?(graph.states[Int(state)]) == true
        }
        let open = Stems(graph, from: starts) { !holds[Int($0)] }
        guard var trace = lasso(open, meeting: { _ in true }), let first = trace.steps.first else {
            return nil
        }
        // What leads to the premise goes before.
        let start = Int32(graph.states.firstIndex(of: first.state)!)
        let before = self.trace(all.path(to: start))
        trace.steps = before.steps + trace.steps.dropFirst()
        trace.cycleStart = trace.cycleStart.map { $0 + before.steps.count - 1 }
        return trace
    }

    /// The lasso with the shortest stem.
    private func lasso(
        _ stems: Stems<M>, within isInside: (Int32) -> Bool = { _ in true }, meeting target: (Int32) -> Bool
    ) -> Trace<M>? {
        let region = stems.reached.filter(isInside).sorted()
        var best: (component: [Int32], start: Int32)?
        for component in cycles.fairSets(in: region, meeting: target) {
            // A run that stops is the simplest cycle; of the others, the one that is reached first.
            let stop = component.filter { cycles.forbidsStopping(in: $0) == 0 && target($0) }
                .min(by: stems.isNearer)
            guard let start = stop ?? component.min(by: stems.isNearer) else { continue }
            if best == nil || stems.isNearer(start, best!.start) { best = (component, start) }
        }
        guard let (component, start) = best else { return nil }
        var trace = trace(stems.path(to: start))
        trace.cycleStart = trace.steps.count - 1
        for (from, step) in cycles.cycle(in: component, from: start, meeting: target) {
            append(step, from: from, to: &trace)
        }
        return trace
    }

    private func trace(_ path: Stems<M>.Path) -> Trace<M> {
        var trace = Trace<M>([.init(action: nil, state: graph.states[Int(path.start)])])
        for (from, step) in path.steps { append(step, from: from, to: &trace) }
        return trace
    }

    private func append(_ step: StateGraph<M>.Step, from: Int32, to trace: inout Trace<M>) {
        trace.steps.append(
            .init(action: graph.action(step, of: from, model), state: graph.states[Int(step.target)]))
    }
}

/// Shortest paths from some states through allowed states to all that can be reached so.
struct Stems<M: Model> {
    struct Path {
        let start: Int32
        let steps: [(from: Int32, step: StateGraph<M>.Step)]
    }

    private let graph: StateGraph<M>
    /// In the order of their distance.
    private(set) var reached: [Int32] = []
    /// By state: its place in `reached`, or -1.
    private var order: [Int32]
    /// By place: from which state, by which of all steps; -1 at a start.
    private var origins: [(state: Int32, step: Int)] = []

    init(_ graph: StateGraph<M>, from starts: [Int32], through isAllowed: (Int32) -> Bool) {
        self.graph = graph
        order = Array(repeating: -1, count: graph.states.count)
        for start in starts where isAllowed(start) { add(start, from: (-1, -1)) }
        var next = 0
        while next < reached.count {
            let state = reached[next]
            next += 1
            for step in graph.firstSteps[Int(state)]..<graph.firstSteps[Int(state) + 1]
            where isAllowed(graph.steps[step].target) {
                add(graph.steps[step].target, from: (state, step))
            }
        }
    }

    private mutating func add(_ state: Int32, from origin: (state: Int32, step: Int)) {
        guard order[Int(state)] < 0 else { return }
        order[Int(state)] = Int32(reached.count)
        reached.append(state)
        origins.append(origin)
    }

    /// Both must be reached.
    func isNearer(_ a: Int32, _ b: Int32) -> Bool { order[Int(a)] < order[Int(b)] }

    func path(to state: Int32) -> Path {
        var steps: [(from: Int32, step: StateGraph<M>.Step)] = []
        var here = state
        while true {
            let (from, step) = origins[Int(order[Int(here)])]
            if from < 0 { break }
            steps.append((from, graph.steps[step]))
            here = from
        }
        return Path(start: here, steps: steps.reversed())
    }
}
