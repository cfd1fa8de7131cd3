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

    public static let entries: [Entry] = [
        lamportPaxos, lamportVoting, twoPhaseCommit, actorPaxos, abdRegister, singleCopyRegister,
        chandyLamport, laiYang, paxos, benOr, causalOrder, multicast,
    ]

    public static subscript(name: String) -> Entry? { entries.first { $0.name == name } }

    /// The model `name` with `values` for its parameters; those that are not named have their standard.
    public static func model(
        _ name: String, _ values: [String: ParameterValue] = [:]
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
