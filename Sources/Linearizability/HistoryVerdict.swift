/// What a check of a history found, key by key.
public struct HistoryVerdict: Sendable {
    public enum Outcome: String, Sendable {
        case linearizable
        case violated
        case boundReached
        /// The operations on another key were refuted first, which says all about the history.
        case undecided
    }

    /// What was found for the operations on one key.
    public struct Part: Sendable {
        public let key: String?
        public let outcome: Outcome
        public let operations: [RecordedOperation]
        /// A prefix of the history, in events, whose operations on this key have an explanation.
        public internal(set) var explainedEvents: Int
        /// Whether that prefix is known to be the longest. Of a history without an explanation it need not be before
        /// it has been cut down, nor when the time for that was over.
        public internal(set) var isLongestExplained: Bool
        /// The operations that took effect in that prefix, in an order that explains their answers; by place in
        /// `operations`.
        public internal(set) var order: [Int]
        /// Of a history without an explanation, a smaller one without any, once it has been cut down.
        public internal(set) var cutDown: [RecordedOperation] = []
    }

    public let eventCount: Int
    public let operationCount: Int
    /// By key; those without a key first.
    public internal(set) var parts: [Part]

    public var outcome: Outcome {
        if parts.contains(where: { $0.outcome == .violated }) { return .violated }
        return parts.contains { $0.outcome == .boundReached } ? .boundReached : .linearizable
    }

    /// The part to show of a history without an explanation: the one with the smallest cut-down history.
    public var clearestViolation: Part? {
        parts.filter { $0.outcome == .violated }.min { $0.cutDown.count < $1.cutDown.count }
    }
}

/// A history that is held against an object: first what the verdict is, and then, if there is time, why.
struct HistoryCheck<Object: RecordedObject> {
    private let history: History
    private let limits: HistoryLimits
    private let keys: [String?]
    private let recorded: [[RecordedOperation]]
    private let operations: [[Operation<Object>]]

    /// Throws `HistoryError` when an operation is none of the object's.
    init(_ history: History, _ limits: HistoryLimits) throws {
        self.history = history
        self.limits = limits
        var byKey: [String?: [RecordedOperation]] = [:]
        for operation in history.operations { byKey[operation.key, default: []].append(operation) }
        keys = byKey.keys.sorted { a, b in
            guard let b else { return false }
            return a.map { $0 < b } ?? true
        }
        recorded = keys.map { byKey[$0] ?? [] }
        operations = try recorded.map { try $0.map(Object.operation) }
    }

    func verdict() -> HistoryVerdict {
        let results = SideBySide<Object>(limit: limits.configurations).run(operations)
        return HistoryVerdict(
            eventCount: history.eventCount, operationCount: history.operations.count,
            parts: results.indices.map { part($0, results[$0]) })
    }

    private func part(_ place: Int, _ result: SearchResult?) -> HistoryVerdict.Part {
        func part(_ outcome: HistoryVerdict.Outcome, _ events: Int, _ order: [Int]) -> HistoryVerdict.Part {
            HistoryVerdict.Part(
                key: keys[place], outcome: outcome, operations: recorded[place], explainedEvents: events,
                isLongestExplained: outcome == .linearizable, order: order)
        }
        switch result {
        case .linearizable(let order): return part(.linearizable, history.eventCount, order)
        case .violated(let event, let order): return part(.violated, event, order)
        case .boundReached(let event): return part(.boundReached, event, [])
        case nil: return part(.undecided, 0, [])
        }
    }

    /// Says of what was refuted how far it can be explained, and makes it smaller, for as long as the limits allow.
    func explain(_ verdict: inout HistoryVerdict) {
        let deadline = Deadline(after: limits.cutDownTime)
        for place in verdict.parts.indices where verdict.parts[place].outcome == .violated {
            let part = verdict.parts[place]
            let search = LinearizabilitySearch<Object>(configurationLimit: limits.configurations)
            let prefix = search.longestPrefix(
                of: operations[place], explained: (part.explainedEvents, part.order), until: deadline)
            verdict.parts[place].explainedEvents = prefix.event
            verdict.parts[place].order = prefix.order
            verdict.parts[place].isLongestExplained = prefix.isLongest
            let smaller = CutDown(
                operations[place], event: prefix.isLongest ? prefix.event : nil, until: deadline)
            verdict.parts[place].cutDown = smaller.kept.map { index in
                var operation = recorded[place][index]
                if smaller.isOpen(index) {
                    operation.returned = nil
                    operation.answer = nil
                }
                return operation
            }
        }
    }
}
