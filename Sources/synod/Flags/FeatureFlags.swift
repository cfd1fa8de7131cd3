/// What etcd has for few, or tries out; and what is unsafe.
let featureFlags: [ServerFlag] = [
    ServerFlag(
        name: "watch-progress-notify-interval", section: .features, kind: .duration, standard: "10m",
        help: "Time between progress notices to a quiet watcher; 100ms where less is given, 10m for 0.",
        aliases: ["experimental-watch-progress-notify-interval"]),
    ServerFlag(
        name: "snapshot-catchup-entries", section: .features, kind: .unsigned, standard: "5000",
        help: "Entries kept in the log behind a checkpoint for processes that are a little late.",
        aliases: ["experimental-snapshot-catchup-entries", "experimental-snapshot-catch-up-entries"]),
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
        aliases: ["experimental-initial-corrupt-check"]),
    ServerFlag(
        name: "corrupt-check-time", section: .features, kind: .duration, standard: "0s",
        help: "Time between comparisons of the stores of all members.",
        standing: .accepted(because: "etcdctl endpoint hashkv compares them at any time"),
        aliases: ["experimental-corrupt-check-time"]),
    ServerFlag(
        name: "compact-hash-check-enabled", section: .features, kind: .bool, standard: "false",
        help: "Compare hashes after compactions.",
        standing: .accepted(because: "etcdctl endpoint hashkv compares them at any time"),
        aliases: ["experimental-compact-hash-check-enabled"]),
    ServerFlag(
        name: "compact-hash-check-time", section: .features, kind: .duration, standard: "1m",
        help: "Time between such comparisons.",
        standing: .accepted(because: "etcdctl endpoint hashkv compares them at any time"),
        aliases: ["experimental-compact-hash-check-time"]),
    ServerFlag(
        name: "compaction-batch-limit", section: .features, kind: .unsigned, standard: "1000",
        help: "Revisions removed in one step of a compaction.",
        standing: .accepted(because: "a compaction makes way for requests by itself"),
        aliases: ["experimental-compaction-batch-limit"]),
    ServerFlag(
        name: "compaction-sleep-interval", section: .features, kind: .duration, standard: "10ms",
        help: "Pause between such steps.",
        standing: .accepted(because: "a compaction makes way for requests by itself"),
        aliases: ["experimental-compaction-sleep-interval"]),
    ServerFlag(
        name: "warning-apply-duration", section: .features, kind: .duration, standard: "100ms",
        help: "Time after which a request is reported as slow.",
        standing: .accepted(because: "slow requests are seen in /metrics"),
        aliases: ["experimental-warning-apply-duration"]),
    ServerFlag(
        name: "warning-unary-request-duration", section: .features, kind: .duration, standard: "300ms",
        help: "Time after which a request is reported as slow.",
        standing: .accepted(because: "slow requests are seen in /metrics"),
        aliases: ["experimental-warning-unary-request-duration"]),
    ServerFlag(
        name: "bootstrap-defrag-threshold-megabytes", section: .features, kind: .unsigned, standard: "0",
        help: "Reclaimable space from which the store is defragmented at the start.",
        standing: .accepted(because: "the store reuses its free pages"),
        aliases: ["experimental-bootstrap-defrag-threshold-megabytes"]),
    ServerFlag(
        name: "enable-lease-checkpoint", section: .features, kind: .bool, standard: "false",
        help: "Record the remaining time of long leases.",
        standing: .accepted(because: "a new leader grants every lease its full time again"),
        aliases: ["experimental-enable-lease-checkpoint"]),
    ServerFlag(
        name: "enable-lease-checkpoint-persist", section: .features, kind: .bool, standard: "false",
        help: "Record the remaining time of long leases durably.",
        standing: .accepted(because: "a new leader grants every lease its full time again"),
        aliases: ["experimental-enable-lease-checkpoint-persist"]),
    ServerFlag(
        name: "enable-distributed-tracing", section: .features, kind: .bool, standard: "false",
        help: "Send traces of requests.", standing: .accepted(because: "no trace is sent anywhere"),
        aliases: ["experimental-enable-distributed-tracing"]),
    ServerFlag(
        name: "distributed-tracing-address", section: .features, kind: .text, standard: "localhost:4317",
        help: "Where to.",
        standing: .accepted(because: "no trace is sent anywhere"),
        aliases: ["experimental-distributed-tracing-address"]),
    ServerFlag(
        name: "distributed-tracing-service-name", section: .features, kind: .text, standard: "etcd",
        help: "Name of the service in traces.",
        standing: .accepted(because: "no trace is sent anywhere"),
        aliases: ["experimental-distributed-tracing-service-name"]),
    ServerFlag(
        name: "distributed-tracing-instance-id", section: .features, kind: .text, standard: "",
        help: "Name of this member in traces.",
        standing: .accepted(because: "no trace is sent anywhere"),
        aliases: ["experimental-distributed-tracing-instance-id"]),
    ServerFlag(
        name: "distributed-tracing-sampling-rate", section: .features, kind: .integer, standard: "0",
        help: "Traces in a million requests.",
        standing: .accepted(because: "no trace is sent anywhere"),
        aliases: ["experimental-distributed-tracing-sampling-rate"]),
    ServerFlag(
        name: "downgrade-check-time", section: .features, kind: .duration, standard: "5s",
        help: "Time between looks at whether a downgrade is finished.",
        standing: .accepted(because: "there is no downgrade"),
        aliases: ["experimental-downgrade-check-time"]),
    ServerFlag(
        name: "experimental-stop-grpc-service-on-defrag", section: .features, kind: .bool, standard: "false",
        help: "Serve no client while the store is defragmented.",
        standing: .accepted(because: "clients wait no longer than without it")),
    ServerFlag(
        name: "experimental-txn-mode-write-with-shared-buffer", section: .features, kind: .bool,
        standard: "true",
        help: "How etcd's transactions read.",
        standing: .accepted(because: "a transaction always reads what it has written")),
    ServerFlag(
        name: "feature-gates", section: .features, kind: .gates, standard: "",
        help: "Switches of etcd's own development: Name=true,Name=false,…",
        standing: .accepted(because: "none of them changes what Synod does")),
    ServerFlag(
        name: "force-new-cluster", section: .unsafe, kind: .bool, standard: "false",
        help: "Make a cluster of one from this member's data.",
        standing: .refused(
            unless: ["false"], because: "making a new cluster from a member's data is \(later)")),
    ServerFlag(
        name: "unsafe-no-fsync", section: .unsafe, kind: .bool, standard: "false",
        help: "Do not wait for the disk. What was acknowledged can be lost when the machine stops."),
]
