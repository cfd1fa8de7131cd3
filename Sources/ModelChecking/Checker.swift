/// Checks a model: the one entry to everything here.
///
/// What it finds depends on the model and the options alone, not on the number of workers.
public struct Checker<M: Model> {
    @usableFromInline let model: M
    @usableFromInline let options: CheckOptions

    @inlinable public init(_ model: M, _ options: CheckOptions = CheckOptions()) {
        self.model = model
        self.options = options
    }

    /// Looks at single states first, and at infinite runs only when those are in order.
    @inlinable public func run() -> CheckResult<M> {
        let result = searchStates()
        let searchesAll = options.strategy == .breadthFirst || options.strategy == .depthFirst
        guard searchesAll, result.verdict == .holds else { return result }
        return searchRuns(after: result)
    }

    @inlinable func searchStates() -> CheckResult<M> {
        switch options.strategy {
        case .breadthFirst: return BreadthFirstSearch(model, options).run()
        case .depthFirst:
            var search = DepthFirstSearch(model, options)
            return search.run()
        case .randomWalks(let count, let length, let seed):
            return RandomWalks(model, options, count: count, length: length, seed: seed).run()
        }
    }

    /// One worker does it. Strongly connected components are found depth first, which no number of workers makes
    /// faster without another algorithm, and the graph must be held in memory, which ends a search long before
    /// time does; numbered by one worker, a graph gives the same lasso every time.
    @usableFromInline func searchRuns(after result: CheckResult<M>) -> CheckResult<M> {
        let properties = model.properties.filter(\.isLiveness)
        guard !properties.isEmpty else { return result }
        var result = result
        result.allStatesHold = true
        do {
            let graph = try StateGraph(model, options)
            result.bytes = max(result.bytes, graph.bytes)
            let check = LivenessCheck(model, graph)
            for property in properties {
                guard let counterexample = check.counterexample(to: property) else { continue }
                result.verdict = .violated
                result.counterexample = counterexample
                break
            }
        } catch {
            result.verdict = .boundReached(error)
        }
        return result
    }
}
