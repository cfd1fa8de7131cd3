import ModelChecking
import TextForms

/// The command line of a check: a model, its parameters, and how to search it. `synod check` and the small
/// program `check` read the same one.
public struct CheckArguments: Sendable {
    public enum Task: Sendable {
        case check(CheckableModel)
        /// Checks every model whose number of states is published and compares.
        case counts
        case help
    }

    public var task: Task
    public var options = CheckOptions()
    public var printsJSON = false
    /// Whether the JSON has the counterexample step by step, with what each step changes.
    public var printsSteps = false
    /// Whether a line on the terminal says how far the search is.
    public var showsProgress = true

    /// Throws with a sentence for whoever typed it. `workers` and `memoryBytes` are what the machine has.
    public init(_ arguments: [String], workers: Int, memoryBytes: Int) throws(CatalogueError) {
        task = .help
        options.workers = workers
        options.memoryBytes = memoryBytes
        var walks = (count: 1000, length: 1000, seed: UInt64(1), isAskedFor: false)
        var values: [String: ParameterValue] = [:]
        var rest = arguments[...]
        let model = rest.first.flatMap { $0.hasPrefix("-") ? nil : $0 }
        if model != nil { rest.removeFirst() }
        if model == "help" { return }
        if let model, model != "counts" { try ModelCatalogue.check(name: model) }
        let parameters = model.flatMap { ModelCatalogue[$0] }?.parameters ?? []
        while let argument = rest.popFirst() {
            var (flag, value) = Self.split(argument)
            guard argument.hasPrefix("--") || argument == "-h" else {
                throw CatalogueError("\"\(argument)\" is no option")
            }
            guard Self.options.contains(flag) || parameters.contains(where: { $0.name == flag }) else {
                let known = parameters.map { "--\($0.name)" } + Self.options.map { "--\($0)" }
                throw CatalogueError(
                    "\(model ?? "check") has no parameter --\(flag)\(NearestName.hint("--\(flag)", in: known))"
                )
            }
            switch flag {
            case "help", "h": return
            case "json": printsJSON = true
            case "trace-json": (printsJSON, printsSteps) = (true, true)
            case "quiet": showsProgress = false
            case "exact-states": options.keepsStates = true
            case "depth-first": options.strategy = .depthFirst
            case "random-walks": walks.isAskedFor = true
            default:
                let parameter = parameters.first { $0.name == flag }
                if parameter?.kind == .flag, value == nil {
                    values[flag] = .said
                    continue
                }
                value = value ?? rest.popFirst()
                guard let value else { throw CatalogueError("--\(flag) needs a value") }
                if let parameter {
                    values[flag] = try parameter.value(value)
                    continue
                }
                if flag == "memory" {
                    options.memoryBytes = try Self.bytes(value)
                    continue
                }
                guard let number = Int(value), number >= 0 else {
                    throw CatalogueError("--\(flag) needs a number, not \"\(value)\"")
                }
                switch flag {
                case "workers":
                    guard (1...256).contains(number) else {
                        throw CatalogueError("--workers must be from 1 to 256")
                    }
                    options.workers = number
                case "max-states": options.statesLimit = number
                case "max-depth": options.depthLimit = number
                case "walks": walks.count = number
                case "walk-length": walks.length = number
                case "seed": walks.seed = UInt64(number)
                default: throw CatalogueError("\(model ?? "no model") has no parameter --\(flag)")
                }
            }
        }
        if walks.isAskedFor {
            options.strategy = .randomWalks(count: walks.count, length: walks.length, seed: walks.seed)
        }
        guard let model else { throw CatalogueError("name a model: \(Self.names)") }
        task = model == "counts" ? .counts : .check(try ModelCatalogue.model(model, values))
    }

    /// What a search has, whatever the model.
    private static let options = [
        "help", "h", "json", "trace-json", "quiet", "exact-states", "depth-first", "random-walks", "memory",
        "workers", "max-states", "max-depth", "walks", "walk-length", "seed",
    ]

    private static var names: String { ModelCatalogue.entries.map(\.name).joined(separator: ", ") }

    /// `--flag value` and `--flag=value` are the same.
    private static func split(_ argument: String) -> (flag: String, value: String?) {
        let text = argument.drop { $0 == "-" }
        guard let equals = text.firstIndex(of: "=") else { return (String(text), nil) }
        return (String(text[..<equals]), String(text[text.index(after: equals)...]))
    }

    /// A number of bytes, with K, M or G for powers of 1024.
    private static func bytes(_ text: String) throws(CatalogueError) -> Int {
        let units: [Character: Int] = ["K": 1 << 10, "M": 1 << 20, "G": 1 << 30]
        let digits = text.prefix { $0.isNumber }
        let suffix = text.dropFirst(digits.count).uppercased()
        let unit = suffix.first.flatMap { units[$0] }
        let isKnown = suffix.isEmpty || unit != nil && ["", "B", "IB"].contains(suffix.dropFirst())
        guard isKnown, let number = Int(digits), number <= Int.max / (1 << 30) else {
            throw CatalogueError("--memory needs bytes, such as 512M or 4G, not \"\(text)\"")
        }
        return number * (unit ?? 1)
    }

    /// What the programs print when asked.
    public static var usage: String {
        var lines = [
            "usage: check MODEL [--PARAMETER N …] [OPTION …]", "       check counts [OPTION …]", "",
            "Looks at every reachable state of a model and at what must hold there.", "", "models:",
        ]
        for entry in ModelCatalogue.entries {
            lines.append("  \(entry.name): \(entry.summary)")
            for parameter in entry.parameters {
                let standard = parameter.standard.map { ", \($0.text) unless given" } ?? ""
                lines.append("      \(parameter.form)  \(parameter.meaning)\(standard)")
            }
        }
        lines += [
            "  counts: every model whose number of states is published, compared with it", "", "options:",
            "  --workers N       threads; all cores unless given",
            "  --memory BYTES    where the search gives up, such as 512M; 3/4 of the machine unless given",
            "  --max-states N    distinct states after which it gives up",
            "  --max-depth N     states on a path after which it is not followed further",
            "  --exact-states    keep whole states beside their fingerprints",
            "  --depth-first     one path at a time, with one worker",
            "  --random-walks    walks drawn from --seed N: --walks N of at most --walk-length N steps",
            "  --json            print the result as JSON",
            "  --trace-json      the same, with what each step of a counterexample changes",
            "  --quiet           show no progress", "",
            "Exit code 0: everything holds; 1: something is violated; 2: wrong command line; "
                + "3: a bound was reached.",
        ]
        return lines.joined(separator: "\n")
    }
}
