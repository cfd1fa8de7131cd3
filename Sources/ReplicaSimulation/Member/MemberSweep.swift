import Simulation

/// Runs of members for consecutive seeds: what failed, and how much was seen.
public struct MemberSweep {
    public struct Options: Sendable {
        public var seeds = 1
        public var firstSeed: UInt64 = 1
        public var flaw: MemberFlaw?
        public var reduction = MemberReduction()
        public var stopsAtFailure = true
        /// Whether a run that fails is made smaller.
        public var shrinks = true
        /// Lines of the trace of a failing run.
        public var lastLines = 60
        /// What a reader types to replay a seed, up to the options.
        public var command = "synod simulate members"
        public var willRun: (@Sendable (_ seed: UInt64, _ reduction: MemberReduction) -> Void)?
        public var isInterrupted: @Sendable () -> Bool = { false }

        public init() {}

        /// What to type to see one run with its trace.
        public func replay(_ seed: UInt64, _ reduction: MemberReduction) -> String {
            let flaw = self.flaw.map { " --flaw \($0.rawValue)" } ?? ""
            let rest = reduction.arguments
            return "\(command) --seed \(seed)\(flaw)\(rest.isEmpty ? "" : " ")\(rest) --trace"
        }
    }

    /// How many further runs a failure costs at most.
    public static var shrinkingRuns: Int { MemberShrinker.runLimit }

    /// A sweep of so many seeds that comes by less than everything has failed.
    public static let seedsThatSeeAll = 1_000

    private let options: Options
    public private(set) var statistics = MemberStatistics()
    public private(set) var failures: [(seed: UInt64, violation: Violation)] = []
    public private(set) var wasInterrupted = false

    public init(_ options: Options) { self.options = options }

    /// True when every promise was kept.
    public mutating func run(say: (String) -> Void) -> Bool {
        for offset in 0..<UInt64(options.seeds) {
            if options.isInterrupted() {
                wasInterrupted = true
                say("interrupted after \(offset) of \(options.seeds) seeds")
                break
            }
            let seed = options.firstSeed + offset
            let outcome = run(seed, options.reduction)
            statistics += outcome.statistics
            if options.seeds == 1 { say("seed \(seed): trace \(outcome.hash)") }
            guard let violation = outcome.violation else { continue }
            failures.append((seed, violation))
            run(seed, options.reduction, keeping: .last(options.lastLines)).trace
                .suffix(options.lastLines).forEach(say)
            say("seed \(seed) fails: \(violation)")
            say("replay: \(options.replay(seed, options.reduction))")
            if options.shrinks { shrink(seed, outcome, violation, say) }
            if options.stopsAtFailure { break }
        }
        say("members, seeds from \(options.firstSeed): \(failures.count) failures")
        say(statistics.table)
        let missed = mustSeeAll ? statistics.missed : []
        if !missed.isEmpty { say("no run came by: \(missed.joined(separator: ", "))") }
        return failures.isEmpty && missed.isEmpty
    }

    /// Enough runs come by every kind of fault and every point, or they are not what they are meant to be.
    private var mustSeeAll: Bool {
        options.seeds >= Self.seedsThatSeeAll && !wasInterrupted && failures.isEmpty && options.flaw == nil
            && options.reduction == MemberReduction()
    }

    private func shrink(
        _ seed: UInt64, _ outcome: MemberRun.Outcome, _ violation: Violation, _ say: (String) -> Void
    ) {
        var shrinker = MemberShrinker(options.reduction, outcome, rule: violation.rule) { run(seed, $0) }
        shrinker.shrink()
        guard shrinker.smallest != options.reduction, let smaller = shrinker.outcome.violation else {
            return say("no smaller run fails alike, of \(shrinker.runs)")
        }
        say("smaller: \(options.replay(seed, shrinker.smallest))")
        say("  the smallest of \(shrinker.runs) runs that fails alike: \(smaller)")
    }

    private func run(
        _ seed: UInt64, _ reduction: MemberReduction, keeping: Trace.Keeping = .hashOnly
    ) -> MemberRun.Outcome {
        options.willRun?(seed, reduction)
        var one = MemberRun.Options(seed: seed)
        one.flaw = options.flaw
        one.reduction = reduction
        one.keeping = keeping
        return MemberRun.run(one)
    }
}
