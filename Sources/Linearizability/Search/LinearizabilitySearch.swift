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
/// entered before leads to nothing new. Three rules spare most of the rest:
/// - an observation whose answer is right now is taken at once and never given up: it changes nothing and only
///   makes room;
/// - an operation that nobody knows the end of is tried like the others, but need not take effect;
/// - a configuration from which one of the next answers can no longer come is not entered (`Outlook`).
public struct LinearizabilitySearch<Object: SequentialObject> {
    /// How many configurations are remembered at most.
    public var configurationLimit: Int

    public init(configurationLimit: Int = 10_000_000) { self.configurationLimit = configurationLimit }

    /// The operations in any order; they are numbered as given.
    public func run(_ operations: [Operation<Object>]) -> SearchResult {
        let result = verdict(operations, until: nil)
        guard case .violated(let event, let order) = result else { return result }
        let prefix = longestPrefix(of: operations, explained: (event, order), until: nil)
        return .violated(event: prefix.event, order: prefix.order)
    }

    /// Of a history without an explanation the events before `event` have one; that it is the longest beginning
    /// which has one is not said.
    func verdict(_ operations: [Operation<Object>], until deadline: Deadline?) -> SearchResult {
        var state = SearchState(operations)
        var seen: Set<SearchState<Object>.Configuration> = []
        while true {
            let result = state.run(
                steps: Deadline.steps, rememberingAtMost: configurationLimit, in: &seen)
            if let result { return result }
            if state.remembered > configurationLimit || deadline?.isOver == true {
                return .boundReached(event: state.explainedEvents)
            }
        }
    }

    /// The longest beginning of a history without an explanation that has one: all events before `event`.
    ///
    /// A search stops with an event also where only answers of later events were in the way. Whatever has an
    /// explanation has one up to each of its events, so that the first event without can be found by halving.
    /// `isLongest` is false when a limit ended that; the beginning has an explanation all the same.
    func longestPrefix(
        of operations: [Operation<Object>], explained: (event: Int, order: [Int]), until deadline: Deadline?
    ) -> (event: Int, order: [Int], isLongest: Bool) {
        let returns = operations.compactMap(\.returned).filter { $0 >= explained.event }.sorted()
        var explained = explained
        // The prefix before returns[low] has an explanation, the one that holds returns[high] has none.
        var low = 0
        var high = returns.count - 1
        while low < high {
            let middle = (low + high) / 2
            switch verdict(operations.map { $0.known(before: returns[middle] + 1) }, until: deadline) {
            case .linearizable(let order):
                low = middle + 1
                explained = (returns[low], order.filter { operations[$0].invoked < returns[low] })
            case .violated: high = middle
            case .boundReached: return (explained.event, explained.order, false)
            }
        }
        return (explained.event, explained.order, true)
    }
}

/// When to stop, for work that is of use also when it is not done to the end.
struct Deadline {
    /// Steps of a search between two looks at the clock.
    static let steps = 4096

    private let end: ContinuousClock.Instant

    init(after duration: Duration) { end = .now + duration }

    var isOver: Bool { ContinuousClock.now >= end }
}

extension Operation {
    /// The operation as it was known before that event: open when it had not returned by then. What was
    /// invoked later is open too, and the end of the prefix comes before it.
    fileprivate func known(before event: Int) -> Self {
        guard let returned, returned >= event else { return self }
        return Operation(call, answer: nil, invoked: invoked, returned: nil)
    }
}
