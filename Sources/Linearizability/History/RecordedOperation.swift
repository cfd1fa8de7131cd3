/// An operation as its process saw it: from its invocation to its return.
public struct RecordedOperation: Hashable, Sendable {
    public var process: Int
    public var function: String
    public var key: String?
    public var argument: String?
    /// What it returned; meaningful only when `returned` is set.
    public var answer: String?
    /// Places in the order of events, from 0.
    public var invoked: Int
    /// Nil: nobody knows whether it took effect.
    public var returned: Int?
    /// The line of its invocation, from 1.
    public var line: Int

    public init(
        process: Int, function: String, key: String? = nil, argument: String? = nil, answer: String? = nil,
        invoked: Int, returned: Int?, line: Int
    ) {
        self.process = process
        self.function = function
        self.key = key
        self.argument = argument
        self.answer = answer
        self.invoked = invoked
        self.returned = returned
        self.line = line
    }

    public var isOpen: Bool { returned == nil }

    /// Such as `write 3`, `read -> 3`, `cas [1 2] -> ?`.
    public var text: String {
        let call = function + (key.map { " \($0)" } ?? "") + (argument.map { " \($0)" } ?? "")
        if isOpen { return call + " -> ?" }
        return argument == answer ? call : call + " -> " + (answer ?? "nil")
    }
}

/// A history whose invocations and returns belong together. Operations that did not take effect are left out.
public struct History: Hashable, Sendable {
    /// In the order of their invocations.
    public private(set) var operations: [RecordedOperation] = []
    public private(set) var eventCount = 0

    public init(_ events: [HistoryEvent]) throws {
        try self.init(events.enumerated().map { ($0.offset + 1, $0.element) })
    }

    /// Throws `HistoryError` when a process begins a second operation before the first has ended, or ends one
    /// that it has not begun.
    init(_ events: [(line: Int, event: HistoryEvent)]) throws {
        eventCount = events.count
        var pending: [Int: Int] = [:]
        var failed: Set<Int> = []
        for (place, (line, event)) in events.enumerated() {
            if event.kind == .invoke {
                if let other = pending[event.process] {
                    throw HistoryError(
                        line: line,
                        "process \(event.process) begins \(event.function) before its "
                            + "\(operations[other].function) of line \(operations[other].line) has ended")
                }
                pending[event.process] = operations.count
                operations.append(
                    RecordedOperation(
                        process: event.process, function: event.function, key: event.key,
                        argument: event.value,
                        answer: nil, invoked: place, returned: nil, line: line))
                continue
            }
            guard let index = pending.removeValue(forKey: event.process) else {
                throw HistoryError(line: line, "process \(event.process) ends what it has not begun")
            }
            guard operations[index].function == event.function else {
                throw HistoryError(
                    line: line,
                    "process \(event.process) ends \(event.function) but began \(operations[index].function)")
            }
            switch event.kind {
            case .ok:
                operations[index].returned = place
                operations[index].answer = event.value
            case .fail: failed.insert(index)
            case .info, .invoke: break
            }
        }
        operations = operations.indices.filter { !failed.contains($0) }.map { operations[$0] }
    }
}
