/// How a search may end.
public enum SearchResult: Hashable, Sendable {
    /// The operations that took effect, by index, in an order that explains every answer.
    case linearizable(order: [Int])
    /// No order explains all answers. The events before `event` can be explained, by `order`; with it they cannot.
    case violated(event: Int, order: [Int])
    /// The limit on configurations was reached; the events before `event` can be explained.
    case boundReached(event: Int)
}

/// Looks for an order of the operations that explains every answer: the search of Wing and Gong (Testing and
/// Verifying Concurrent Objects, JPDC 17, 1993) with Lowe's memory of configurations (Testing for Linearizability,
/// CCPE 29(4), 2017, section 3).
///
/// A configuration is the set of operations that took effect and the object's state. From each, any operation may
/// be next that was invoked before the first return of one that has not taken effect. A configuration that was
/// entered before leads to nothing new. Two rules spare most of the rest:
/// - an observation whose answer is right now is taken at once and never given up: it changes nothing and only
///   makes room;
/// - an operation that nobody knows the end of is tried like the others, but need not take effect.
public struct LinearizabilitySearch<Object: SequentialObject> {
    /// How many configurations are remembered at most.
    public var configurationLimit: Int

    public init(configurationLimit: Int = 10_000_000) { self.configurationLimit = configurationLimit }

    /// The operations in any order; they are numbered as given.
    public func run(_ operations: [Operation<Object>]) -> SearchResult {
        var state = SearchState(operations)
        let result = state.run(limit: configurationLimit)
        guard case .violated(let event, let order) = result else { return result }
        return longestPrefix(of: operations, explained: (event, order))
    }

    /// The search stopped with an event also where only answers of later events were in the way. Whatever has an
    /// explanation has one up to each of its events, so that the first event without can be found by halving.
    private func longestPrefix(
        of operations: [Operation<Object>], explained: (event: Int, order: [Int])
    ) -> SearchResult {
        let returns = operations.compactMap(\.returned).filter { $0 >= explained.event }.sorted()
        var explained = explained
        // The prefix before returns[low] has an explanation, the one that holds returns[high] has none.
        var low = 0
        var high = returns.count - 1
        while low < high {
            let middle = (low + high) / 2
            var state = SearchState(operations.map { $0.known(before: returns[middle] + 1) })
            guard case .linearizable(let order) = state.run(limit: configurationLimit) else {
                high = middle
                continue
            }
            low = middle + 1
            explained = (returns[low], order.filter { operations[$0].invoked < returns[low] })
        }
        return .violated(event: explained.event, order: explained.order)
    }
}

extension Operation {
    /// The operation as it was known before that event: open when it had not returned by then. What was
    /// invoked later is open too, and the end of the prefix comes before it.
    fileprivate func known(before event: Int) -> Self {
        guard let returned, returned >= event else { return self }
        return Operation(call, answer: nil, invoked: invoked, returned: nil)
    }
}

private struct SearchState<Object: SequentialObject> {
    private struct Step {
        let entry: Int
        let before: Object
        /// Taken at once: there is no other choice worth trying in its place.
        let isForced: Bool
    }

    private struct Configuration: Hashable {
        let linearized: LinearizedSet.Key
        let object: Object
    }

    private let operations: [Operation<Object>]
    /// By entry, from 1: the operation, and whether the entry is its return. Entries are invocations and returns in
    /// the order of events; entry 0 is where the list begins and ends.
    private var operationAt: [Int] = [-1]
    private var isReturn = [false]
    private var eventAt = [-1]
    private var next: [Int] = []
    private var previous: [Int] = []
    private var returnEntry: [Int]
    private var place: [Int]

    private var object = Object()
    private var linearized: LinearizedSet
    private var path: [Step] = []
    private var left = 0
    private var furthest = (event: -1, order: [Int]())

