import Automata

/// Who leads, as one member knows it, since when, and what its clients were told of that.
struct LeaderWatch: Sendable {
    private(set) var leader: ProcessID?
    /// When the one that leads, or has led last, was first known to.
    private(set) var elected = Instant.zero
    private(set) var lost: Instant
    private var hasToldLost = false
    private var wait = QuorumWait()

    init(now: Instant) { lost = now }

    /// Whether there was none before.
    var isFirst: Bool { elected == .zero }

    mutating func become(_ new: ProcessID?, at now: Instant) {
        leader = new
        if new == nil {
            lost = now
        } else {
            elected = now
            hasToldLost = false
            wait.ended()
        }
    }

    /// Whether what was begun then may have been lost with a leader: one is known that came after it, or at most two
    /// election timeouts before.
    func changed(about begun: Instant, within timeout: TimeSpan) -> Bool {
        leader != nil && elected != .zero && begun.since(elected) == .zero
            && !(begun + timeout * 2 < elected)
    }

    /// True once, when none has been known for three election timeouts.
    mutating func isMissed(at now: Instant, timeout: TimeSpan) -> Bool {
        guard leader == nil, !hasToldLost, lost + timeout * 3 < now else { return false }
        hasToldLost = true
        return true
    }

    /// Whether to say who is reached while there is none.
    mutating func saysWhoIsReached(_ reached: [ProcessID], at now: Instant, patience: TimeSpan) -> Bool {
        wait.isDue(now, since: lost, patience: patience, reached: reached)
    }
}
