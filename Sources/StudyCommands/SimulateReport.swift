import ReplicaSimulation
import TextForms

/// What a sweep took and found, for programs.
enum SimulateReport {
    static func json(of sweep: SeedSweep, _ options: SeedSweep.Options) -> String {
        let statistics = sweep.statistics
        let failures = sweep.failures.map { seed, violation in
            JSONText.object([
                ("seed", "\(seed)"), ("rule", JSONText.string(violation.rule.rawValue)),
                ("detail", JSONText.string(violation.detail)),
                ("replay", JSONText.string(sweep.replay(seed))),
            ])
        }
        let counts = RunStatistics.counters.map { name, path in (name, "\(statistics[keyPath: path])") }
        let points = RunPoint.allCases.map { ($0.rawValue, "\(statistics.points[$0, default: 0])") }
        return JSONText.object([
            ("processes", "\(options.processes)"), ("firstSeed", "\(options.firstSeed)"),
            ("seeds", "\(sweep.done)"), ("interrupted", "\(sweep.wasInterrupted)"),
            ("failures", JSONText.array(failures)),
            ("simulatedMilliseconds", "\(statistics.virtualMilliseconds)"),
            ("counts", JSONText.object(counts)), ("points", JSONText.object(points)),
        ])
    }
}