    init(_ operations: [Operation<Object>]) {
        self.operations = operations
        returnEntry = Array(repeating: 0, count: operations.count)
        place = Array(repeating: 0, count: operations.count)
        linearized = LinearizedSet(count: operations.count)
        var entries: [(event: Int, operation: Int, isReturn: Bool)] = []
        for (index, operation) in operations.enumerated() {
            // What nobody saw and changes nothing says nothing.
            if operation.returned == nil, Object.isObservation(operation.call) { continue }
            entries.append((operation.invoked, index, false))
            if let returned = operation.returned {
                entries.append((returned, index, true))
                left += 1
            }
        }
        entries.sort { $0.event < $1.event }
        var invocations = 0
        for entry in entries {
            operationAt.append(entry.operation)
            isReturn.append(entry.isReturn)
            eventAt.append(entry.event)
            if entry.isReturn {
                returnEntry[entry.operation] = operationAt.count - 1
            } else {
                place[entry.operation] = invocations
                invocations += 1
            }
        }
        let count = operationAt.count
        next = (0..<count).map { ($0 + 1) % count }
        previous = (0..<count).map { ($0 + count - 1) % count }
    }

    mutating func run(limit: Int) -> SearchResult {
        // Only asked whether it holds a configuration, never for its order.
        var seen: Set<Configuration> = []
        var entry = chooseFirst()
        while left > 0 {
            if entry != 0, !isReturn[entry] {
                if take(entry, unlessIn: &seen) {
                    if seen.count > limit { return .boundReached(event: furthest.event) }
                    entry = chooseFirst()
                } else {
                    entry = next[entry]
                }
                continue
            }
            noteBlocked(at: entry)
            guard let resumed = giveUp() else {
                return .violated(event: furthest.event, order: furthest.order)
            }
            entry = resumed
        }
        return .linearizable(order: path.map { operationAt[$0.entry] })
    }

    /// Takes every observation that is right now, and returns the first entry that is left.
    private mutating func chooseFirst() -> Int {
        var entry = next[0]
        while entry != 0, !isReturn[entry] {
            if Object.isObservation(operations[operationAt[entry]].call), let after = effect(of: entry) {
                take(entry, after, isForced: true)
                entry = next[0]
            } else {
                entry = next[entry]
            }
        }
        return next[0]
    }

    /// The object after the operation; nil when its answer is not what was observed.
    private func effect(of entry: Int) -> Object? {
        let operation = operations[operationAt[entry]]
        var after = object
        let answer = after.apply(operation.call)
        if let observed = operation.answer, observed != answer { return nil }
        return after
    }

    /// Lets the operation take effect, if its answer is right and that leads to a new configuration.
    private mutating func take(_ entry: Int, unlessIn seen: inout Set<Configuration>) -> Bool {
        guard let after = effect(of: entry) else { return false }
        let place = place[operationAt[entry]]
        linearized.insert(place)
        let isNew = seen.insert(Configuration(linearized: linearized.key, object: after)).inserted
        linearized.remove(place)
        if isNew { take(entry, after, isForced: false) }
        return isNew
    }

    private mutating func take(_ entry: Int, _ after: Object, isForced: Bool) {
        let index = operationAt[entry]
        linearized.insert(place[index])
        path.append(Step(entry: entry, before: object, isForced: isForced))
        object = after
        unlink(entry)
        if operations[index].returned != nil {
            unlink(returnEntry[index])
            left -= 1
        }
    }

    /// Takes back the last choice; returns the entry to try instead, or nil when no choice is left.
    private mutating func giveUp() -> Int? {
        while let step = path.popLast() {
            let index = operationAt[step.entry]
            linearized.remove(place[index])
            object = step.before
            if operations[index].returned != nil {
                relink(returnEntry[index])
                left += 1
            }
            relink(step.entry)
            if !step.isForced { return next[step.entry] }
        }
        return nil
    }

    /// A return whose operation has not taken effect ends what this configuration can explain.
    private mutating func noteBlocked(at entry: Int) {
        let event = eventAt[entry]
        if event > furthest.event { furthest = (event, path.map { operationAt[$0.entry] }) }
    }

    private mutating func unlink(_ entry: Int) {
        next[previous[entry]] = next[entry]
        previous[next[entry]] = previous[entry]
    }

    private mutating func relink(_ entry: Int) {
        next[previous[entry]] = entry
        previous[next[entry]] = entry
    }
}
