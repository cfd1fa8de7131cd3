import TextForms

/// One option of the server, as an operator may give it: `--name=x`, `SYNOD_NAME=x`, `name: x`.
///
/// A flag stands in `serverFlags` once. From that row come its syntax on the command line, the name of its
/// environment variable, its key in the configuration file, its default, its help, and its row in the
/// documentation.
struct ServerFlag: Sendable {
    enum Kind: Sendable, Equatable {
        case text
        case choice([String])
        case bool
        case unsigned
        case integer
        /// Go's form: `1h30m`, `500ms`; a bare number is refused, except `0`.
        case duration
        /// URLs with a scheme, a host and a port, separated by commas.
        case urls
        /// Names with truth values, separated by commas: `Name=true,Name=false`.
        case gates
    }

    /// What becomes of the value.
    enum Standing: Sendable, Equatable {
        case used
        /// Taken and not used, because nothing that a client or an operator relies on depends on it.
        case accepted(because: String)
        /// Refused unless the value is one of these: to ignore it would be unsafe.
        case refused(unless: [String], because: String)
    }

    enum Section: String, Sendable, CaseIterable {
        case member = "Member"
        case cluster = "Cluster"
        case security = "Security"
        case auth = "Auth"
        case observation = "Logging and metrics"
        case features = "Features"
        case unsafe = "Unsafe"
    }

    let name: String
    let section: Section
    let kind: Kind
    let standard: String
    let help: String
    var standing: Standing = .used
    /// Older and newer spellings of the same option.
    var aliases: [String] = []

    /// All spellings.
    var names: [String] { [name] + aliases }

    /// `listen-client-urls` → `LISTEN_CLIENT_URLS`; a prefix and an underscore go before it.
    static func environmentSuffix(_ name: String) -> String {
        String(name.map { $0 == "-" ? "_" : Character($0.uppercased()) })
    }

    /// What etcd's versions know as feature gates, and their names for whole groups.
    static let gates = [
        "AllAlpha", "AllBeta", "StopGRPCServiceOnDefrag", "TxnModeWriteWithSharedBuffer",
        "InitialCorruptCheck",
        "CompactHashCheck", "LeaseCheckpoint", "LeaseCheckpointPersist", "SetMemberLocalAddr",
        "FastLeaseKeepAlive", "PriorityRequest",
    ]

    private static func complaintAboutGates(_ text: String) -> String? {
        for piece in text.split(separator: ",") {
            let pair = trimmed(piece).split(separator: "=", maxSplits: 1).map(String.init)
            guard pair.count == 2 else { return "missing bool value for \(trimmed(piece))" }
            if GoSyntax.bool(pair[1]) == nil { return "invalid value of \(pair[0])=\(pair[1])" }
            if !gates.contains(pair[0]) {
                return "unrecognized feature gate: \(pair[0])" + NearestName.hint(pair[0], in: gates)
            }
        }
        return nil
    }

    /// Says what is wrong with a value, or nil when it has the form that the flag asks for.
    func complaint(about value: String) -> String? {
        switch kind {
        case .text: return nil
        case .choice(let allowed):
            return allowed.contains(value) ? nil : "expected one of \(allowed.joined(separator: ", "))"
        case .bool: return GoSyntax.bool(value) == nil ? "parse error" : nil
        case .unsigned: return UInt(value) == nil ? "parse error" : nil
        case .integer: return Int(value) == nil ? "parse error" : nil
        case .duration: return GoSyntax.durationNanoseconds(value) == nil ? "parse error" : nil
        case .gates: return Self.complaintAboutGates(value)
        case .urls:
            do throws(UsageError) {
                _ = try ServerURL.list(value)
                return nil
            } catch {
                return error.message
            }
        }
    }
}

/// The command line, the environment or the configuration file asks for something that cannot be done.
struct UsageError: Error, Equatable {
    let message: String
    /// 2 for a line that cannot be read, 1 for values that do not fit together.
    var exitCode: Int32 = 1
}
