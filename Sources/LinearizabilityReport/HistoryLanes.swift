import Linearizability

/// Where the bars of operations lie when each process has a lane and time runs to the right: in columns, so far apart
/// that the text of each operation fits into its bar.
struct HistoryLanes {
    struct Bar {
        let operation: RecordedOperation
        let lane: Int
        let start: Int
        /// Nil: it goes on.
        let end: Int?
    }

    /// In ascending order.
    let processes: [Int]
    let bars: [Bar]
    let width: Int

    /// `margin`: columns that a bar has beside its text.
    init(_ operations: [RecordedOperation], margin: Int) {
        let processes = Set(operations.map(\.process)).sorted()
        self.processes = processes
        let times = Set(operations.flatMap { [$0.invoked] + ($0.returned.map { [$0] } ?? []) }).sorted()
        let ended = Dictionary(grouping: operations.filter { !$0.isOpen }) { $0.returned ?? 0 }
        let lane = Dictionary(uniqueKeysWithValues: zip(processes, processes.indices))
        var column: [Int: Int] = [:]
        var next = 0
        for time in times {
            column[time] = next
            // A return stands where the longest bar that it ends needs it.
            for operation in ended[time] ?? [] {
                let start = column[operation.invoked] ?? 0
                column[time] = max(column[time] ?? 0, start + operation.shortText.count + margin)
            }
            next = (column[time] ?? 0) + 2
        }
        let longestOpen = operations.filter(\.isOpen).map {
            (column[$0.invoked] ?? 0) + $0.shortText.count + margin
        }
        width = max(next, longestOpen.max() ?? 0)
        bars = operations.map { operation in
            Bar(
                operation: operation, lane: lane[operation.process] ?? 0,
                start: column[operation.invoked] ?? 0, end: operation.returned.flatMap { column[$0] })
        }
    }
}

extension RecordedOperation {
    /// As `text`, with the middle of long values left out.
    var shortText: String {
        var short = self
        short.argument = argument.map(Self.shortened)
        short.answer = answer.map(Self.shortened)
        return short.text
    }

    private static func shortened(_ value: String) -> String {
        guard value.count > 60 else { return value }
        return "\(value.prefix(20))… \(value.count - 40) more …\(value.suffix(20))"
    }
}
