import Simulation
import SpaceTime
import TextForms

/// A parameter of a scenario, with what it is when nobody says otherwise.
public struct LabParameter: Hashable, Sendable {
    public enum Value: Hashable, Sendable {
        case number(Int, ClosedRange<Int>)
        case choice(String, [String])
        /// Numbers of processes, from 1.
        case processes([Int])
        case flag
    }

    public let name: String
    public let value: Value
    public let meaning: String

    init(_ name: String, _ value: Value, _ meaning: String) {
        self.name = name
        self.value = value
        self.meaning = meaning
    }
}

/// A run to look at, made by the production cores under a scheduler that draws from a seed.
public struct LabScenario: Sendable {
    /// What the parameters are in one run.
    public struct Setting: Sendable {
        fileprivate var numbers: [String: Int] = [:]
        fileprivate var texts: [String: String] = [:]
        fileprivate var lists: [String: [Int]] = [:]
        fileprivate var flags: Set<String> = []

        func number(_ name: String) -> Int { numbers[name] ?? 0 }
        func text(_ name: String) -> String { texts[name] ?? "" }
        func list(_ name: String) -> [Int] { lists[name] ?? [] }
        func has(_ name: String) -> Bool { flags.contains(name) }
        var random: SeededRandom { SeededRandom(seed: UInt64(number("seed"))) }
    }

    public struct Outcome: Sendable {
        public let run: SpaceTimeRun
        /// What the scenario promises was seen.
        public let isKept: Bool
    }

    public let name: String
    public let abstract: String
    public let parameters: [LabParameter]
    let body: @Sendable (Setting) -> Outcome

    init(
        _ name: String, _ abstract: String, _ parameters: [LabParameter],
        _ body: @escaping @Sendable (Setting) -> Outcome
    ) {
        self.name = name
        self.abstract = abstract
        self.parameters =
            parameters + [
                LabParameter("seed", .number(1, 0...Int(Int32.max)), "from which everything else is drawn")
            ]
        self.body = body
    }

    /// Throws `LabError` for a parameter that the scenario does not have, or a value that it cannot take.
    public func run(_ given: [String: String] = [:]) throws -> Outcome {
        var setting = Setting()
        for parameter in parameters {
            try Self.set(parameter, given[parameter.name], in: &setting)
        }
        if let unknown = given.keys.filter({ name in !parameters.contains { $0.name == name } }).min() {
            let known = parameters.map { "--" + $0.name } + ["--format", "--out", "--help"]
            if let meant = NearestName.of("--\(unknown)", in: known) {
                throw LabError("\(name) has no parameter --\(unknown); did you mean \(meant)?")
            }
            throw LabError("\(name) has no parameter --\(unknown); it has \(known.joined(separator: " "))")
        }
        if let processes = setting.numbers["processes"] {
            for (name, list) in setting.lists where list.contains(where: { !(1...processes).contains($0) }) {
                throw LabError("--\(name) names processes from 1 to \(processes)")
            }
        }
        let outcome = body(setting)
        var run = outcome.run
        run.command = command(given)
        run.isKept = outcome.isKept
        return Outcome(run: run, isKept: outcome.isKept)
    }

    /// What to type to see the run again: what was given, in the order of the parameters, and the seed always.
    private func command(_ given: [String: String]) -> String {
        var words = ["synod lab run \(name)"]
        for parameter in parameters {
            let said = given[parameter.name]
            switch parameter.value {
            case .flag: if said.flatMap(Self.isSet) == true { words.append("--\(parameter.name)") }
            case .number(let standard, _) where parameter.name == "seed":
                words.append("--seed \(said ?? "\(standard)")")
            default: if let said { words.append("--\(parameter.name) \(said)") }
            }
        }
        return words.joined(separator: " ")
    }

    /// Nil for what is neither.
    private static func isSet(_ text: String) -> Bool? {
        switch text {
        case "yes", "true": true
        case "no", "false": false
        default: nil
        }
    }

    private static func set(_ parameter: LabParameter, _ text: String?, in setting: inout Setting) throws {
        let name = parameter.name
        switch parameter.value {
        case .number(let standard, let range):
            guard let text else {
                setting.numbers[name] = standard
                return
            }
            guard let number = Int(text), range.contains(number) else {
                throw LabError(
                    "--\(name) is a number from \(range.lowerBound) to \(range.upperBound), not \"\(text)\"")
            }
            setting.numbers[name] = number
        case .choice(let standard, let known):
            guard known.contains(text ?? standard) else {
                throw LabError("--\(name) is one of \(known.joined(separator: ", ")), not \"\(text ?? "")\"")
            }
            setting.texts[name] = text ?? standard
        case .processes(let standard):
            guard let text else {
                setting.lists[name] = standard
                return
            }
            let numbers = text.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
            guard !numbers.contains(nil), !numbers.isEmpty else {
                throw LabError("--\(name) is processes such as 1,3, not \"\(text)\"")
            }
            setting.lists[name] = Set(numbers.compactMap { $0 }).sorted()
        case .flag:
            guard let text else { return }
            guard let isSet = isSet(text) else {
                throw LabError("--\(name) is true or false, not \"\(text)\"")
            }
            if isSet { setting.flags.insert(name) }
        }
    }
}

public struct LabError: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String
    init(_ description: String) { self.description = description }
}
