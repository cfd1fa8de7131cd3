/// Where things lie in a diagram: a line for each process, time to the right, one column for each event.
struct DiagramLayout {
    static let left = 90
    static let top = 56
    static let column = 26
    static let lane = 72

    let run: SpaceTimeRun

    func x(event: Int) -> Int { Self.left + Self.column + event * Self.column }
    func y(process: Int) -> Int { Self.top + 30 + process * Self.lane }
    var width: Int { x(event: run.events.count) + 40 }
    var height: Int { y(process: run.processes.count - 1) + 60 }

    /// Where the cut crosses the line of a process: behind the last event before it.
    func x(cut: SpaceTimeRun.Cut, process: Int) -> Int {
        let own = run.events.indices.filter { run.events[$0].process == process }
        let last = cut.events[process] > 0 ? own[min(cut.events[process], own.count) - 1] : nil
        let next = cut.events[process] < own.count ? own[cut.events[process]] : nil
        switch (last, next) {
        case (let last?, let next?):
            return min(x(event: last) + Self.column / 2, (x(event: last) + x(event: next)) / 2)
        case (let last?, nil): return x(event: last) + Self.column / 2
        case (nil, let next?): return max(Self.left + 6, x(event: next) - Self.column / 2)
        case (nil, nil): return Self.left + Self.column / 2
        }
    }
}
