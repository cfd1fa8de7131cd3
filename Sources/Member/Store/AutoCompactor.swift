import Automata

/// Which history the leader compacts on its own.
public enum AutoCompaction: Hashable, Sendable {
    case off
    /// What is older than this.
    case periodic(TimeSpan)
    /// All but this many of the latest revisions, looked at every five minutes.
    case revision(Int64)
}

/// Decides which history the leader compacts on its own.
public struct AutoCompactor: Sendable {
    private let mode: AutoCompaction
    /// Revisions and when they were current, oldest first; a tenth of the retention apart.
    private var samples: [(time: Instant, revision: Int64)] = []
    private var nextLook = Instant.zero

    public init(_ mode: AutoCompaction) { self.mode = mode }

    /// The revision before which history is to be compacted now; nil when nothing is to be done. To be called
    /// often; members that do not lead only remember.
    public mutating func due(revision: Int64, compacted: Int64, now: Instant, isLeading: Bool) -> Int64? {
        guard mode != .off, nextLook <= now else { return nil }
        var target: Int64?
        switch mode {
        case .off: break
        case .periodic(let retention):
            let interval = TimeSpan(
                nanoseconds: max(1, min(retention.nanoseconds, 3_600_000_000_000) / 10))
            nextLook = now + interval
            samples.append((now, revision))
            while let sample = samples.first, sample.time + retention <= now {
                target = sample.revision
                samples.removeFirst()
            }
        case .revision(let kept):
            nextLook = now + .seconds(300)
            target = revision - kept
        }
        guard isLeading, let target, target > compacted, target <= revision, target > 0 else { return nil }
        return target
    }
}
