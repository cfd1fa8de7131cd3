/// How much has happened in one run or in many, so that one sees whether the interesting things did.
public struct RunStatistics: Hashable, Sendable {
    public var runs = 0
    public var events = 0
    public var virtualMilliseconds: UInt64 = 0
    public var chosen = 0
    public var proposed = 0
    public var acknowledged = 0
    public var refused = 0
    public var unknown = 0
    public var readsAnswered = 0
    public var readsRefused = 0
    public var elections = 0
    public var transfers = 0
    public var reconfigurations = 0
    public var checkpoints = 0
    public var trims = 0
    public var crashes = 0
    public var damagedLogs = 0
    public var powerLosses = 0
    public var failedStarts = 0
    public var failedSyncs = 0
    public var tornSectors = 0
    public var lostNames = 0
    public var forgottenSectors = 0
    public var partitions = 0
    public var pauses = 0
    public var clogs = 0
    public var retirements = 0
    public var resets = 0
    public var halfOpens = 0
    public var powerCuts = 0
    public var unsent = 0
    /// Leaders that kept their lead while links were full.
    public var pressed = 0
    public var wipes = 0
    public var refusedStarts = 0
    /// How often a quorum was spared in the middle of faults and got on; the longest that it took, in tenths of
    /// an election timeout.
    public var shelters = 0
    public var longestShelterTenths = 0
    public var points: [RunPoint: Int] = [:]

    public init() {}

    /// Every counter with its name, in the order in which they are shown.
    public static var counters: [(name: String, path: WritableKeyPath<RunStatistics, Int>)] {
        [
            ("events", \.events), ("chosen entries", \.chosen), ("proposals", \.proposed),
            ("acknowledged", \.acknowledged), ("refused", \.refused), ("outcome unknown", \.unknown),
            ("reads answered", \.readsAnswered), ("reads refused", \.readsRefused),
            ("elections", \.elections),
            ("leader transfers", \.transfers), ("reconfigurations", \.reconfigurations),
            ("removed processes that retired", \.retirements), ("checkpoints installed", \.checkpoints),
            ("log trims", \.trims), ("crashes", \.crashes), ("torn or damaged logs", \.damagedLogs),
            ("losses of power", \.powerLosses), ("starts cut short", \.failedStarts),
            ("failed syncs of a log", \.failedSyncs), ("torn sectors", \.tornSectors),
            ("lost changes of names", \.lostNames), ("sectors forgotten by a cache", \.forgottenSectors),
            ("partitions", \.partitions), ("pauses", \.pauses), ("clogged links", \.clogs),
            ("connections that ended", \.resets), ("half-open directions", \.halfOpens),
            ("machines that went silent", \.powerCuts), ("messages without room or connection", \.unsent),
            ("leaders kept while links were full", \.pressed),
            ("disks or logs or stores lost", \.wipes), ("starts refused for what is lost", \.refusedStarts),
            ("quorums spared amid faults", \.shelters),
        ]
    }

    public static func += (a: inout RunStatistics, b: RunStatistics) {
        a.runs += b.runs
        a.virtualMilliseconds += b.virtualMilliseconds
        for (_, path) in counters { a[keyPath: path] += b[keyPath: path] }
        a.longestShelterTenths = max(a.longestShelterTenths, b.longestShelterTenths)
        a.points.merge(b.points, uniquingKeysWith: +)
    }

    /// One counter a line: the total, and the mean of a run.
    public var table: String {
        let runs = max(self.runs, 1)
        let tenthsOfHours = virtualMilliseconds / 360_000
        var lines = [
            "runs \(self.runs), virtual time \(virtualMilliseconds / 1_000) s"
                + " (\(tenthsOfHours / 10).\(tenthsOfHours % 10) h)"
        ]
        for (name, path) in Self.counters {
            let total = self[keyPath: path]
            let tenths = total * 10 / runs
            lines.append("  \(name): \(total) (\(tenths / 10).\(tenths % 10) a run)")
        }
        let (whole, tenth) = (longestShelterTenths / 10, longestShelterTenths % 10)
        lines.append("  the slowest of them took \(whole).\(tenth) election timeouts")
        lines.append("points hit:")
        for point in RunPoint.allCases {
            let total = points[point, default: 0]
            lines.append("  \(point.rawValue): \(total == 0 ? "never" : "\(total)")")
        }
        return lines.joined(separator: "\n")
    }
}
