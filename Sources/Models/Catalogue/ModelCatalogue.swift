import ModelChecking

/// The models that can be checked by name, with their parameters.
public enum ModelCatalogue {
    /// A model family: a name, its parameters, and how they make a model.
    public struct Entry: Sendable {
        public let name: String
        public let summary: String
        public let parameters: [Parameter]
        /// Throws when the values do not fit together.
        let make: @Sendable (ParameterValues) throws(CatalogueError) -> CheckableModel
    }

    /// A number on the command line: `--name N`.
    public struct Parameter: Sendable {
        public let name: String
        public let meaning: String
        public let range: ClosedRange<Int>
        /// `nil` when it may be left out and means something then that no number says.
        public let standard: Int?

        init(_ name: String, _ meaning: String, _ range: ClosedRange<Int>, standard: Int?) {
            self.name = name
            self.meaning = meaning
            self.range = range
            self.standard = standard
        }
    }

    public static let entries: [Entry] = [
        lamportPaxos, lamportVoting, twoPhaseCommit, actorPaxos, abdRegister, singleCopyRegister,
    ]

    public static subscript(name: String) -> Entry? { entries.first { $0.name == name } }

    /// The model `name` with `values` for its parameters; those that are not named have their standard.
    public static func model(
        _ name: String, _ values: [String: Int] = [:]
    ) throws(CatalogueError) -> CheckableModel {
        guard let entry = Self[name] else {
            let names = entries.map(\.name).joined(separator: ", ")
            throw CatalogueError("there is no model \"\(name)\"; there are \(names)")
        }
        return try entry.make(ParameterValues(values, for: entry))
    }
}

/// Why there is no such model.
public struct CatalogueError: Error, Hashable, Sendable, CustomStringConvertible {
    public let message: String
    init(_ message: String) { self.message = message }
    public var description: String { message }
}

/// Numbers for the parameters of one entry, each within its range.
struct ParameterValues: Sendable {
    private let entry: ModelCatalogue.Entry
    private var numbers: [(name: String, value: Int)] = []

    init(_ values: [String: Int], for entry: ModelCatalogue.Entry) throws(CatalogueError) {
        self.entry = entry
        for name in values.keys.sorted() where !entry.parameters.contains(where: { $0.name == name }) {
            throw CatalogueError("\(entry.name) has no parameter --\(name)")
        }
        for parameter in entry.parameters {
            guard let value = values[parameter.name] ?? parameter.standard else { continue }
            guard parameter.range.contains(value) else {
                let range = parameter.range
                throw CatalogueError(
                    "--\(parameter.name) must be from \(range.lowerBound) to \(range.upperBound)")
            }
            numbers.append((parameter.name, value))
        }
    }

    func optional(_ name: String) -> Int? { numbers.first { $0.name == name }?.value }

    /// Of a parameter that has a standard.
    subscript(name: String) -> Int {
        guard let value = optional(name) else {
            preconditionFailure("\(entry.name) has no standard for \(name)")
        }
        return value
    }

    /// For a report, in the order of the parameters.
    var text: String { numbers.map { "--\($0.name) \($0.value)" }.joined(separator: " ") }
    var all: [(name: String, value: Int)] { numbers }
}
