/// Walks that choose every step at random, for graphs that are too large to be looked at as a whole. A walk
/// is drawn from the seed and its own number, so that its counterexample can be seen again.
@usableFromInline struct RandomWalks<M: Model> {
    private let model: M
    private let options: CheckOptions
    private let count: Int
    private let length: Int
    private let seed: UInt64

    /// What one walk came to.
    private final class Outcome: @unchecked Sendable {
        /// Of every state that was visited, in the order of the visits.
        var visited: [Fingerprint] = []
        var violation: (property: Int, trace: Trace<M>)?
        var witnesses: [Trace<M>?] = []
    }

    /// Walks that are made before anybody looks what came of them; a part of the order.
    private static var batch: Int { 64 }

    @usableFromInline init(_ model: M, _ options: CheckOptions, count: Int, length: Int, seed: UInt64) {
        self.model = model
        self.options = options
        self.count = count
        self.length = length
        self.seed = seed
    }

    @usableFromInline func run() -> CheckResult<M> {
        let pool = WorkerPool(workers: options.workers)
        defer { pool.stop() }
        let properties = model.properties
        var result = CheckResult<M>(.boundReached(.walks))
        // Only counted.
        var known: Set<Fingerprint> = []
        var visits = 0
        for first in stride(from: 0, to: count, by: Self.batch) {
            let outcomes = (first..<min(first + Self.batch, count)).map { _ in Outcome() }
            pool.run(outcomes.count) { index in
                walk(UInt64(first + index), properties, into: outcomes[index])
            }
            for outcome in outcomes {
                visits += outcome.visited.count
                result.visits = visits
                result.transitions += max(0, outcome.visited.count - 1)
                result.depth = max(result.depth, outcome.visited.count)
                known.formUnion(outcome.visited)
                result.distinctStates = known.count
                result.bytes = max(result.bytes, known.capacity * MemoryLayout<Fingerprint>.stride)
                take(outcome.witnesses, properties, into: &result)
                guard let (number, trace) = outcome.violation else { continue }
                result.verdict = .violated
                result.depth = trace.steps.count
                result.counterexample = .init(
                    property: properties[number].name, kind: .always, trace: trace)
                return result
            }
            options.progress?(
                CheckProgress(
                    distinctStates: result.distinctStates, transitions: result.transitions,
                    depth: result.depth, queued: count - first - outcomes.count, bytes: result.bytes))
            if let limit = options.memoryBytes, result.bytes > limit {
                result.verdict = .boundReached(.memory)
                return result
            }
            if options.isInterrupted?() == true {
                result.verdict = .boundReached(.interrupt)
                return result
            }
        }
        return result
    }

    private func take(
        _ witnesses: [Trace<M>?], _ properties: [Property<M.State>], into result: inout CheckResult<M>
    ) {
        for (number, trace) in witnesses.enumerated() {
            guard let trace, !result.witnesses.contains(where: { $0.property == properties[number].name })
            else { continue }
            result.witnesses.append(
                .init(property: properties[number].name, kind: .sometimes, trace: trace))
        }
    }

    private func walk(_ number: UInt64, _ properties: [Property<M.State>], into outcome: Outcome) {
        var dice = Dice(seed: seed, walk: number)
        outcome.witnesses = Array(repeating: nil, count: properties.count)
        let initial = model.initialStates().filter(model.isWithinBoundary)
        guard !initial.isEmpty else { return }
        var trace = Trace<M>([.init(action: nil, state: initial[dice.below(initial.count)])])
        var actions: [M.Action] = []
        while true {
            let state = trace.steps[trace.steps.count - 1].state
            outcome.visited.append(model.fingerprint(of: model.canonical(state)))
            for (index, property) in properties.enumerated() where !property.isLiveness {
                if property.kind == .always, !property.holds(state) {
                    outcome.violation = (index, trace)
                    return
                }
                if property.kind == .sometimes, outcome.witnesses[index] == nil, property.holds(state) {
                    outcome.witnesses[index] = trace
                }
            }
            guard trace.steps.count < length, options.isInterrupted?() != true else { return }
            actions.removeAll(keepingCapacity: true)
            model.addActions(in: state, to: &actions)
            guard let step = step(from: state, &actions, &dice) else { return }
            trace.steps.append(step)
        }
    }

    /// One of the steps that can be taken, each as likely as any other.
    private func step(from state: M.State, _ actions: inout [M.Action], _ dice: inout Dice) -> Trace<M>.Step?
    {
        while !actions.isEmpty {
            let index = dice.below(actions.count)
            let action = actions[index]
            if let next = model.successor(of: state, by: action), model.isWithinBoundary(next) {
                return .init(action: action, state: next)
            }
            actions.swapAt(index, actions.count - 1)
            actions.removeLast()
        }
        return nil
    }
}

/// SplitMix64. (Steele, Lea, Flood, Fast Splittable Pseudorandom Number Generators, OOPSLA 2014.)
struct Dice {
    private var state: UInt64

    init(seed: UInt64, walk: UInt64) {
        state = seed
        state = next() ^ walk
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func below(_ bound: Int) -> Int { Int(next().multipliedFullWidth(by: UInt64(bound)).high) }
}
