/// Visits every reachable state of a model breadth first, so that a trace to a violation is a shortest one.
struct PaxosExplorer {
    private(set) var model: PaxosModel
    private var states: [PaxosModel.State] = []
    private var seen: Set<PaxosModel.State> = []
    /// By state: the one it was first reached from, and how.
    private var origins: [(parent: Int32, action: PaxosModel.Action)] = []

    struct Outcome {
        var distinctStates = 0
        var transitions = 0
        var depth = 0
        var violation: String?
        var trace: [String] = []
    }

    init(_ model: PaxosModel) { self.model = model }

    mutating func explore() -> Outcome {
        var outcome = Outcome()
        let initial = model.initial()
        states = [initial]
        seen = [initial]
        origins = [(-1, .begin(proposer: 0))]
        var next = 0
        var endOfLayer = 1
        while next < states.count {
            if next == endOfLayer {
                outcome.depth += 1
                endOfLayer = states.count
            }
            let parent = next
            next += 1
            for action in model.actions(in: states[parent]) {
                let state = model.apply(action, to: states[parent]).canonical
                outcome.transitions += 1
                guard seen.insert(state).inserted else { continue }
                states.append(state)
                origins.append((Int32(parent), action))
                if let violation = model.violation(in: state) {
                    outcome.violation = violation
                    outcome.trace = trace(to: states.count - 1)
                    outcome.distinctStates = states.count
                    return outcome
                }
            }
        }
        outcome.distinctStates = states.count
        return outcome
    }

    /// Acceptors change places in the states on the way; in the words they keep their names.
    private mutating func trace(to last: Int) -> [String] {
        var path: [PaxosModel.Action] = []
        var number = last
        while origins[number].parent >= 0 {
            path.append(origins[number].action)
            number = Int(origins[number].parent)
        }
        var state = model.initial()
        var names = [1, 2, 3]
        return path.reversed().map { action in
            let sentence = model.describe(action, names)
            let next = model.apply(action, to: state)
            let order = (0..<3).sorted { (next.acceptors[$0], $0) < (next.acceptors[$1], $1) }
            names = order.map { names[$0] }
            state = next.canonical
            return sentence
        }
    }
}
