import Simulation

/// Runs of members for consecutive seeds: what failed, and how much was seen.
public struct MemberSweep {
    public struct Options: Sendable {
        public var seeds = 1
        public var firstSeed: UInt64 = 1
        public var flaw: MemberFlaw?
        public var stopsAtFailure = true
        /// Lines of the trace of a failing run.
        public var lastLines = 60
        /// What a reader types to replay a seed, up to the options.
        public var command = "synod simulate members"
        public var willRun: (@Sendable (_ seed: UInt64) -> Void)?
        public var isInterrupted: @Sendable () -> Bool = { false }

        public init() {}
    }

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
            options.willRun?(seed)
            let outcome = run(seed, keeping: .hashOnly)
            statistics += outcome.statistics
            if options.seeds == 1 { say("seed \(seed): trace \(outcome.hash)") }
            guard let violation = outcome.violation else { continue }
            failures.append((seed, violation))
            run(seed, keeping: .last(options.lastLines)).trace.suffix(options.lastLines).forEach(say)
            say("seed \(seed) fails: \(violation)")
            say("replay: \(replay(seed))")
            if options.stopsAtFailure { break }
        }
        say("members, seeds from \(options.firstSeed): \(failures.count) failures")
        say(statistics.table)
        return failures.isEmpty
    }

    private func run(_ seed: UInt64, keeping: Trace.Keeping) -> MemberRun.Outcome {
        var one = MemberRun.Options(seed: seed)
        one.flaw = options.flaw
        one.keeping = keeping
        return MemberRun.run(one)
    }

    /// What to type to see one run with its trace.
    public func replay(_ seed: UInt64) -> String {
        let flaw = options.flaw.map { " --flaw \($0.rawValue)" } ?? ""
        return "\(options.command) --seed \(seed)\(flaw) --trace"
    }
}
