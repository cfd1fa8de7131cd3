import Automata
import Coordination
import GRPC
import Runtime

/// The settings of one server, checked to fit together. The rules and most of the sentences are etcd's.
struct ServeSettings: Sendable {
    var server: ServerOptions
    var listenClientURLs: [ServerURL]
    /// Answered there: `/metrics` and `/health`.
    var listenMetricsURLs: [ServerURL]
    var grpc = GRPCSettings()
    /// Sentences for the log.
    var notices: [String]
    var logOutputs: [String]
    var logForm: LogForm

    /// - Parameters:
    ///   - personality: decides what is used when no data directory and no form of log is named.
    ///   - hasData: whether a data directory belongs to a member already. What describes a first start need not
    ///     fit together then, since it is passed over.
    init(
        _ values: FlagValues, personality: Personality = .synod, hasData: (String) -> Bool = { _ in false }
    ) throws(UsageError) {
        notices = values.notices
        let name = values["name"]
        var directory = values["data-dir"]
        if !values.isGiven("data-dir") || directory.isEmpty {
            directory = "\(name).\(personality.directorySuffix)"
        }
        server = ServerOptions(dataDirectory: directory)
        server.name = name
        server.logDirectory = values["wal-dir"].isEmpty ? nil : values["wal-dir"]
        server.clusterState = values["initial-cluster-state"] == "new" ? .new : .existing
        server.clusterToken = values["initial-cluster-token"]
        server.synchronises = GoSyntax.bool(values["unsafe-no-fsync"]) != true
        logOutputs = values["log-outputs"].split(separator: ",").map(trimmed)
        if logOutputs.isEmpty { logOutputs = ["default"] }
        if logOutputs.count > 1, logOutputs.contains("default") {
            throw UsageError(message: "--log-outputs: multiple outputs with \"default\" are not supported")
        }
        logForm =
            values.isGiven("log-format")
            ? LogForm(rawValue: values["log-format"]) ?? .json : personality.logForm
        server.minimumLogLevel =
            switch values["log-level"] {
            case "debug": .debug
            case "info": .info
            case "warn": .warning
            case "error": .error
            default: .fatal
            }
        if GoSyntax.bool(values["debug"]) == true { server.minimumLogLevel = .debug }

        listenClientURLs = try Self.addresses("listen-client-urls", in: values)
        listenMetricsURLs = try Self.addresses("listen-metrics-urls", in: values)
        if listenClientURLs.isEmpty {
            throw UsageError(message: "--listen-client-urls must name at least one URL")
        }
        try takeMembership(values, isRestart: hasData(directory))
        try takeTimes(values)
        try takeLimits(values)
        server.autoCompaction = try Self.compaction(
            mode: values["auto-compaction-mode"], retention: values["auto-compaction-retention"])
    }

    /// URLs to listen on. Only an address can be bound: a name could mean several, or another machine.
    private static func addresses(_ flag: String, in values: FlagValues) throws(UsageError) -> [ServerURL] {
        let urls = try ServerURL.list(values[flag])
        if let url = urls.first(where: { !$0.canBeBound }) {
            throw UsageError(message: "--\(flag): expected IP in URL for binding (\(url.text))")
        }
        return urls
    }

    /// URLs that others are told to call.
    private static func advertised(_ flag: String, in values: FlagValues) throws(UsageError) -> [ServerURL] {
        let urls = try ServerURL.list(values[flag])
        if let url = urls.first(where: { $0.host.isEmpty && $0.socketPath == nil }) {
            throw UsageError(message: "--\(flag): unexpected empty host (\(url.text))")
        }
        return urls
    }

