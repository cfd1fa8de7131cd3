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
                    "conflicting environment variable \"\(prefix)_\(ServerFlag.environmentSuffix(flag.name))\" is shadowed by "
                    + "corresponding command-line flag (either unset environment variable or disable flag)")
        }
        given = line.values.merging(environmentValues) { onLine, _ in onLine }
        if let path = given["config-file"], !path.isEmpty {
            let ignored = given.keys.filter { $0 != "config-file" }.sorted()
            if !ignored.isEmpty {
                notices.append(
                    "the configuration file overrides these flags: \(ignored.joined(separator: ", "))")
            }
            given = try ConfigurationFile(text: try read(path), path: path, flags: flags).values
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
                let flag = flags.first(where: { flag in
                    flag.names.contains { ServerFlag.environmentSuffix($0) == suffix }
                })
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
