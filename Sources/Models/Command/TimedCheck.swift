import LongWork
import ModelChecking

/// A check together with the time it took, and how both are written.
struct TimedCheck {
    let model: CheckableModel
    let report: CheckReport
    let seconds: Double
    private let workers: Int
    /// Bytes.
    private let limit: Int?

    init(_ model: CheckableModel, _ options: CheckOptions, showsProgress: Bool = false) {
        self.model = model
        workers = options.strategy == .depthFirst ? 1 : options.workers
        limit = options.memoryBytes
        let clock = ContinuousClock()
        let start = clock.now
        var options = options
        if showsProgress {
            let line = ProgressLine()
            options.progress = { progress in
                line.show(count: progress.distinctStates) { rate in
                    "\(progress.distinctStates) states, \(rate) states/s, depth \(progress.depth), "
                        + "\(progress.queued) queued, \(progress.bytes >> 20) MiB"
                }
            }
            report = model.run(options)
            line.clear()
        } else {
            report = model.run(options)
        }
        seconds = (clock.now - start) / .seconds(1)
    }

    var isInterrupted: Bool { report.verdict == .boundReached(CheckBound.interrupt.rawValue) }

    var statesPerSecond: Double { Double(report.distinctStates) / max(seconds, 1e-9) }

    var verdictWord: String {
        switch report.verdict {
        case .holds: "holds"
        case .violated: "violated"
        case .boundReached where isInterrupted: "interrupted"
        case .boundReached: "bound-reached"
        }
    }

    var lines: [String] {
        var lines: [String] = []
        switch report.verdict {
        case .holds: lines.append("\(model.title): \(report.properties.joined(separator: ", ")) hold")
        case .violated(let property):
            lines.append("\(model.title): \"\(property)\" is violated")
            lines += report.trace.isEmpty ? ["no reachable state is such"] : report.trace
        case .boundReached where isInterrupted:
            lines.append(
                "\(model.title): interrupted; nothing found so far"
                    + (report.allStatesHold ? ", and every state holds" : ""))
        case .boundReached(let bound):
            lines.append(
                "\(model.title): nothing found before the bound on \(bound) was reached"
                    + (report.allStatesHold ? "; every state holds, infinite runs are not known" : ""))
            if bound == "memory", let limit {
                lines.append("the bound is \(limit >> 20) MiB: --memory says another")
            }
        }
        if !model.notPromised.isEmpty {
            lines.append("not promised: \(model.notPromised.joined(separator: ", "))")
        }
        let numbers = [
            "\(report.distinctStates) distinct states"
                + (report.visits.map { " in \($0) visits" } ?? ""), "\(report.transitions) transitions",
            "depth \(report.depth)", "\(rounded(seconds, 2)) s",
            "\(Int(statesPerSecond)) states/s with \(workers) workers",
            "\(rounded(report.bytesPerState, 1)) bytes/state",
        ]
        return lines + [numbers.joined(separator: ", ")]
    }

    /// One line. `withSteps` says whether a counterexample is told step by step as well.
    func json(withSteps: Bool) -> String {
        var fields = [("model", JSONText.string(model.name))]
        fields.append(
            (
                "parameters",
                "{"
                    + model.values.all.map { "\(JSONText.string($0.name)): \($0.value.json)" }
                    .joined(separator: ", ") + "}"
            ))
        fields.append(("verdict", JSONText.string(verdictWord)))
        switch report.verdict {
        case .holds: break
        case .violated(let property): fields.append(("property", JSONText.string(property)))
        case .boundReached(let bound):
            fields.append(("bound", JSONText.string(bound)))
            fields.append(("allStatesHold", "\(report.allStatesHold)"))
        }
        fields += [
            ("distinctStates", "\(report.distinctStates)")
        ]
        if let visits = report.visits { fields.append(("visits", "\(visits)")) }
        fields += [
            ("transitions", "\(report.transitions)"),
            ("depth", "\(report.depth)"), ("seconds", rounded(seconds, 6)),
            ("statesPerSecond", "\(Int(statesPerSecond))"), ("workers", "\(workers)"),
            ("bytes", "\(report.bytes)"), ("bytesPerState", rounded(report.bytesPerState, 1)),
            ("properties", "[" + report.properties.map(JSONText.string).joined(separator: ", ") + "]"),
        ]
        if !model.notPromised.isEmpty {
            fields.append(
                ("notPromised", "[" + model.notPromised.map(JSONText.string).joined(separator: ", ") + "]"))
        }
        if !report.trace.isEmpty {
            fields.append(("trace", "[" + report.trace.map(JSONText.string).joined(separator: ", ") + "]"))
        }
        if withSteps {
            fields.append(("steps", "[" + report.steps.map(Self.json).joined(separator: ", ") + "]"))
            if let start = report.cycleStart { fields.append(("cycleStart", "\(start)")) }
        }
        return JSONText.object(fields)
    }

    private static func json(_ step: TraceStep) -> String {
        var fields = [("label", JSONText.string(step.label))]
        fields.append(("process", step.process.map(JSONText.string) ?? "null"))
        let changes =
            step.changed.map { (JSONText.string($0.name), JSONText.string($0.text)) }
            + step.gone.map { (JSONText.string($0), "null") }
        fields.append(
            ("changes", "{" + changes.map { "\($0.0): \($0.1)" }.joined(separator: ", ") + "}"))
        return JSONText.object(fields)
    }

    private func rounded(_ value: Double, _ digits: Int) -> String {
        var scale = 1.0
        for _ in 0..<digits { scale *= 10 }
        return "\((value * scale).rounded() / scale)"
    }
}

enum JSONText {
    /// Of values that are JSON already.
    static func object(_ fields: [(String, String)]) -> String {
        "{" + fields.map { "\(string($0.0)): \($0.1)" }.joined(separator: ", ") + "}"
    }

    static func string(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case _ where scalar.value < 32:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
