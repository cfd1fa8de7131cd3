/// Finds sets of states in which a run can stay for ever without breaking fairness.
///
/// Weak fairness of a group asks of a strongly connected set that one of its steps is inside or that the
/// group is disabled in one of its states. Strong fairness asks that one of its steps is inside or that it is
/// disabled in all; where neither is so, the states in which it is enabled are left out and what remains is
/// taken apart again. (Emerson, Lei, Modalities for Model Checking, POPL 1985; Lichtenstein, Pnueli, POPL
/// 1985.)
struct FairCycles<M: Model> {
    let graph: StateGraph<M>
    private let weak: UInt64
    private let strong: UInt64

    init(_ graph: StateGraph<M>, _ fairness: [Fairness<M.Action>]) {
        self.graph = graph
        var (weak, strong): (UInt64, UInt64) = (0, 0)
        for (index, fair) in fairness.enumerated() {
            switch fair.strength {
            case .weak: weak |= 1 << UInt64(index)
            case .strong: strong |= 1 << UInt64(index)
            }
        }
        self.weak = weak
        self.strong = strong
    }

    /// Every group whose fairness forbids to stop here.
    func forbidsStopping(in state: Int32) -> UInt64 { graph.enabled[Int(state)] & (weak | strong) }

    /// The largest fair sets within `region`, each of which meets `target`.
    func fairSets(in region: [Int32], meeting target: (Int32) -> Bool) -> [[Int32]] {
        var fair: [[Int32]] = []
        var waiting = [region]
        var inside = [Bool](repeating: false, count: graph.states.count)
        while let part = waiting.popLast() {
            for state in part { inside[Int(state)] = true }
            let components = Components(of: graph, in: part) { inside[Int($0)] }.all
            for state in part { inside[Int(state)] = false }
            for component in components where component.contains(where: target) {
                switch judge(component) {
                case .fair: fair.append(component)
                case .unfair: break
                case .fairWithout(let groups):
                    let rest = component.filter { graph.enabled[Int($0)] & groups == 0 }
                    if !rest.isEmpty { waiting.append(rest) }
                }
            }
        }
        return fair
    }

    private enum Judgement {
        case fair
        case unfair
        /// Perhaps a part in which no action of these groups is enabled is fair.
        case fairWithout(UInt64)
    }

    private func judge(_ component: [Int32]) -> Judgement {
        var taken: UInt64 = 0
        var enabledSomewhere: UInt64 = 0
        var enabledEverywhere = UInt64.max
        for state in component {
            enabledSomewhere |= graph.enabled[Int(state)]
            enabledEverywhere &= graph.enabled[Int(state)]
            for step in graph.steps(of: state) where component.holds(step.target) { taken |= step.groups }
        }
        // A part of the component takes no more and disables no more than the whole.
        if weak & enabledEverywhere & ~taken != 0 { return .unfair }
        let refused = strong & enabledSomewhere & ~taken
        return refused == 0 ? .fair : .fairWithout(refused)
    }

    /// A short walk from `start` back to it, within the fair set `component`, that meets `target` and does
    /// what fairness asks for; no steps when the run may stop at `start`.
    func cycle(
        in component: [Int32], from start: Int32, meeting target: (Int32) -> Bool
    ) -> [(from: Int32, step: StateGraph<M>.Step)] {
        if forbidsStopping(in: start) == 0, target(start) { return [] }
        var walk: [(from: Int32, step: StateGraph<M>.Step)] = []
        var here = start
        var hasMetTarget = target(start)
        var demands = demands(of: component)
        demands.settle(in: graph.enabled[Int(start)])
        func go(_ path: [(from: Int32, step: StateGraph<M>.Step)]) {
            for (from, step) in path {
                walk.append((from, step))
                here = step.target
                hasMetTarget = hasMetTarget || target(here)
                demands.settle(taking: step.groups)
                demands.settle(in: graph.enabled[Int(here)])
            }
        }
        while !hasMetTarget { go(graph.path(from: here, within: component) { target($0.target) }) }
        while demands.isOpen {
            go(
                graph.path(from: here, within: component) { [demands] in
                    demands.isMet(taking: $0.groups, reaching: graph.enabled[Int($0.target)])
                })
        }
        if here != start { go(graph.path(from: here, within: component) { $0.target == start }) }
        return walk
    }

    private func demands(of component: [Int32]) -> Demands {
        var enabledSomewhere: UInt64 = 0
        for state in component { enabledSomewhere |= graph.enabled[Int(state)] }
        return Demands(weak: weak & enabledSomewhere, strong: strong & enabledSomewhere)
    }
}

/// What a cycle still has to do to be fair, a bit for each group.
private struct Demands {
    /// To be taken, or to be disabled once.
    var weak: UInt64
    /// To be taken.
    var strong: UInt64

    var isOpen: Bool { weak | strong != 0 }

    mutating func settle(in enabled: UInt64) { weak &= enabled }
    mutating func settle(taking groups: UInt64) {
        weak &= ~groups
        strong &= ~groups
    }
    func isMet(taking groups: UInt64, reaching enabled: UInt64) -> Bool {
        (weak | strong) & groups != 0 || weak & ~enabled != 0
    }
}

extension StateGraph {
    /// A shortest path within `component` whose last step is wanted. There must be one.
    func path(
        from start: Int32, within component: [Int32], to isWanted: (Step) -> Bool
    ) -> [(from: Int32, step: Step)] {
        var origins = [Int](repeating: -1, count: component.count)
        var queue: [(from: Int32, step: Step?, origin: Int)] = [(start, nil, -1)]
        var next = 0
        while next < queue.count {
            let state = queue[next].step?.target ?? start
            for step in steps(of: state) where component.holds(step.target) {
                if isWanted(step) {
                    var path = [(from: state, step: step)]
                    var at = next
                    while let back = queue[at].step {
                        path.append((queue[at].from, back))
                        at = queue[at].origin
                    }
                    return path.reversed()
                }
                let place = component.place(of: step.target)
                guard origins[place] < 0, step.target != start else { continue }
                origins[place] = next
                queue.append((state, step, next))
            }
            next += 1
        }
        preconditionFailure("no path within a strongly connected set of \(component.count) states")
    }
}

extension [Int32] {
    /// The place of a state in a sorted list, or where it would have to be.
    func place(of state: Int32) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if self[middle] < state { low = middle + 1 } else { high = middle }
        }
        return low
    }

    func holds(_ state: Int32) -> Bool {
        let place = place(of: state)
        return place < count && self[place] == state
    }
}
