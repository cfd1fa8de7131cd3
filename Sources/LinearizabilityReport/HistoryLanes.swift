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
        var column: [Int: Int] = [:]
        var next = 0
        for time in times {
            column[time] = next
            // A return stands where the longest bar that it ends needs it.
            for operation in operations where operation.returned == time {
                let start = column[operation.invoked] ?? 0
                column[time] = max(column[time] ?? 0, start + operation.text.count + margin)
            }
            next = (column[time] ?? 0) + 2
        }
        let longestOpen = operations.filter(\.isOpen).map {
            (column[$0.invoked] ?? 0) + $0.text.count + margin
        }
        width = max(next, longestOpen.max() ?? 0)
        bars = operations.map { operation in
            Bar(
                operation: operation, lane: processes.firstIndex(of: operation.process) ?? 0,
                start: column[operation.invoked] ?? 0, end: operation.returned.flatMap { column[$0] })
        }
    }
}
