import SnapshotScenarios

/// Visits every reachable state of the model breadth first, so that a path to a violation is a shortest one.
struct SnapshotExplorer {
    let model: SnapshotModel
    /// What tells states apart.
    var fingerprint: (SnapshotModel.State) -> AnyHashable = { AnyHashable($0) }

    struct Outcome: Equatable {
        var distinctStates = 0
        /// States on the longest of the shortest paths, the initial one included.
        var depth = 0
        /// What was done on the way to the first state that is not consistent; `nil` when all are.
        var violation: [String]?
        var isConserved = true
        var completeStates = 0
        var projections: Set<SnapshotModel.Projection> = []
    }

    func explore() -> Outcome {
        var outcome = Outcome()
        var seen: Set<AnyHashable> = []
        var layer = model.initialStates().map { (state: $0, path: [String]()) }
        for entry in layer { seen.insert(fingerprint(entry.state)) }
        while !layer.isEmpty {
            outcome.depth += 1
            var next: [(state: SnapshotModel.State, path: [String])] = []
            for (state, path) in layer {
                outcome.projections.insert(state.projection)
                outcome.isConserved = outcome.isConserved && model.isConserved(state)
                if model.isDone(state) { outcome.completeStates += 1 }
                guard model.isConsistent(state) else {
                    outcome.violation = path
                    outcome.distinctStates = seen.count
                    return outcome
                }
                for action in model.actions(in: state) {
                    let successor = model.apply(action, to: state)
                    guard seen.insert(fingerprint(successor)).inserted else { continue }
                    next.append((successor, path + [model.describe(action, in: state)]))
                }
            }
            layer = next
        }
        outcome.distinctStates = seen.count
        return outcome
    }
}
