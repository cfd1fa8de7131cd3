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
    public var blackouts = 0
    public var silentMachines = 0
    public var suspensions = 0
    public var clockJumps = 0
    public var slowDisks = 0
    public var failedSyncs = 0
    public var tornSectors = 0
    public var forgottenSectors = 0
    public var lostNames = 0
    public var wipes = 0
    public var flippedBits = 0
    public var misdirectedWrites = 0
    public var tornWrites = 0
    public var points: [MemberPoint: Int] = [:]

    public init() {}

    private static var counters: [(name: String, path: WritableKeyPath<MemberStatistics, Int>)] {
        [
            ("events", \.events), ("requests", \.requests), ("answered", \.answered),
            ("failed or refused", \.failed), ("crashes", \.crashes), ("losses of power", \.powerLosses),
            ("starts cut short", \.failedStarts), ("partitions", \.partitions), ("clogged links", \.clogs),
            ("pauses", \.pauses), ("connections that ended", \.resets),
            ("half-open directions", \.halfOpens), ("events told to watches", \.watchEvents),
            ("blackouts", \.blackouts),
            ("machines gone without a word", \.silentMachines), ("suspended machines", \.suspensions),
            ("clocks that leapt ahead", \.clockJumps), ("slow disks", \.slowDisks),
            ("failed syncs", \.failedSyncs), ("torn sectors", \.tornSectors),
            ("sectors forgotten after a failed sync", \.forgottenSectors),
            ("lost changes of names", \.lostNames),
            ("lost disks, logs and stores", \.wipes), ("bits flipped in logs", \.flippedBits),
            ("writes misdirected in logs", \.misdirectedWrites), ("writes torn in logs", \.tornWrites),
        ]
    }

    mutating func note<Process>(_ counts: SimulatedCluster<Process>.Counts, _ now: Instant) {
        runs = 1
        virtualMilliseconds = now.nanoseconds / 1_000_000
        events = counts.events
        (crashes, powerLosses, failedStarts) = (counts.crashes, counts.powerLosses, counts.failedStarts)
        (partitions, clogs, pauses) = (counts.partitions, counts.clogs, counts.pauses)
        (resets, halfOpens) = (counts.resets, counts.halfOpens)
        (blackouts, silentMachines) = (counts.blackouts, counts.powerCuts)
        (suspensions, clockJumps) = (counts.suspensions, counts.clockJumps)
        (slowDisks, wipes) = (counts.slowDisks, counts.wipes)
    }

    mutating func note(_ files: SimulatedFiles.Counts) {
        failedSyncs += files.failedSyncs
        tornSectors += files.tornSectors
        forgottenSectors += files.forgottenSectors
        lostNames += files.lostNames
    }

    mutating func note(_ point: MemberPoint) { points[point, default: 0] += 1 }

    mutating func note(_ damage: LogDamage.Kind) {
        switch damage {
        case .flippedBit: flippedBits += 1
        case .misdirectedWrite: misdirectedWrites += 1
        case .tornWrite: tornWrites += 1
        }
    }

    public static func += (a: inout MemberStatistics, b: MemberStatistics) {
        a.runs += b.runs
        a.virtualMilliseconds += b.virtualMilliseconds
        for (_, path) in counters { a[keyPath: path] += b[keyPath: path] }
        a.points.merge(b.points, uniquingKeysWith: +)
    }

    /// The kinds of faults, and the points, by which no run has come.
    public var missed: [String] {
        Self.counters.filter { self[keyPath: $0.path] == 0 }.map(\.name)
            + MemberPoint.allCases.filter { points[$0] == nil }.map(\.rawValue)
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
