/// The reachable states and the steps between them, numbered, with what fairness asks of each.
///
/// Steps that leave the state as it is are left out: fairness neither counts them as enabled nor as taken,
/// and stopping is possible anyway. Symmetry is not used, because a cycle of canonical states need not be a
/// cycle of states.
struct StateGraph<M: Model> {
    struct Step {
        let target: Int32
        /// The fairness groups that the action belongs to, a bit for each.
        let groups: UInt64
        /// The place of the action among those of its state.
        let action: Int32
    }

    private(set) var states: [M.State] = []
    private(set) var initial: [Int32] = []
    /// The steps of state s are those from `firstSteps[s]` up to `firstSteps[s + 1]`.
    private(set) var steps: [Step] = []
    private(set) var firstSteps: [Int] = [0]
    /// The fairness groups of which some action is enabled, a bit for each.
    private(set) var enabled: [UInt64] = []
    private(set) var depth = 0

    static var mostGroups: Int { 64 }

    /// Throws when there is no graph because it is too large.
    init(_ model: M, _ options: CheckOptions) throws(CheckBound) {
        let fairness = model.fairness
        precondition(fairness.count <= Self.mostGroups, "more than \(Self.mostGroups) fairness groups")
        let memory = MemoryMeter(limit: options.memoryBytes, countsResident: !_isPOD(M.State.self))
        var numbers: [M.State: Int32] = [:]
        func number(_ state: M.State, in states: inout [M.State]) -> Int32 {
            if let number = numbers[state] { return number }
            let number = Int32(states.count)
            numbers[state] = number
            states.append(state)
            return number
        }
        for state in model.initialStates() where model.isWithinBoundary(state) {
            let number = number(state, in: &states)
            if !initial.contains(number) { initial.append(number) }
        }
        var actions: [M.Action] = []
        var current = 0
        var endOfLevel = 0
        while current < states.count {
            if current == endOfLevel {
                depth += 1
                endOfLevel = states.count
            }
            actions.removeAll(keepingCapacity: true)
            model.addActions(in: states[current], to: &actions)
            var enabledHere: UInt64 = 0
            for (place, action) in actions.enumerated() {
                guard let next = model.successor(of: states[current], by: action),
                    model.isWithinBoundary(next)
                else { continue }
                let target = number(next, in: &states)
                guard target != current else { continue }
                var groups: UInt64 = 0
                for (index, fair) in fairness.enumerated() where fair.covers(action) {
                    groups |= 1 << UInt64(index)
                }
                enabledHere |= groups
                steps.append(Step(target: target, groups: groups, action: Int32(place)))
            }
            enabled.append(enabledHere)
            firstSteps.append(steps.count)
            current += 1
            try keepBounds(options, memory, current)
        }
    }

    private func keepBounds(_ options: CheckOptions, _ memory: MemoryMeter, _ current: Int) throws(CheckBound)
    {
        if let limit = options.statesLimit, states.count > limit { throw CheckBound.states }
        if options.isInterrupted?() == true { throw CheckBound.interrupt }
        guard current & 0xFFF == 0 else { return }
        guard memory.allows(bytes) else { throw CheckBound.memory }
        options.progress?(
            CheckProgress(
                distinctStates: states.count, transitions: steps.count, depth: depth,
                queued: states.count - current, bytes: bytes))
    }

    /// About; the dictionary that numbers the states holds each once more.
    var bytes: Int {
        states.capacity * (2 * MemoryLayout<M.State>.stride + 8) * 4 / 3
            + steps.capacity * MemoryLayout<Step>.stride + (firstSteps.capacity + enabled.capacity) * 8
    }

    func steps(of state: Int32) -> ArraySlice<Step> {
        steps[firstSteps[Int(state)]..<firstSteps[Int(state) + 1]]
    }

    /// The action of a step, looked up again.
    func action(_ step: Step, of state: Int32, _ model: M) -> M.Action {
        var actions: [M.Action] = []
        model.addActions(in: states[Int(state)], to: &actions)
        return actions[Int(step.action)]
    }
}
