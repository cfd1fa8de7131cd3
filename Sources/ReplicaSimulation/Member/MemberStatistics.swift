import Automata
import Simulation

/// How much has happened in one run of members or in many.
public struct MemberStatistics: Sendable {
    public var runs = 0
    public var virtualMilliseconds: UInt64 = 0
    public var events = 0
    public var requests = 0
    public var answered = 0
    public var failed = 0
    public var crashes = 0
    public var powerLosses = 0
    public var failedStarts = 0
    public var partitions = 0
    public var clogs = 0
    public var pauses = 0
    public var watchEvents = 0
    public var resets = 0
    public var halfOpens = 0
    public var points: [MemberPoint: Int] = [:]

    public init() {}

    private static var counters: [(name: String, path: WritableKeyPath<MemberStatistics, Int>)] {
        [
            ("events", \.events), ("requests", \.requests), ("answered", \.answered),
            ("failed or refused", \.failed), ("crashes", \.crashes), ("losses of power", \.powerLosses),
            ("starts cut short", \.failedStarts), ("partitions", \.partitions), ("clogged links", \.clogs),
            ("pauses", \.pauses), ("connections that ended", \.resets),
            ("half-open directions", \.halfOpens), ("events told to watches", \.watchEvents),
        ]
    }

    mutating func note<Process>(_ counts: SimulatedCluster<Process>.Counts, _ now: Instant) {
        runs = 1
        virtualMilliseconds = now.nanoseconds / 1_000_000
        events = counts.events
        (crashes, powerLosses, failedStarts) = (counts.crashes, counts.powerLosses, counts.failedStarts)
        (partitions, clogs, pauses) = (counts.partitions, counts.clogs, counts.pauses)
        (resets, halfOpens) = (counts.resets, counts.halfOpens)
    }

    public static func += (a: inout MemberStatistics, b: MemberStatistics) {
        a.runs += b.runs
        a.virtualMilliseconds += b.virtualMilliseconds
        for (_, path) in counters { a[keyPath: path] += b[keyPath: path] }
        a.points.merge(b.points, uniquingKeysWith: +)
    }

    public var table: String {
        let tenthsOfHours = virtualMilliseconds / 360_000
        var lines = ["runs \(runs), virtual time \(tenthsOfHours / 10).\(tenthsOfHours % 10) h"]
        for (name, path) in Self.counters { lines.append("  \(name): \(self[keyPath: path])") }
        lines.append("points hit:")
        for point in MemberPoint.allCases {
            let total = points[point, default: 0]
            lines.append("  \(point.rawValue): \(total == 0 ? "never" : "\(total)")")
        }
        return lines.joined(separator: "\n")
    }
}
