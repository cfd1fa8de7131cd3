/// Under which name the server was started: a harness that starts `etcd` finds what it knows.
enum Personality: Sendable {
    case synod, etcd

    var command: String { self == .etcd ? "etcd" : "synod serve" }
    var environmentPrefix: String { self == .etcd ? "ETCD" : "SYNOD" }
    var directorySuffix: String { self == .etcd ? "etcd" : "synod" }
    /// Who starts `etcd` may read its log with a program.
    var logForm: LogForm { self == .etcd ? .json : .console }

    /// What `--version` prints. Scripts read the first line of etcd's.
    var version: String {
        switch self {
        case .synod: Versions.line
        case .etcd:
            """
            etcd Version: \(Versions.etcd)
            Git SHA: Not provided (synod \(Versions.synod))
            Go Version: none
            Go OS/Arch: linux/\(Self.architecture)
            """
        }
    }

    private static var architecture: String {
        #if arch(x86_64)
            "amd64"
        #elseif arch(arm64)
            "arm64"
        #else
            "unknown"
        #endif
    }
}
