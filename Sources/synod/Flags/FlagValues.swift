import Yams

/// What the operator asked for, gathered from the command line, the environment and a configuration file.
///
/// The order is etcd's: a configuration file overrides everything else; a flag given both on the command
/// line and in the environment is an error, because one of the two is not what the operator thinks.
struct FlagValues: Equatable, Sendable {
    /// By the flag's own name; only what was given.
    private(set) var given: [String: String] = [:]
    /// Sentences for the log.
    private(set) var notices: [String] = []

    /// - Parameters:
    ///   - prefix: `SYNOD` or, when run as etcd, `ETCD`.
    ///   - read: reads a file, or throws a sentence that says why it cannot.
    init(
        arguments: [String], environment: [String: String], prefix: String, flags: [ServerFlag] = serverFlags,
        read: (String) throws(UsageError) -> String
    ) throws(UsageError) {
        let line = try GoSyntax.parse(arguments, flags: flags)
        if let stray = line.rest.first {
            throw UsageError(message: "'\(stray)' is not a valid flag")
        }
        let environmentValues = try Self.values(
            in: environment, prefix: prefix, flags: flags, notices: &notices)
        for flag in flags where line.values[flag.name] != nil && environmentValues[flag.name] != nil {
            throw UsageError(
                message:
                    "conflicting environment variable \"\(prefix)_\(flag.environmentSuffix)\" is shadowed by "
                    + "corresponding command-line flag (either unset environment variable or disable flag)")
        }
        given = line.values.merging(environmentValues) { onLine, _ in onLine }
        if let path = given["config-file"], !path.isEmpty {
            let ignored = given.keys.filter { $0 != "config-file" }.sorted()
            if !ignored.isEmpty {
                notices.append(
                    "the configuration file overrides these flags: \(ignored.joined(separator: ", "))")
            }
            given = try Self.values(inFile: try read(path), path: path, flags: flags)
        }
        try judge(flags)
    }

    subscript(_ name: String) -> String {
        guard let flag = serverFlags.first(where: { $0.name == name }) else {
            preconditionFailure("\(name) is not in the table of flags")
        }
        return given[name] ?? flag.standard
    }

    func isGiven(_ name: String) -> Bool { given[name] != nil }

    private static func values(
        in environment: [String: String], prefix: String, flags: [ServerFlag], notices: inout [String]
    ) throws(UsageError) -> [String: String] {
        var values: [String: String] = [:]
        for (variable, value) in environment.sorted(by: { $0.key < $1.key })
        where variable.hasPrefix(prefix + "_") {
            let suffix = String(variable.dropFirst(prefix.count + 1))
            guard
                let flag = flags.first(where: { $0.environmentSuffix == suffix || $0.aliasSuffix == suffix })
            else {
                notices.append("unrecognized environment variable \(variable)=\(value)")
                continue
            }
            // An empty variable is an unset one, as shells and unit files have it.
            guard !value.isEmpty else { continue }
            if let complaint = flag.complaint(about: value) {
                throw UsageError(
                    message: "invalid value \"\(value)\" for \(variable): \(complaint)", exitCode: 2)
            }
            values[flag.name] = value
        }
        return values
    }

    private static func values(inFile text: String, path: String, flags: [ServerFlag]) throws(UsageError)
        -> [String:
        String]
    {
        let root: Node?
        do { root = try compose(yaml: text) } catch {
            throw UsageError(message: "\(path): \(error)")
        }
        guard let root else { return [:] }
        guard let mapping = root.mapping else {
            throw UsageError(message: "\(path): expected a mapping from flag names to values")
        }
        var values: [String: String] = [:]
        for (key, node) in mapping {
            guard let name = key.string else { throw UsageError(message: "\(path): a key is not a string") }
            if ["client-transport-security", "peer-transport-security"].contains(name) {
                if asksForSomething(node) {
                    throw UsageError(message: "\(path): \(name): TLS is not supported yet")
                }
                continue
            }
            guard let flag = flags.first(where: { $0.name == name || $0.alias == name }),
                name != "config-file"
            else {
                throw UsageError(message: "\(path): unknown key \(name)")
            }
            guard let value = try Self.text(of: node, flag: flag, path: path) else { continue }
            if let complaint = flag.complaint(about: value) {
                throw UsageError(message: "\(path): invalid value \"\(value)\" for \(name): \(complaint)")
            }
            values[flag.name] = value
        }
        return values
    }

    /// Whether any value below a node is more than its zero: files often spell out that TLS is off.
    private static func asksForSomething(_ node: Node) -> Bool {
        switch node {
        case .scalar(let scalar): !["", "false", "null", "~"].contains(scalar.string)
        case .sequence(let sequence): !sequence.isEmpty
        case .mapping(let mapping): mapping.contains { asksForSomething($0.value) }
        case .alias: true
        }
    }

    /// Nil for a key without a value.
    private static func text(of node: Node, flag: ServerFlag, path: String) throws(UsageError) -> String? {
        switch node {
        case .scalar(let scalar):
            if node.null != nil, scalar.style == .plain { return nil }
            return scalar.string
        case .sequence(let sequence):
            let pieces = sequence.compactMap(\.string)
            if pieces.count == sequence.count { return pieces.joined(separator: ",") }
        default: break
        }
        throw UsageError(message: "\(path): \(flag.name): expected a value or a list of values")
    }

    /// Refuses what would be unsafe to ignore and notes what is ignored.
    private mutating func judge(_ flags: [ServerFlag]) throws(UsageError) {
        for flag in flags {
            guard let value = given[flag.name] else { continue }
            switch flag.standing {
            case .used: break
            case .accepted(let reason):
                if value != flag.standard {
                    notices.append("--\(flag.name)=\(value) has no effect: \(reason)")
                }
            case .refused(let harmless, let reason):
                let normal = flag.kind == .bool ? GoSyntax.bool(value).map { "\($0)" } ?? value : value
                if !harmless.contains(normal) {
                    throw UsageError(message: "--\(flag.name)=\(value): \(reason)")
                }
            }
        }
    }
}

extension ServerFlag {
    fileprivate var aliasSuffix: String? {
        alias.map { String($0.map { $0 == "-" ? "_" : Character($0.uppercased()) }) }
    }
}
