import TextForms
import Yams

/// A file in YAML or JSON whose keys are the server's flags, as etcd reads it.
///
/// etcd's file differs from its command line in this: durations are whole nanoseconds (here Go's form is taken as
/// well), the flags about certificates lie in two groups, and so do those of sockets and of discovery.
struct ConfigurationFile {
    /// By the flag's own name.
    private(set) var values: [String: String] = [:]
    private let path: String
    private let flags: [ServerFlag]

    init(text: String, path: String, flags: [ServerFlag]) throws(UsageError) {
        self.path = path
        self.flags = flags
        let root: Node?
        do { root = try compose(yaml: text) } catch {
            // One line, though the parser shows the place in a picture of several.
            let words = "\(error)".split(whereSeparator: \.isWhitespace).joined(separator: " ")
            throw UsageError(message: "\(path): \(words)")
        }
        guard let root, root.null == nil else { return }
        guard let mapping = root.mapping else {
            throw UsageError(message: "\(path): expected a mapping from flag names to values")
        }
        for (key, node) in mapping { try take(try name(key), node) }
    }

    private func name(_ key: Node) throws(UsageError) -> String {
        guard let name = key.string else { throw UsageError(message: "\(path): a key is not a string") }
        return name
    }

    private mutating func take(_ name: String, _ node: Node) throws(UsageError) {
        if let group = Self.groups[name] {
            if node.null != nil { return }
            guard let mapping = node.mapping else {
                throw UsageError(message: "\(path): \(name): expected a mapping")
            }
            for (key, value) in mapping { try take(try self.name(key), value, in: name, group) }
            return
        }
        guard let flag = flags.first(where: { $0.names.contains(name) }), name != "config-file" else {
            let hint = NearestName.hint(name, in: flags.flatMap(\.names) + Self.groups.keys.sorted())
            throw UsageError(message: "\(path): unknown key \(name)\(hint)")
        }
        guard var value = try text(of: node, name) else { return }
        if flag.kind == .duration, let nanoseconds = Int64(value) { value = "\(nanoseconds)ns" }
        if let complaint = flag.complaint(about: value) {
            throw UsageError(message: "\(path): invalid value \"\(value)\" for \(name): \(complaint)")
        }
        values[flag.name] = value
    }

    // MARK: groups

    /// What the keys of a group are: flags, or, under an empty name, something that is refused when it asks for
    /// anything.
    private struct Group {
        var flags: [String: String]
        var refusal = ""
    }

    private static let groups: [String: Group] = [
        "client-transport-security": Group(flags: security(prefix: ""), refusal: noTLS),
        "peer-transport-security": Group(flags: security(prefix: "peer-"), refusal: noTLS),
        "socket-options": Group(flags: [
            "reuse-port": "socket-reuse-port", "reuse-address": "socket-reuse-address",
        ]),
        "discovery-config": Group(
            flags: ["token": "discovery-token", "client": ""], refusal: laterDiscovery),
    ]

    private static func security(prefix: String) -> [String: String] {
        [
            "cert-file": "\(prefix)cert-file", "key-file": "\(prefix)key-file",
            "client-cert-file": "\(prefix)client-cert-file", "client-key-file": "\(prefix)client-key-file",
            "client-cert-auth": "\(prefix)client-cert-auth", "trusted-ca-file": "\(prefix)trusted-ca-file",
            "auto-tls": "\(prefix)auto-tls", "allowed-cn": "", "allowed-hostname": "",
            "skip-client-san-verification": "",
        ]
    }

    private mutating func take(
        _ key: String, _ node: Node, in name: String, _ group: Group
    ) throws(UsageError) {
        guard let flag = group.flags[key] else {
            let hint = NearestName.hint(key, in: group.flags.keys.sorted())
            throw UsageError(message: "\(path): unknown key \(key) in \(name)\(hint)")
        }
        if !flag.isEmpty { return try take(flag, node) }
        guard !Self.asksForSomething(node) else {
            throw UsageError(message: "\(path): \(name): \(key): \(group.refusal)")
        }
    }

    /// Whether any value below a node is more than its zero: files often spell out what is off.
    private static func asksForSomething(_ node: Node) -> Bool {
        switch node {
        case .scalar(let scalar): !["", "0", "false", "null", "~"].contains(scalar.string)
        case .sequence(let sequence): sequence.contains { asksForSomething($0) }
        case .mapping(let mapping): mapping.contains { asksForSomething($0.value) }
        case .alias: true
        }
    }

    /// Nil for a key without a value.
    private func text(of node: Node, _ name: String) throws(UsageError) -> String? {
        switch node {
        case .scalar(let scalar):
            if node.null != nil, scalar.style == .plain { return nil }
            return scalar.string
        case .sequence(let sequence):
            let pieces = sequence.compactMap(\.string)
            if pieces.count == sequence.count { return pieces.joined(separator: ",") }
        default: break
        }
        throw UsageError(message: "\(path): \(name): expected a value or a list of values")
    }
}
