/// What a member is and how much it takes.
let memberFlags: [ServerFlag] = [
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
        name: "snapshot-count", section: .member, kind: .unsigned, standard: "100000",
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
        help: "List of URLs to listen on for client traffic: gRPC, JSON, /health, /metrics. "
            + "unix://NAME is a socket file."),
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
        aliases: ["experimental-backend-bbolt-freelist-type"]),
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
        aliases: ["experimental-memory-mlock"]),
    ServerFlag(
        name: "enable-v2", section: .member, kind: .bool, standard: "false",
        help: "Accept requests of etcd's second API.",
        standing: .accepted(because: noSecondAPI)),
    ServerFlag(
        name: "experimental-enable-v2v3", section: .member, kind: .text, standard: "",
        help: "Prefix under which the second API is served from the third.",
        standing: .accepted(because: noSecondAPI)),
    ServerFlag(
        name: "raft-read-timeout", section: .member, kind: .duration, standard: "5s",
        help: "Longest silence of a connection between members.",
        standing: .accepted(because: ownLimits)),
    ServerFlag(
        name: "raft-write-timeout", section: .member, kind: .duration, standard: "5s",
        help: "Longest wait for a connection between members to take bytes.",
        standing: .accepted(because: ownLimits)),
]
