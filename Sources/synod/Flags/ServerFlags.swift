private let noTLS = "TLS is not supported yet"
private let later = "not supported yet"

/// Every flag that `synod serve` knows, in the order of its help.
///
/// The names, defaults and meanings are etcd's. What etcd accepts and Synod has no use for is accepted when
/// that is harmless and refused when to ignore it would be unsafe; each such row says why.
let serverFlags: [ServerFlag] = [
    ServerFlag(
        name: "config-file", section: .member, kind: .text, standard: "",
        help: "Path to a configuration file, YAML or JSON, whose keys are these flags. "
            + "When it is given, all other flags and environment variables are ignored."),
    ServerFlag(
        name: "name", section: .member, kind: .text, standard: "default",
        help: "Human-readable name for this member."),
    ServerFlag(
        name: "data-dir", section: .member, kind: .text, standard: "${name}.synod",
        help: "Path to the data directory."),
    ServerFlag(
        name: "wal-dir", section: .member, kind: .text, standard: "",
        help: "Path to a directory of its own for the write-ahead log."),
    ServerFlag(
        name: "snapshot-count", section: .member, kind: .unsigned, standard: "10000",
        help: "Number of chosen entries between two checkpoints, after which the log is trimmed."),
    ServerFlag(
        name: "heartbeat-interval", section: .member, kind: .unsigned, standard: "100",
        help: "Time (in milliseconds) of a heartbeat interval."),
    ServerFlag(
        name: "election-timeout", section: .member, kind: .unsigned, standard: "1000",
        help: "Time (in milliseconds) for an election to timeout; at most 50000."),
    ServerFlag(
        name: "initial-election-tick-advance", section: .member, kind: .bool, standard: "true",
        help: "Whether to shorten the first election timeout.",
        standing: .accepted(because: "the first election timeout is drawn like every other")),
    ServerFlag(
        name: "listen-peer-urls", section: .member, kind: .urls, standard: "http://localhost:2380",
        help: "List of URLs to listen on for peer traffic."),
    ServerFlag(
        name: "listen-client-urls", section: .member, kind: .urls, standard: "http://localhost:2379",
        help: "List of URLs to listen on for client traffic: gRPC, JSON, /health, /metrics."),
    ServerFlag(
        name: "listen-client-http-urls", section: .member, kind: .urls, standard: "",
        help: "List of URLs to listen on for client traffic over HTTP only.",
        standing: .refused(
            unless: [""], because: "one port serves gRPC and HTTP; a port for HTTP alone is \(later)")),
    ServerFlag(
        name: "max-snapshots", section: .member, kind: .unsigned, standard: "5",
        help: "Maximum number of snapshot files to retain.",
        standing: .accepted(because: "one checkpoint is kept, which is all that recovery reads")),
    ServerFlag(
        name: "max-wals", section: .member, kind: .unsigned, standard: "5",
        help: "Maximum number of log files to retain.",
        standing: .accepted(because: "a segment is removed when a checkpoint has made it useless")),
    ServerFlag(
        name: "quota-backend-bytes", section: .member, kind: .integer, standard: "0",
        help: "Size of the store at which the space alarm is raised (0: 2 GiB, below 0: none)."),
    ServerFlag(
        name: "backend-batch-interval", section: .member, kind: .duration, standard: "0",
        help: "Maximum time before the store's transaction is committed.",
        standing: .accepted(because: "the store commits once for each batch of applied entries")),
    ServerFlag(
        name: "backend-batch-limit", section: .member, kind: .integer, standard: "0",
        help: "Maximum operations before the store's transaction is committed.",
        standing: .accepted(because: "the store commits once for each batch of applied entries")),
    ServerFlag(
        name: "backend-bbolt-freelist-type", section: .member, kind: .text, standard: "map",
        help: "Kind of free list of etcd's store.", standing: .accepted(because: "the store is LMDB"),
        alias: "experimental-backend-bbolt-freelist-type"),
    ServerFlag(
        name: "max-txn-ops", section: .member, kind: .unsigned, standard: "128",
        help: "Maximum number of operations in a transaction."),
    ServerFlag(
        name: "max-request-bytes", section: .member, kind: .unsigned, standard: "1572864",
        help: "Maximum size of a client request in bytes."),
    ServerFlag(
        name: "max-concurrent-streams", section: .member, kind: .unsigned, standard: "4294967295",
        help: "Maximum number of streams that a client may have open at a time on one connection."),
    ServerFlag(
        name: "grpc-keepalive-min-time", section: .member, kind: .duration, standard: "5s",
        help: "Minimum interval that a client should wait before pinging the server (0: none)."),
    ServerFlag(
        name: "grpc-keepalive-interval", section: .member, kind: .duration, standard: "2h",
        help: "Silence of a client after which the server pings it (0: never)."),
    ServerFlag(
        name: "grpc-keepalive-timeout", section: .member, kind: .duration, standard: "20s",
        help: "Wait for the answer to such a ping before the connection is closed."),
    ServerFlag(
        name: "socket-reuse-port", section: .member, kind: .bool, standard: "false",
        help: "Set SO_REUSEPORT on listeners.",
        standing: .refused(unless: ["false"], because: "two processes on one port are \(later)")),
    ServerFlag(
        name: "socket-reuse-address", section: .member, kind: .bool, standard: "false",
        help: "Set SO_REUSEADDR on listeners.", standing: .accepted(because: "it is always set")),
    ServerFlag(
        name: "enable-grpc-gateway", section: .member, kind: .bool, standard: "true",
        help: "Serve the JSON gateway.",
        standing: .refused(unless: ["true"], because: "the gateway cannot be switched off yet")),
    ServerFlag(
        name: "memory-mlock", section: .member, kind: .bool, standard: "false",
        help: "Lock the store's pages in memory.",
        standing: .accepted(because: "it changes latency on a machine that swaps, and nothing else"),
        alias: "experimental-memory-mlock"),
    ServerFlag(
        name: "enable-v2", section: .member, kind: .bool, standard: "false",
        help: "Accept requests of etcd's second API.",
        standing: .refused(unless: ["false"], because: "the second API is not offered")),

    ServerFlag(
        name: "initial-advertise-peer-urls", section: .cluster, kind: .urls,
        standard: "http://localhost:2380",
        help: "List of this member's peer URLs to tell the other members."),
    ServerFlag(
        name: "initial-cluster", section: .cluster, kind: .text, standard: "default=http://localhost:2380",
        help: "Members of a new cluster: name=url,name=url,…"),
    ServerFlag(
        name: "initial-cluster-state", section: .cluster, kind: .choice(["new", "existing"]), standard: "new",
        help: "Initial cluster state (new or existing)."),
    ServerFlag(
        name: "initial-cluster-token", section: .cluster, kind: .text, standard: "etcd-cluster",
        help: "Token of a new cluster; clusters with other tokens have other ids and refuse each other."),
    ServerFlag(
        name: "advertise-client-urls", section: .cluster, kind: .urls, standard: "http://localhost:2379",
        help: "List of this member's client URLs to tell clients."),
    ServerFlag(
        name: "discovery", section: .cluster, kind: .text, standard: "",
        help: "Discovery URL used to find the other members.",
        standing: .refused(
            unless: [""], because: "discovery is \(later): name the members in --initial-cluster")),
    ServerFlag(
        name: "discovery-fallback", section: .cluster, kind: .text, standard: "exit",
        help: "What to do when discovery fails.", standing: .accepted(because: "there is no discovery")),
    ServerFlag(
        name: "discovery-proxy", section: .cluster, kind: .text, standard: "",
        help: "HTTP proxy for discovery.", standing: .accepted(because: "there is no discovery")),
    ServerFlag(
        name: "discovery-srv", section: .cluster, kind: .text, standard: "",
        help: "DNS domain used to find the other members.",
        standing: .refused(
            unless: [""], because: "discovery is \(later): name the members in --initial-cluster")),
    ServerFlag(
        name: "discovery-srv-name", section: .cluster, kind: .text, standard: "",
        help: "Suffix of the DNS service name.", standing: .accepted(because: "there is no discovery")),
    ServerFlag(
        name: "strict-reconfig-check", section: .cluster, kind: .bool, standard: "true",
        help: "Refuse changes of membership that would lose the quorum.",
        standing: .accepted(because: "the check is always made")),
    ServerFlag(
        name: "pre-vote", section: .cluster, kind: .bool, standard: "true",
        help: "Ask for support before starting an election.",
        standing: .accepted(because: "elections always ask first")),
    ServerFlag(
        name: "auto-compaction-mode", section: .cluster, kind: .choice(["periodic", "revision"]),
        standard: "periodic",
        help: "How auto-compaction-retention is read: as a time or as a number of revisions."),
    ServerFlag(
        name: "auto-compaction-retention", section: .cluster, kind: .text, standard: "0",
        help: "History to keep: hours or a duration when periodic, else revisions. 0 keeps everything."),
    ServerFlag(
        name: "max-learners", section: .cluster, kind: .unsigned, standard: "1",
        help: "Maximum number of learners in the cluster.",
        standing: .accepted(because: "members cannot be added yet"), alias: "experimental-max-learners"),
    ServerFlag(
        name: "proxy", section: .cluster, kind: .choice(["off", "readonly", "on"]), standard: "off",
        help: "Run as a proxy of etcd's second API.",
        standing: .refused(unless: ["off"], because: "the second API is not offered")),

    ServerFlag(
        name: "cert-file", section: .security, kind: .text, standard: "",
        help: "Path to the server's certificate.", standing: .refused(unless: [""], because: noTLS)),
    ServerFlag(
        name: "key-file", section: .security, kind: .text, standard: "",
        help: "Path to the server's key.", standing: .refused(unless: [""], because: noTLS)),
    ServerFlag(
        name: "client-cert-auth", section: .security, kind: .bool, standard: "false",
        help: "Ask clients for certificates.", standing: .refused(unless: ["false"], because: noTLS)),
    ServerFlag(
        name: "client-crl-file", section: .security, kind: .text, standard: "",
        help: "Path to revoked client certificates.", standing: .refused(unless: [""], because: noTLS)),
    ServerFlag(
        name: "client-cert-allowed-hostname", section: .security, kind: .text, standard: "",
        help: "Allowed host name in client certificates.", standing: .refused(unless: [""], because: noTLS)),
    ServerFlag(
        name: "trusted-ca-file", section: .security, kind: .text, standard: "",
        help: "Path to the authorities that sign client certificates.",
        standing: .refused(unless: [""], because: noTLS)),
    ServerFlag(
        name: "auto-tls", section: .security, kind: .bool, standard: "false",
        help: "Make a certificate for clients.", standing: .refused(unless: ["false"], because: noTLS)),
    ServerFlag(
        name: "peer-cert-file", section: .security, kind: .text, standard: "",
        help: "Path to this member's certificate.", standing: .refused(unless: [""], because: noTLS)),
    ServerFlag(
        name: "peer-key-file", section: .security, kind: .text, standard: "",
        help: "Path to this member's key.", standing: .refused(unless: [""], because: noTLS)),
    ServerFlag(
        name: "peer-client-cert-auth", section: .security, kind: .bool, standard: "false",
        help: "Ask peers for certificates.", standing: .refused(unless: ["false"], because: noTLS)),
    ServerFlag(
        name: "peer-trusted-ca-file", section: .security, kind: .text, standard: "",
        help: "Path to the authorities that sign peer certificates.",
        standing: .refused(unless: [""], because: noTLS)),
    ServerFlag(
        name: "peer-cert-allowed-cn", section: .security, kind: .text, standard: "",
        help: "Required common name in peer certificates.", standing: .refused(unless: [""], because: noTLS)),
    ServerFlag(
        name: "peer-cert-allowed-hostname", section: .security, kind: .text, standard: "",
        help: "Allowed host name in peer certificates.", standing: .refused(unless: [""], because: noTLS)),
    ServerFlag(
        name: "peer-auto-tls", section: .security, kind: .bool, standard: "false",
        help: "Make a certificate for peers.", standing: .refused(unless: ["false"], because: noTLS)),
    ServerFlag(
        name: "peer-crl-file", section: .security, kind: .text, standard: "",
        help: "Path to revoked peer certificates.", standing: .refused(unless: [""], because: noTLS)),
    ServerFlag(
        name: "peer-skip-client-san-verification", section: .security, kind: .bool, standard: "false",
        help: "Do not look at the names in peer certificates.",
        standing: .refused(unless: ["false"], because: noTLS),
        alias: "experimental-peer-skip-client-san-verification"),
    ServerFlag(
        name: "cipher-suites", section: .security, kind: .text, standard: "",
        help: "Supported TLS cipher suites.", standing: .refused(unless: [""], because: noTLS)),
    ServerFlag(
        name: "tls-min-version", section: .security, kind: .text, standard: "TLS1.2",
        help: "Lowest TLS version.", standing: .accepted(because: "certificates are refused anyhow")),
    ServerFlag(
        name: "tls-max-version", section: .security, kind: .text, standard: "",
        help: "Highest TLS version.", standing: .accepted(because: "certificates are refused anyhow")),
    ServerFlag(
        name: "cors", section: .security, kind: .text, standard: "*",
        help: "Origins that browsers may send requests from.",
        standing: .refused(unless: ["*", ""], because: "a list of origins is \(later)")),
    ServerFlag(
        name: "host-whitelist", section: .security, kind: .text, standard: "*",
        help: "Host names that HTTP requests may carry.",
        standing: .refused(unless: ["*", ""], because: "a list of host names is \(later)")),

    ServerFlag(
        name: "auth-token", section: .auth, kind: .text, standard: "simple",
        help: "Kind of authentication token.",
        standing: .refused(unless: ["simple", ""], because: "users and tokens are \(later)")),
    ServerFlag(
        name: "auth-token-ttl", section: .auth, kind: .unsigned, standard: "300",
        help: "Seconds that a token lasts.",
        standing: .accepted(because: "authentication cannot be enabled yet")),
    ServerFlag(
        name: "bcrypt-cost", section: .auth, kind: .unsigned, standard: "10",
        help: "Cost of hashing a password.",
        standing: .accepted(because: "authentication cannot be enabled yet")),

    ServerFlag(
        name: "log-level", section: .observation,
        kind: .choice(["debug", "info", "warn", "error", "panic", "fatal"]), standard: "info",
        help: "Least level that is logged: debug, info, warn, error, panic or fatal."),
    ServerFlag(
        name: "log-outputs", section: .observation, kind: .text, standard: "default",
        help:
            "Where the log goes, separated by commas: stderr (default), stdout, or paths of files, which are "
            + "made when they are not there and appended to."),
    ServerFlag(
        name: "logger", section: .observation, kind: .choice(["zap", "capnslog"]), standard: "zap",
        help: "Kind of logger.", standing: .accepted(because: "there is one form of log")),
    ServerFlag(
        name: "log-format", section: .observation, kind: .choice(["json", "console"]), standard: "console",
        help: "Form of log lines: json as etcd writes it, or console, which is easier to read. "
            + "json when the command runs under the name etcd."),
    ServerFlag(
        name: "log-package-levels", section: .observation, kind: .text, standard: "",
        help: "Levels by package.", standing: .accepted(because: "the whole server has one level")),
    ServerFlag(
        name: "debug", section: .observation, kind: .bool, standard: "false",
        help: "The same as --log-level=debug."),
    ServerFlag(
        name: "listen-metrics-urls", section: .observation, kind: .urls, standard: "",
        help: "List of further URLs to answer /metrics and /health on."),
    ServerFlag(
        name: "metrics", section: .observation, kind: .choice(["basic", "extensive"]), standard: "basic",
        help: "Level of detail of the metrics.", standing: .accepted(because: "there is one level of detail")),
    ServerFlag(
        name: "enable-pprof", section: .observation, kind: .bool, standard: "false",
        help: "Serve profiles of the Go runtime.", standing: .accepted(because: "there is no Go runtime")),

    ServerFlag(
        name: "watch-progress-notify-interval", section: .features, kind: .duration, standard: "10m",
        help: "Time between progress notices to a quiet watcher; at least 100ms.",
        alias: "experimental-watch-progress-notify-interval"),
    ServerFlag(
        name: "snapshot-catchup-entries", section: .features, kind: .unsigned, standard: "5000",
        help: "Entries kept in the log behind a checkpoint for processes that are a little late.",
        alias: "experimental-snapshot-catchup-entries"),
    ServerFlag(
        name: "lease-reads-clock-drift", section: .features, kind: .unsigned, standard: "0",
        help:
            "Answer linearizable reads without asking the others, while a quorum is bound not to elect anybody "
            + "else. The bound holds if no two members' clocks differ in rate by more than this many parts "
            + "per million, say 1000; if they do, reads may be stale. Set it on all members alike (0: off). "
            + "Not a flag of etcd."),
    ServerFlag(
        name: "initial-corrupt-check", section: .features, kind: .bool, standard: "false",
        help: "Compare the store with the other members before serving.",
        standing: .accepted(because: "records and segments are checked whenever they are read"),
        alias: "experimental-initial-corrupt-check"),
    ServerFlag(
        name: "corrupt-check-time", section: .features, kind: .duration, standard: "0s",
        help: "Time between comparisons of the stores of all members.",
        standing: .accepted(because: "etcdctl endpoint hashkv compares them at any time"),
        alias: "experimental-corrupt-check-time"),
    ServerFlag(
        name: "compact-hash-check-enabled", section: .features, kind: .bool, standard: "false",
        help: "Compare hashes after compactions.",
        standing: .accepted(because: "etcdctl endpoint hashkv compares them at any time"),
        alias: "experimental-compact-hash-check-enabled"),
    ServerFlag(
        name: "compact-hash-check-time", section: .features, kind: .duration, standard: "1m",
        help: "Time between such comparisons.",
        standing: .accepted(because: "etcdctl endpoint hashkv compares them at any time"),
        alias: "experimental-compact-hash-check-time"),
    ServerFlag(
        name: "compaction-batch-limit", section: .features, kind: .unsigned, standard: "1000",
        help: "Revisions removed in one step of a compaction.",
        standing: .accepted(because: "a compaction makes way for requests by itself"),
        alias: "experimental-compaction-batch-limit"),
    ServerFlag(
        name: "compaction-sleep-interval", section: .features, kind: .duration, standard: "10ms",
        help: "Pause between such steps.",
        standing: .accepted(because: "a compaction makes way for requests by itself"),
        alias: "experimental-compaction-sleep-interval"),
    ServerFlag(
        name: "warning-apply-duration", section: .features, kind: .duration, standard: "100ms",
        help: "Time after which a request is reported as slow.",
        standing: .accepted(because: "slow requests are seen in /metrics"),
        alias: "experimental-warning-apply-duration"),
    ServerFlag(
        name: "bootstrap-defrag-threshold-megabytes", section: .features, kind: .unsigned, standard: "0",
        help: "Reclaimable space from which the store is defragmented at the start.",
        standing: .accepted(because: "the store reuses its free pages"),
        alias: "experimental-bootstrap-defrag-threshold-megabytes"),
    ServerFlag(
        name: "enable-lease-checkpoint", section: .features, kind: .bool, standard: "false",
        help: "Record the remaining time of long leases.",
        standing: .accepted(because: "a new leader grants every lease its full time again"),
        alias: "experimental-enable-lease-checkpoint"),
    ServerFlag(
        name: "enable-lease-checkpoint-persist", section: .features, kind: .bool, standard: "false",
        help: "Record the remaining time of long leases durably.",
        standing: .accepted(because: "a new leader grants every lease its full time again"),
        alias: "experimental-enable-lease-checkpoint-persist"),
    ServerFlag(
        name: "enable-distributed-tracing", section: .features, kind: .bool, standard: "false",
        help: "Send traces of requests.", standing: .accepted(because: "no trace is sent anywhere"),
        alias: "experimental-enable-distributed-tracing"),
    ServerFlag(
        name: "feature-gates", section: .features, kind: .text, standard: "",
        help: "Switches of etcd's own development.", standing: .accepted(because: "none of them applies")),

    ServerFlag(
        name: "force-new-cluster", section: .unsafe, kind: .bool, standard: "false",
        help: "Make a cluster of one from this member's data.",
        standing: .refused(
            unless: ["false"], because: "making a new cluster from a member's data is \(later)")),
    ServerFlag(
        name: "unsafe-no-fsync", section: .unsafe, kind: .bool, standard: "false",
        help: "Do not wait for the disk. What was acknowledged can be lost when the machine stops."),
]
