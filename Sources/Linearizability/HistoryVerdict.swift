/// What a check of a history found, key by key.
public struct HistoryVerdict: Sendable {
    public enum Outcome: String, Sendable {
        case linearizable
        case violated
        case boundReached
    }

    /// What was found for the operations on one key.
    public struct Part: Sendable {
        public let key: String?
        public let outcome: Outcome
        public let operations: [RecordedOperation]
        /// The longest prefix of the history, in events, whose operations on this key have an explanation.
        public let explainedEvents: Int
        /// The operations that took effect in that prefix, in an order that explains their answers; by place in
        /// `operations`.
        public let order: [Int]
        /// Of a history without an explanation, a smaller one without any.
        public let cutDown: [RecordedOperation]
    }

    public let eventCount: Int
    public let operationCount: Int
    /// By key; those without a key first.
    public let parts: [Part]

    public var outcome: Outcome {
        if parts.contains(where: { $0.outcome == .violated }) { return .violated }
        return parts.contains { $0.outcome == .boundReached } ? .boundReached : .linearizable
    }

    /// The part to show of a history without an explanation: the one with the smallest cut-down history.
    public var clearestViolation: Part? {
        parts.filter { $0.outcome == .violated }.min { $0.cutDown.count < $1.cutDown.count }
    }

    init<Object: RecordedObject>(_ history: History, as: Object.Type, _ limits: HistoryLimits) throws {
        eventCount = history.eventCount
        operationCount = history.operations.count
        var byKey: [String?: [RecordedOperation]] = [:]
        for operation in history.operations { byKey[operation.key, default: []].append(operation) }
        let keys = byKey.keys.sorted { a, b in
            guard let b else { return false }
            return a.map { $0 < b } ?? true
        }
        parts = try keys.map { key in
            try Part(key: key, byKey[key] ?? [], in: history, as: Object.self, limits)
        }
    }
}

extension HistoryVerdict.Part {
    fileprivate init<Object: RecordedObject>(
        key: String?, _ recorded: [RecordedOperation], in history: History, as: Object.Type,
        _ limits: HistoryLimits
    ) throws {
        let operations = try recorded.map(Object.operation)
        self.key = key
        self.operations = recorded
        switch LinearizabilitySearch<Object>(configurationLimit: limits.configurations).run(operations) {
        case .linearizable(let order):
            outcome = .linearizable
            self.order = order
            explainedEvents = history.eventCount
            cutDown = []
        case .violated(let event, let order):
            outcome = .violated
            self.order = order
            explainedEvents = event
            let smaller = CutDown(operations, event: event)
            cutDown = smaller.kept.map { index in
                var operation = recorded[index]
                if smaller.isOpen(index) {
                    operation.returned = nil
                    operation.answer = nil
                }
                return operation
            }
        case .boundReached(let event):
            outcome = .boundReached
            order = []
            explainedEvents = max(event, 0)
            cutDown = []
        }
    }
}
