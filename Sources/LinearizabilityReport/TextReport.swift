import Linearizability

extension HistoryVerdict {
    /// What was found, for people. `name` says which history it was.
    public func lines(name: String, model: ObjectModel) -> [String] {
        let size = "\(operationCount) operations, \(eventCount) events"
        switch outcome {
        case .linearizable: return ["\(name): linearizable as \(model.rawValue) (\(size))"]
        case .boundReached:
            return [
                "\(name): no verdict (\(size)): the search has reached its bound on memory; "
                    + "--memory MIB gives it more"
            ]
        case .violated:
            guard let part = clearestViolation else { return [] }
            let key = part.key.map { " of key \($0)" } ?? ""
            var lines = ["\(name): NOT linearizable as \(model.rawValue) (\(size))", ""]
            lines += part.explanation(key)
            lines += ["", "\(part.cutDown.count) operations\(key) that no order explains:", ""]
            return lines + part.diagram
        }
    }
}

extension HistoryVerdict.Part {
    private static var shownOrder: Int { 12 }

    /// How far the answers can be explained, and with what they no longer can.
    fileprivate func explanation(_ key: String) -> [String] {
        var lines = ["The first \(explainedEvents) events\(key) can be explained by this order:"]
        let shown = order.suffix(Self.shownOrder).map {
            "process \(operations[$0].process): \(operations[$0].text)"
        }
        if order.count > shown.count { lines.append("  (\(order.count - shown.count) operations)") }
        lines += shown.map { "  \($0)" }
        if let culprit = operations.first(where: { $0.returned == explainedEvents }) {
            lines.append("and no order explains what came next, the end of")
            lines.append("  process \(culprit.process): \(culprit.text) (begun in line \(culprit.line))")
        }
        return lines
    }

    /// The cut-down history, a lane for each process.
    fileprivate var diagram: [String] {
        let lanes = HistoryLanes(cutDown, margin: 4)
        let label = lanes.processes.map { "process \($0)".count }.max() ?? 0
        return lanes.processes.indices.map { lane in
            var line = [Character](repeating: " ", count: lanes.width + 1)
            for bar in lanes.bars where bar.lane == lane {
                let end = bar.end ?? lanes.width
                for column in bar.start...end { line[column] = "─" }
                line[bar.start] = "├"
                line[end] = bar.end == nil ? "…" : "┤"
                let text = " \(bar.operation.text) "
                for (offset, character) in text.enumerated() { line[bar.start + 1 + offset] = character }
            }
            let name = "process \(lanes.processes[lane])"
            while line.last == " " { line.removeLast() }
            return "  " + name + String(repeating: " ", count: label - name.count + 2) + String(line)
        }
    }
}
