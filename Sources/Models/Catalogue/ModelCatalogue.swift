import ModelChecking
import TextForms

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

    public static let entries: [Entry] = [
        lamportPaxos, lamportVoting, twoPhaseCommit, actorPaxos, abdRegister, singleCopyRegister,
        chandyLamport, laiYang, paxos, benOr, causalOrder, multicast,
    ]

    public static subscript(name: String) -> Entry? { entries.first { $0.name == name } }

    /// The model `name` with `values` for its parameters; those that are not named have their standard.
    public static func model(
        _ name: String, _ values: [String: ParameterValue] = [:]
    ) throws(CatalogueError) -> CheckableModel {
        return try check(name: name).make(ParameterValues(values, for: check(name: name)))
    }

    /// The entry of that name. Throws with the name that was probably meant.
    @discardableResult static func check(name: String) throws(CatalogueError) -> Entry {
        if let entry = Self[name] { return entry }
        let names = entries.map(\.name)
        if let meant = NearestName.of(name, in: names + ["counts"]) {
            throw CatalogueError("there is no model \"\(name)\"; did you mean \(meant)?")
        }
        throw CatalogueError("there is no model \"\(name)\"; there are \(names.joined(separator: ", "))")
    }
}

/// Why there is no such model.
public struct CatalogueError: Error, Hashable, Sendable, CustomStringConvertible {
    public let message: String
    init(_ message: String) { self.message = message }
    public var description: String { message }
}
