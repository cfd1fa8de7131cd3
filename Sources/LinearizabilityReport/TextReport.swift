import Linearizability

extension HistoryVerdict {
    /// What was found, for people: the line that stands for itself, and of a history without an explanation why.
    /// `name` says which history it was.
    public func lines(name: String, model: ObjectModel) -> [String] {
        [headline(name: name, model: model)] + explanation
    }

    /// The verdict in a line.
    public func headline(name: String, model: ObjectModel) -> String {
        let size = "\(operationCount) operations, \(eventCount) events"
        switch outcome {
        case .linearizable: return "\(name): linearizable as \(model.rawValue) (\(size))"
        case .boundReached, .undecided:
            return "\(name): no verdict (\(size)): the search has reached its bound on memory; "
                + "--memory MIB gives it more"
        case .violated: return "\(name): NOT linearizable as \(model.rawValue) (\(size))"
        }
    }

    /// Of a history without an explanation, how far the answers can be explained and a smaller history without any.
    public var explanation: [String] {
        guard let part = clearestViolation else { return [] }
        let key = part.key.map { " of key \($0)" } ?? ""
        return [""] + part.explanation(key)
            + ["", "\(part.cutDown.count) operations\(key) that no order explains:", ""] + part.diagram
    }
}

extension HistoryVerdict.Part {
    private static var shownOrder: Int { 12 }
    private static var shownOperations: Int { 40 }

    /// How far the answers can be explained, and with what they no longer can.
    fileprivate func explanation(_ key: String) -> [String] {
        let first = isLongestExplained ? "The first" : "At least the first"
        var lines = ["\(first) \(explainedEvents) events\(key) can be explained by this order:"]
        let shown = order.suffix(Self.shownOrder).map {
            "process \(operations[$0].process): \(operations[$0].shortText)"
        }
        if order.count > shown.count { lines.append("  (\(order.count - shown.count) operations)") }
        lines += shown.map { "  \($0)" }
        guard isLongestExplained else {
            lines.append("and the time for finding the longest beginning that can be is over")
            return lines
        }
        if let culprit = operations.first(where: { $0.returned == explainedEvents }) {
            lines.append("and no order explains what came next, the end of")
            lines.append(
                "  process \(culprit.process): \(culprit.shortText) (begun in line \(culprit.line))")
        }
        return lines
    }

    /// The cut-down history, a lane for each process.
    fileprivate var diagram: [String] {
        let shown = cutDown.suffix(Self.shownOperations)
        let lanes = HistoryLanes(Array(shown), margin: 4)
        let label = lanes.processes.map { "process \($0)".count }.max() ?? 0
        let left = cutDown.count - shown.count
        let note = left > 0 ? ["  (the last \(shown.count); --json has the \(left) before them)"] : []
        return note
            + lanes.processes.indices.map { lane in
                var line = [Character](repeating: " ", count: lanes.width + 1)
                for bar in lanes.bars where bar.lane == lane {
                    let end = bar.end ?? lanes.width
                    for column in bar.start...end { line[column] = "─" }
                    line[bar.start] = "├"
                    line[end] = bar.end == nil ? "…" : "┤"
                    let text = " \(bar.operation.shortText) "
                    for (offset, character) in text.enumerated() { line[bar.start + 1 + offset] = character }
                }
                let name = "process \(lanes.processes[lane])"
                while line.last == " " { line.removeLast() }
                return "  " + name + String(repeating: " ", count: label - name.count + 2) + String(line)
            }
    }
}
