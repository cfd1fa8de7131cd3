/// Searches that share the time: each goes on for as many steps as the others, and then for twice as many, until one
/// has refuted its operations or all have ended. So a history that is refuted by one key is refuted in the time of
/// that key, times the number of keys, whatever the others take.
struct SideBySide<Object: SequentialObject> {
    private static var firstSteps: Int { 4096 }

    /// How many configurations all remember together.
    let limit: Int

    /// The result of each, in the same order; nil for those that had not ended when another was refuted.
    func run(_ all: [[Operation<Object>]]) -> [SearchResult?] {
        var results: [SearchResult?] = Array(repeating: nil, count: all.count)
        var searches: [(place: Int, state: SearchState<Object>)] = []
        // By place in `searches`.
        var seen: [Set<SearchState<Object>.Configuration>] = []
        // Most end at once and leave nothing behind.
        var left = limit
        for (place, operations) in all.enumerated() {
            var state = SearchState(operations)
            var itsSeen: Set<SearchState<Object>.Configuration> = []
            results[place] = state.run(
                steps: Self.firstSteps, rememberingAtMost: left, in: &itsSeen)
            switch results[place] {
            case .violated: return results
            case nil:
                left -= state.remembered
                searches.append((place, state))
                seen.append(itsSeen)
            default: break
            }
        }
        var steps = 2 * Self.firstSteps
        while !searches.isEmpty {
            guard left >= searches.count else {
                for search in searches {
                    results[search.place] = .boundReached(event: search.state.explainedEvents)
                }
                return results
            }
            let share = left / searches.count
            for index in searches.indices {
                let before = searches[index].state.remembered
                let result = searches[index].state.run(
                    steps: steps, rememberingAtMost: before + share, in: &seen[index])
                results[searches[index].place] = result
                left -= searches[index].state.remembered - before
                if case .violated = result { return results }
            }
            for index in searches.indices.reversed() where results[searches[index].place] != nil {
                left += searches[index].state.remembered
                searches.remove(at: index)
                seen.remove(at: index)
            }
            steps = min(2 * steps, Int.max / 4)
        }
        return results
    }
}
