import Simulation

/// Many runs, one seed after the other: what `simulate` does, free of any way to parse a command line.
public struct SeedSweep: Sendable {
    public struct Options: Sendable {
        public var firstSeed: UInt64 = 1
        public var seeds = 1
        public var processes = 3
        /// Prints the whole trace of every run.
        public var printsTrace = false
        /// How many lines of the trace of a failing run are printed.
        public var lastLines = 60
        /// The sweep ends at the first failure.
        public var stopsAtFailure = true
        /// What a user types to run the simulator; the replay of a failure begins with it.
        public var command = "synod simulate"

        package var flaw: HostFlaw?
        /// Instead of the mixes that the seeds draw.
        public var mix: FaultMix?

        /// Called before each run, so that a caller can say which one ended the whole process.
        public var willRun: (@Sendable (UInt64) -> Void)?
        /// Asked before each run; the sweep ends when it is true, and says what it has found so far.
        public var isInterrupted: (@Sendable () -> Bool)?

        public init() {}
    }

    public private(set) var failures: [(seed: UInt64, violation: Violation)] = []
    public private(set) var statistics = RunStatistics()
    /// Seeds that were run to their end.
    public private(set) var done = 0
    public private(set) var wasInterrupted = false
    private let options: Options

    public init(_ options: Options) { self.options = options }

    /// Runs all seeds and says what happened through `say`, one call a line. True when nothing was wrong.
    public mutating func run(say: (String) -> Void) -> Bool {
        for seed in options.firstSeed..<options.firstSeed + UInt64(options.seeds) {
            if options.isInterrupted?() == true {
                wasInterrupted = true
                say("interrupted after \(done) of \(options.seeds) seeds")
                break
            }
            options.willRun?(seed)
            let outcome = run(seed: seed)
            statistics += outcome.statistics
            done += 1
            if options.printsTrace { outcome.trace.forEach(say) }
            if options.seeds == 1 { say("seed \(seed): trace \(outcome.hash)") }
            if let violation = outcome.violation {
                failures.append((seed, violation))
                complain(seed, violation, say)
                if options.stopsAtFailure { break }
            }
            if done % 250 == 0 { say("\(done) of \(options.seeds) seeds, \(failures.count) failures") }
        }
        say("\(options.processes) processes, seeds from \(options.firstSeed): \(failures.count) failures")
        say(statistics.table)
        return failures.isEmpty
    }

    private func run(seed: UInt64) -> ReplicaRun.Outcome {
        var one = RunOptions(seed: seed, processes: options.processes)
        one.flaw = options.flaw
        one.mix = options.mix
        if options.printsTrace { one.keeping = .everything }
        return ReplicaRun.run(one)
    }

    private func complain(_ seed: UInt64, _ violation: Violation, _ say: (String) -> Void) {
        var one = RunOptions(seed: seed, processes: options.processes)
        one.flaw = options.flaw
        one.mix = options.mix
        one.keeping = .last(options.lastLines)
        if !options.printsTrace { ReplicaRun.run(one).trace.suffix(options.lastLines).forEach(say) }
        say("seed \(seed) fails: \(violation)")
        say("replay: \(replay(seed))")
    }

    /// What to type to see one run with its trace.
    public func replay(_ seed: UInt64) -> String {
        let flaw = options.flaw.map { " --flaw \($0.rawValue)" } ?? ""
        let mix = options.mix == .restless ? " --restless" : ""
        return "\(options.command) --seed \(seed) --processes \(options.processes)\(flaw)\(mix) --trace"
    }
}
