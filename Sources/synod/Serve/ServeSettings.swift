/// The settings of one server, checked to fit together. The rules and most of the sentences are etcd's.
struct ServeSettings: Equatable, Sendable {
    struct Member: Equatable, Sendable {
        var name: String
        /// In the order of their text.
        var peerURLs: [ServerURL]
    }

    enum Compaction: Equatable, Sendable {
        /// Keep this many milliseconds of history.
        case periodic(milliseconds: Int64)
        /// Keep this many revisions.
        case revisions(Int64)
    }

    enum LogLevel: Int, Comparable, Sendable {
        case debug, info, warn, error
        static func < (a: LogLevel, b: LogLevel) -> Bool { a.rawValue < b.rawValue }
    }

    var name: String
    var dataDirectory: String
    var listenClientURLs: [ServerURL]
    var advertiseClientURLs: [ServerURL]
    var listenPeerURLs: [ServerURL]
    var advertisePeerURLs: [ServerURL]
    var listenMetricsURLs: [ServerURL]
    /// In the order of their names; this member is among them.
    var members: [Member]
    var isNewCluster: Bool
    var clusterToken: String
    var heartbeatMilliseconds: Int
    var electionMilliseconds: Int
    var snapshotCount: Int
    var catchUpEntries: Int
    /// Zero or less: no quota.
    var quotaBytes: Int
    var transactionOperations: Int
    var requestBytes: Int
    var concurrentStreams: UInt32
    var watchProgressMilliseconds: Int64
    var compaction: Compaction?
    var syncs: Bool
    var logLevel: LogLevel
    var logsToStandardOutput: Bool

    /// - Parameter directorySuffix: of the data directory that is used when none is named: `synod` or `etcd`.
    init(_ values: FlagValues, directorySuffix: String = "synod") throws(UsageError) {
        name = values["name"]
        dataDirectory = values["data-dir"]
        if !values.isGiven("data-dir") || dataDirectory.isEmpty { dataDirectory = "\(name).\(directorySuffix)" }
        listenClientURLs = try ServerURL.list(values["listen-client-urls"])
        listenPeerURLs = try ServerURL.list(values["listen-peer-urls"])
        listenMetricsURLs = try ServerURL.list(values["listen-metrics-urls"])
        advertiseClientURLs = try ServerURL.list(values["advertise-client-urls"])
        if values.isGiven("listen-client-urls"), !values.isGiven("advertise-client-urls") {
            throw UsageError(message: "--advertise-client-urls is required when --listen-client-urls is set explicitly")
        }
        // Peers must be told where to call. Without a word about it they are told what this member listens
        // on, unless that is every address.
        let listensSomewhere = listenPeerURLs.allSatisfy { $0.host != "0.0.0.0" && $0.host != "::" }
        let advertisesListening = !values.isGiven("initial-advertise-peer-urls") && listensSomewhere
        advertisePeerURLs =
            advertisesListening
            ? listenPeerURLs : try ServerURL.list(values["initial-advertise-peer-urls"])
        for (flag, urls) in [
            ("--listen-peer-urls", listenPeerURLs), ("--listen-client-urls", listenClientURLs),
            ("--listen-metrics-urls", listenMetricsURLs),
        ] {
            if let url = urls.first(where: { !$0.isAddressOrLocalhost }) {
                throw UsageError(message: "\(flag): expected IP in URL for binding (\(url.text))")
            }
        }
        for (flag, urls) in [
            ("--initial-advertise-peer-urls", advertisePeerURLs), ("--advertise-client-urls", advertiseClientURLs),
        ] {
            if let url = urls.first(where: { $0.host.isEmpty }) {
                throw UsageError(message: "\(flag): unexpected empty host (\(url.text))")
            }
        }
        if listenClientURLs.isEmpty { throw UsageError(message: "--listen-client-urls must name at least one URL") }
        if listenPeerURLs.isEmpty { throw UsageError(message: "--listen-peer-urls must name at least one URL") }

        isNewCluster = values["initial-cluster-state"] == "new"
        clusterToken = values["initial-cluster-token"]
        members = try Self.members(values, name: name, advertised: advertisePeerURLs)

        heartbeatMilliseconds = try Self.number("heartbeat-interval", in: values)
        electionMilliseconds = try Self.number("election-timeout", in: values)
        let (heartbeat, election) = (heartbeatMilliseconds, electionMilliseconds)
        if heartbeat == 0 { throw UsageError(message: "--heartbeat-interval must be >0 (set to 0ms)") }
        if election == 0 { throw UsageError(message: "--election-timeout must be >0 (set to 0ms)") }
        if election > 50_000 {
            throw UsageError(
                message: "--election-timeout[\(election)ms] is too long, and should be set less than 50000ms")
        }
        if heartbeat * 5 > election {
            throw UsageError(
                message: "--election-timeout[\(election)ms] should be at least as 5 times as "
                    + "--heartbeat-interval[\(heartbeat)ms]")
        }
        snapshotCount = try Self.number("snapshot-count", in: values)
        if snapshotCount == 0 { throw UsageError(message: "--snapshot-count must be >0 (set to 0)") }
        catchUpEntries = try Self.number("snapshot-catchup-entries", in: values)
        let quota = Int(values["quota-backend-bytes"]) ?? 0
        quotaBytes = quota == 0 ? 2 << 30 : max(quota, 0)
        transactionOperations = try Self.number("max-txn-ops", in: values)
        requestBytes = try Self.number("max-request-bytes", in: values)
        concurrentStreams = UInt32(clamping: try Self.number("max-concurrent-streams", in: values))
        let progress = GoSyntax.durationNanoseconds(values["watch-progress-notify-interval"]) ?? 0
        watchProgressMilliseconds = progress / 1_000_000
        if watchProgressMilliseconds < 100 {
            throw UsageError(message: "--watch-progress-notify-interval must be at least 100ms")
        }
        compaction = try Self.compaction(
            mode: values["auto-compaction-mode"], retention: values["auto-compaction-retention"])
        syncs = GoSyntax.bool(values["unsafe-no-fsync"]) != true
        logLevel =
            switch values["log-level"] {
            case "debug": .debug
            case "info": .info
            case "warn": .warn
            default: .error
            }
        if GoSyntax.bool(values["debug"]) == true { logLevel = .debug }
        logsToStandardOutput = values["log-outputs"] == "stdout"
    }

