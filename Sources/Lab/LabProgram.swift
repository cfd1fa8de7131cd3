import Glibc
import SpaceTime

/// `synod lab list` and `synod lab run`.
///
/// Exit codes: 0 the scenario's promise was kept, 1 it was not, 2 wrong command line.
public struct LabProgram {
    public static let usage = """
        usage: lab list
               lab run SCENARIO [--PARAMETER VALUE …] [--format text|json|shiviz|svg|html] [--out FILE]
               lab run SCENARIO --help
        """

    private let say: (String) -> Void
    private let complain: (String) -> Void

    public init(say: @escaping (String) -> Void, complain: @escaping (String) -> Void) {
        self.say = say
        self.complain = complain
    }

    public func run(_ arguments: [String]) -> Int32 {
        do {
            let rest = arguments.dropFirst()
            if ["--help", "-h", "help"].contains(rest.first) {
                say(Self.usage)
                say("scenarios: \(LabCatalogue.scenarios.map(\.name).joined(separator: ", "))")
                return 0
            }
            switch arguments.first {
            case "list"?:
                if let other = rest.first(where: { $0 != "--json" }) {
                    throw LabError("\"\(other)\" is no option of list, which has --json")
                }
                list(json: rest.contains("--json"))
                return 0
            case "run"?: return try runScenario(Array(rest))
            default: throw LabError("lab runs a scenario or lists them")
            }
        } catch {
            complain("lab: \(error); see lab --help")
            return 2
        }
    }

    private enum Form: String, CaseIterable {
        case text, json, shiviz, svg, html

        func make(_ run: SpaceTimeRun) -> String {
            switch self {
            case .text: run.transcript.joined(separator: "\n") + "\n"
            case .json: run.json + "\n"
            case .shiviz: run.shiViz
            case .svg: run.svg
            case .html: run.page
            }
        }
    }

    private func list(json: Bool) {
        for scenario in LabCatalogue.scenarios {
            if json {
                say(scenario.json)
                continue
            }
            describe(scenario)
        }
    }

    private func describe(_ scenario: LabScenario) {
        say("\(scenario.name)  \(scenario.abstract)")
        for parameter in scenario.parameters { say("    \(parameter.text)") }
    }

    private func runScenario(_ arguments: [String]) throws -> Int32 {
        guard let name = arguments.first else { throw LabError("name a scenario") }
        let scenario = try LabCatalogue.scenario(name)
        if arguments.dropFirst().contains(where: { $0 == "--help" || $0 == "-h" }) {
            describe(scenario)
            say(
                "    --format \(Form.allCases.map(\.rawValue).joined(separator: "|")) (text): how the run is written"
            )
            say("    --out FILE: where to; its end is said here")
            return 0
        }
        var given: [String: String] = [:]
        var rest = arguments.dropFirst()
        while let argument = rest.popFirst() {
            guard argument.hasPrefix("--"), argument.count > 2 else {
                throw LabError("\"\(argument)\" is no option")
            }
            let parts = argument.dropFirst(2).split(separator: "=", maxSplits: 1).map(String.init)
            let isFlag = scenario.parameters.contains { $0.name == parts[0] && $0.value == .flag }
            guard let value = parts.count == 2 ? parts[1] : isFlag ? "yes" : rest.popFirst() else {
                throw LabError("--\(parts[0]) needs a value")
            }
            given[parts[0]] = value
        }
        let out = given.removeValue(forKey: "out")
        let format = given.removeValue(forKey: "format") ?? "text"
        guard let form = Form(rawValue: format) else {
            let known = Form.allCases.map(\.rawValue).joined(separator: ", ")
            throw LabError("--format is one of \(known), not \"\(format)\"")
        }
        let outcome = try scenario.run(given)
        try put(form.make(outcome.run), to: out)
        if out != nil { outcome.run.summary.forEach(say) }
        return outcome.isKept ? 0 : 1
    }

    private func put(_ text: String, to path: String?) throws {
        guard let path else {
            // `say` ends the line itself.
            return say(text.hasSuffix("\n") ? String(text.dropLast()) : text)
        }
        guard let file = fopen(path, "w") else {
            throw LabError("\(path) cannot be written: \(String(cString: strerror(errno)))")
        }
        let isWritten = fputs(text, file) >= 0
        guard fclose(file) == 0, isWritten else {
            throw LabError("\(path) cannot be written: \(String(cString: strerror(errno)))")
        }
    }
}
