/// Finds the actions of a run of which only a mark of every state is known.
///
/// The states of the run are those that the actions lead to, not the canonical ones that stand for them, so
/// that under symmetry every participant keeps its name from the first step to the last.
@usableFromInline struct TraceReplay<M: Model> {
    private let model: M

    @usableFromInline init(_ model: M) { self.model = model }

    /// `isMarked` says whether a canonical state bears a mark.
    @usableFromInline func replay<Mark>(
        _ marks: [Mark], where isMarked: (M.State, Mark) -> Bool
    ) -> Trace<M> {
        guard let first = marks.first,
            var state = model.initialStates().first(where: { isMarked(model.canonical($0), first) })
        else { preconditionFailure("a trace begins at no initial state") }
        var steps = [Trace<M>.Step(action: nil, state: state)]
        var actions: [M.Action] = []
        for mark in marks.dropFirst() {
            actions.removeAll(keepingCapacity: true)
            model.addActions(in: state, to: &actions)
            var found: Trace<M>.Step?
            for action in actions {
                guard let next = model.successor(of: state, by: action),
                    isMarked(model.canonical(next), mark)
                else { continue }
                found = .init(action: action, state: next)
                break
            }
            guard let found else {
                preconditionFailure("no action leads on from \(state); two states have one fingerprint")
            }
            steps.append(found)
            state = found.state
        }
        return Trace(steps)
    }
}