    private mutating func takeMembership(_ values: FlagValues, isRestart: Bool) throws(UsageError) {
        if values.isGiven("listen-client-urls"), !values.isGiven("advertise-client-urls") {
            throw UsageError(
                message: "--advertise-client-urls is required when --listen-client-urls is set explicitly")
        }
        server.advertiseClientURLs = try Self.advertised("advertise-client-urls", in: values).map(\.text)
        let listening = try Self.addresses("listen-peer-urls", in: values)
        if let url = listening.first(where: { $0.socketPath != nil }) {
            throw UsageError(
                message: "--listen-peer-urls: members reach each other over http:// (\(url.text))")
        }
        if listening.isEmpty { throw UsageError(message: "--listen-peer-urls must name at least one URL") }
        server.listenPeerURLs = listening.map(\.text)

        let members = try Self.members(values["initial-cluster"], given: values.isGiven("initial-cluster"))
        let own = members.first { $0.name == server.name }
        if !members.isEmpty, own == nil, !isRestart {
            throw UsageError(
                message: "couldn't find local name \"\(server.name)\" in the initial cluster configuration")
        }
        // Without a word about it, peers are told what the others were told about this member, or what it
        // listens on unless that is every address.
        if values.isGiven("initial-advertise-peer-urls") {
            server.advertisePeerURLs = try Self.advertised("initial-advertise-peer-urls", in: values).map(
                \.text)
        } else if let own {
            server.advertisePeerURLs = own.peerURLs
        } else if listening.allSatisfy({ $0.host != "0.0.0.0" && $0.host != "::" }) {
            server.advertisePeerURLs = server.listenPeerURLs
        }
        if let own, own.peerURLs != server.advertisePeerURLs.sorted(), !isRestart {
            throw UsageError(
                message:
                    "--initial-cluster has \(own.name)=\(own.peerURLs.joined(separator: ",")) but missing from "
                    + "--initial-advertise-peer-urls=\(server.advertisePeerURLs.joined(separator: ","))")
        }
        server.initialCluster =
            members.isEmpty
            ? [.init(name: server.name, peerURLs: server.advertisePeerURLs.sorted())] : members
    }

    /// `a=url,b=url,a=url` in the order of the names, the URLs of each in the order of their text.
    private static func members(_ text: String, given: Bool) throws(UsageError) -> [ServerOptions
        .InitialMember]
    {
        var members: [ServerOptions.InitialMember] = []
        guard given else { return members }
        for piece in text.split(separator: ",") {
            let pair = trimmed(piece)
            guard let equals = pair.firstIndex(of: "="), equals != pair.startIndex else {
                throw UsageError(message: "--initial-cluster: empty name in \"\(pair)\" (expected name=url)")
            }
            let member = String(pair[..<equals])
            let url = try ServerURL(String(pair[pair.index(after: equals)...])).text
            if members.contains(where: { $0.peerURLs.contains(url) }) {
                throw UsageError(message: "--initial-cluster has the URL \(url) twice")
            }
            if let index = members.firstIndex(where: { $0.name == member }) {
                members[index].peerURLs.append(url)
            } else {
                members.append(.init(name: member, peerURLs: [url]))
            }
        }
        for index in members.indices { members[index].peerURLs.sort() }
        return members.sorted { $0.name < $1.name }
    }

    private mutating func takeTimes(_ values: FlagValues) throws(UsageError) {
        let heartbeat = try Self.number("heartbeat-interval", in: values)
        let election = try Self.number("election-timeout", in: values)
        if heartbeat == 0 { throw UsageError(message: "--heartbeat-interval must be >0 (set to 0ms)") }
        if election == 0 { throw UsageError(message: "--election-timeout must be >0 (set to 0ms)") }
        if heartbeat * 5 > election {
            throw UsageError(
                message: "--election-timeout[\(election)ms] should be at least as 5 times as "
                    + "--heartbeat-interval[\(heartbeat)ms]")
        }
        if election > 50_000 {
            throw UsageError(
                message: "--election-timeout[\(election)ms] is too long, and should be set less than 50000ms")
        }
        server.heartbeatInterval = .milliseconds(.init(heartbeat))
        server.electionTimeout = .milliseconds(.init(election))
        server.limits.electionTimeout = server.electionTimeout
        // etcd's rules: a request may take five seconds and two elections; a lease at least one and a half
        // elections, in whole seconds.
        server.limits.requestTimeout = .milliseconds(.init(5_000 + 2 * election))
        server.limits.minimumLeaseSeconds = Int64((3 * election + 1_999) / 2_000)
        takeProgressInterval(values["watch-progress-notify-interval"])
        let drift = try Self.number("lease-reads-clock-drift", in: values)
        guard drift < 1_000_000 else {
            throw UsageError(message: "--lease-reads-clock-drift must be below 1000000 parts per million")
        }
        server.leaseReadsClockDriftPPM = drift == 0 ? nil : UInt64(drift)
    }

