import Synchronization

/// One line that is written over while work goes on: twice a second on a terminal, and a line of its own every ten
/// seconds elsewhere.
public final class ProgressLine: Sendable {
    private struct Last {
        var count = 0
        var at = ContinuousClock.now
    }
    private let last = Mutex(Last())
    private let isTerminal = Terminal.isThere

    public init() {}

    /// `count` is of what there is more and more; `text` is given how many came a second since the line before, and is
    /// called only when it is time for a line.
    public func show(count: Int, _ text: (_ rate: Int) -> String) {
        last.withLock { last in
            let now = ContinuousClock.now
            let elapsed = (now - last.at) / .seconds(1)
            guard elapsed >= (isTerminal ? 0.5 : 10) else { return }
            let line = text(Int(Double(count - last.count) / elapsed))
            last = Last(count: count, at: now)
            if isTerminal { Terminal.replaceLine(line) } else { Terminal.complain(line) }
        }
    }

    public func clear() {
        if isTerminal { Terminal.replaceLine("") }
    }
}