    private static func number(_ name: String, in values: FlagValues) throws(UsageError) -> Int {
        guard let number = Int(values[name]), number <= Int(Int32.max) * 2 + 1 else {
            throw UsageError(message: "--\(name)=\(values[name]) is too large")
        }
        return number
    }

    private static func members(
        _ values: FlagValues, name: String, advertised: [ServerURL]
    ) throws(UsageError) -> [Member] {
        guard values.isGiven("initial-cluster"), !values["initial-cluster"].isEmpty else {
            return [Member(name: name, peerURLs: advertised.sorted { $0.text < $1.text })]
        }
        var members: [Member] = []
        for piece in values["initial-cluster"].split(separator: ",") {
            let pair = trimmed(piece)
            guard let equals = pair.firstIndex(of: "="), equals != pair.startIndex else {
                throw UsageError(message: "--initial-cluster: empty name in \"\(pair)\" (expected name=url)")
            }
            let member = String(pair[..<equals])
            let url = try ServerURL(String(pair[pair.index(after: equals)...]))
            if members.contains(where: { $0.peerURLs.contains(url) }) {
                throw UsageError(message: "--initial-cluster has the URL \(url.text) twice")
            }
            if let index = members.firstIndex(where: { $0.name == member }) {
                members[index].peerURLs.append(url)
            } else {
                members.append(Member(name: member, peerURLs: [url]))
            }
        }
        members.sort { $0.name < $1.name }
        for index in members.indices { members[index].peerURLs.sort { $0.text < $1.text } }
        guard let own = members.first(where: { $0.name == name }) else {
            throw UsageError(message: "couldn't find local name \"\(name)\" in the initial cluster configuration")
        }
        let listed = own.peerURLs.map(\.text)
        let told = advertised.map(\.text).sorted()
        // A member that is only told what it listens on may be known to others by more names than that.
        if values.isGiven("initial-advertise-peer-urls"), listed != told {
            throw UsageError(
                message: "--initial-cluster has \(name)=\(listed.joined(separator: ",")) but missing from "
                    + "--initial-advertise-peer-urls=\(told.joined(separator: ","))")
        }
        return members
    }

    private static func compaction(mode: String, retention: String) throws(UsageError) -> Compaction? {
        if mode == "revision" {
            guard let revisions = Int64(retention), revisions >= 0 else {
                throw UsageError(message: "--auto-compaction-retention=\(retention): expected a number of revisions")
            }
            return revisions == 0 ? nil : .revisions(revisions)
        }
        if let hours = Int64(retention) {
            guard (0...1_000_000).contains(hours) else {
                throw UsageError(message: "--auto-compaction-retention=\(retention): expected hours or a duration")
            }
            return hours == 0 ? nil : .periodic(milliseconds: hours * 3_600_000)
        }
        guard let nanoseconds = GoSyntax.durationNanoseconds(retention), nanoseconds >= 0 else {
            throw UsageError(message: "--auto-compaction-retention=\(retention): expected hours or a duration")
        }
        return nanoseconds == 0 ? nil : .periodic(milliseconds: max(1, nanoseconds / 1_000_000))
    }
}