    /// Zero and less are the default, and what is too short is as short as may be: as etcd has it.
    private mutating func takeProgressInterval(_ text: String) {
        let milliseconds = (GoSyntax.durationNanoseconds(text) ?? 0) / 1_000_000
        if GoSyntax.durationNanoseconds(text) ?? 0 <= 0 {
            server.limits.watchProgressInterval = .seconds(600)
        } else if milliseconds < 100 {
            server.limits.watchProgressInterval = .milliseconds(100)
            notices.append("--watch-progress-notify-interval=\(text) is raised to the least, 100ms")
        } else {
            server.limits.watchProgressInterval = .milliseconds(.init(milliseconds))
        }
    }

    private mutating func takeLimits(_ values: FlagValues) throws(UsageError) {
        server.checkpointEntries = try Self.number("snapshot-count", in: values)
        if server.checkpointEntries == 0 {
            throw UsageError(message: "--snapshot-count must be >0 (set to 0)")
        }
        server.catchUpEntries = try Self.number("snapshot-catchup-entries", in: values)
        let quota = Int(values["quota-backend-bytes"]) ?? 0
        server.limits.quotaBytes = quota == 0 ? 2 << 30 : max(quota, 0)
        server.limits.transactionOperations = try Self.number("max-txn-ops", in: values)
        server.limits.requestBytes = try Self.number("max-request-bytes", in: values)
        server.limits.concurrentStreams = UInt32(try Self.number("max-concurrent-streams", in: values))
        // A message is larger than the request in it; etcd grants the same.
        grpc.maxMessageBytes = server.limits.requestBytes + (512 << 10)
        grpc.concurrentStreams =
            server.limits.concurrentStreams == .max ? nil : server.limits.concurrentStreams
        grpc.minimumPingInterval = Self.duration("grpc-keepalive-min-time", in: values)
        grpc.keepaliveInterval = Self.duration("grpc-keepalive-interval", in: values)
        grpc.keepaliveTimeout = Self.duration("grpc-keepalive-timeout", in: values) ?? grpc.keepaliveTimeout
    }

    /// Nil for zero, which is how these flags say never.
    private static func duration(_ name: String, in values: FlagValues) -> Duration? {
        let nanoseconds = GoSyntax.durationNanoseconds(values[name]) ?? 0
        return nanoseconds > 0 ? .nanoseconds(nanoseconds) : nil
    }

    private static func number(_ name: String, in values: FlagValues) throws(UsageError) -> Int {
        guard let number = UInt32(values[name]) else {
            throw UsageError(message: "--\(name)=\(values[name]) is too large")
        }
        return Int(number)
    }

    private static func compaction(
        mode: String, retention: String
    ) throws(UsageError) -> ServerOptions.AutoCompaction {
        if mode == "revision" {
            guard let revisions = Int64(retention), revisions >= 0 else {
                throw UsageError(
                    message: "--auto-compaction-retention=\(retention): expected a number of revisions")
            }
            return revisions == 0 ? .off : .revision(revisions)
        }
        let nanoseconds =
            if let hours = Int64(retention) {
                (0...100_000).contains(hours) ? hours * 3_600_000_000_000 : nil
            } else {
                GoSyntax.durationNanoseconds(retention)
            }
        guard let nanoseconds, nanoseconds >= 0 else {
            throw UsageError(
                message: "--auto-compaction-retention=\(retention): expected hours or a duration")
        }
        return nanoseconds == 0 ? .off : .periodic(.milliseconds(.init(max(1, nanoseconds / 1_000_000))))
    }
}
