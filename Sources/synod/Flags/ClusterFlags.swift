/// How a cluster is formed and kept. Most of it counts only while a member has no data.
let clusterFlags: [ServerFlag] = [
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
        standing: .refused(unless: [""], because: laterDiscovery)),
    ServerFlag(
        name: "discovery-fallback", section: .cluster, kind: .text, standard: "exit",
        help: "What to do when discovery fails.", standing: .accepted(because: noDiscovery)),
    ServerFlag(
        name: "discovery-proxy", section: .cluster, kind: .text, standard: "",
        help: "HTTP proxy for discovery.", standing: .accepted(because: noDiscovery)),
    ServerFlag(
        name: "discovery-srv", section: .cluster, kind: .text, standard: "",
        help: "DNS domain used to find the other members.",
        standing: .refused(unless: [""], because: laterDiscovery)),
    ServerFlag(
        name: "discovery-srv-name", section: .cluster, kind: .text, standard: "",
        help: "Suffix of the DNS service name.", standing: .accepted(because: noDiscovery)),
    ServerFlag(
        name: "discovery-token", section: .cluster, kind: .text, standard: "",
        help: "Token of the cluster at the discovery service.",
        standing: .refused(unless: [""], because: laterDiscovery)),
    ServerFlag(
        name: "discovery-endpoints", section: .cluster, kind: .text, standard: "",
        help: "Endpoints of the discovery service.",
        standing: .refused(unless: [""], because: laterDiscovery)),
    ServerFlag(
        name: "discovery-dial-timeout", section: .cluster, kind: .duration, standard: "2s",
        help: "Longest wait for a connection to it.",
        standing: .accepted(because: noDiscovery)),
    ServerFlag(
        name: "discovery-request-timeout", section: .cluster, kind: .duration, standard: "5s",
        help: "Longest wait for its answer.",
        standing: .accepted(because: noDiscovery)),
    ServerFlag(
        name: "discovery-keepalive-time", section: .cluster, kind: .duration, standard: "2s",
        help: "Silence after which it is pinged.",
        standing: .accepted(because: noDiscovery)),
    ServerFlag(
        name: "discovery-keepalive-timeout", section: .cluster, kind: .duration, standard: "6s",
        help: "Wait for the answer to such a ping.",
        standing: .accepted(because: noDiscovery)),
    ServerFlag(
        name: "discovery-insecure-transport", section: .cluster, kind: .bool, standard: "true",
        help: "Ask it without TLS.",
        standing: .accepted(because: noDiscovery)),
    ServerFlag(
        name: "discovery-insecure-skip-tls-verify", section: .cluster, kind: .bool, standard: "false",
        help: "Do not verify its certificate.",
        standing: .accepted(because: noDiscovery)),
    ServerFlag(
        name: "discovery-cert", section: .cluster, kind: .text, standard: "",
        help: "Certificate for it.",
        standing: .accepted(because: noDiscovery)),
    ServerFlag(
        name: "discovery-key", section: .cluster, kind: .text, standard: "",
        help: "Key for it.",
        standing: .accepted(because: noDiscovery)),
    ServerFlag(
        name: "discovery-cacert", section: .cluster, kind: .text, standard: "",
        help: "Authorities that sign its certificate.",
        standing: .accepted(because: noDiscovery)),
    ServerFlag(
        name: "discovery-user", section: .cluster, kind: .text, standard: "",
        help: "User there.",
        standing: .accepted(because: noDiscovery)),
    ServerFlag(
        name: "discovery-password", section: .cluster, kind: .text, standard: "",
        help: "Password there.",
        standing: .accepted(because: noDiscovery)),
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
        standing: .accepted(because: "members cannot be added yet"), aliases: ["experimental-max-learners"]),
    ServerFlag(
        name: "proxy", section: .cluster, kind: .choice(["off", "readonly", "on"]), standard: "off",
        help: "Run as a proxy of etcd's second API.",
        standing: .refused(unless: ["off"], because: noSecondAPI)),
    ServerFlag(
        name: "proxy-failure-wait", section: .cluster, kind: .unsigned, standard: "5000",
        help: "Time (in milliseconds) that such a proxy avoids an endpoint that failed.",
        standing: .accepted(because: noSecondAPI)),
    ServerFlag(
        name: "proxy-refresh-interval", section: .cluster, kind: .unsigned, standard: "30000",
        help: "Time (in milliseconds) between looks at the members.",
        standing: .accepted(because: noSecondAPI)),
    ServerFlag(
        name: "proxy-dial-timeout", section: .cluster, kind: .unsigned, standard: "1000",
        help: "Longest wait (in milliseconds) for a connection.",
        standing: .accepted(because: noSecondAPI)),
    ServerFlag(
        name: "proxy-write-timeout", section: .cluster, kind: .unsigned, standard: "5000",
        help: "Longest wait (in milliseconds) for a write.",
        standing: .accepted(because: noSecondAPI)),
    ServerFlag(
        name: "proxy-read-timeout", section: .cluster, kind: .unsigned, standard: "0",
        help: "Longest wait (in milliseconds) for a read.",
        standing: .accepted(because: noSecondAPI)),
    ServerFlag(
        name: "v2-deprecation", section: .cluster, kind: .text, standard: "not-yet",
        help: "How far the second API is phased out.",
        standing: .accepted(because: noSecondAPI)),
    ServerFlag(
        name: "next-cluster-version-compatible", section: .cluster, kind: .bool, standard: "false",
        help: "Let a member of the next version join.",
        standing: .accepted(because: "members of every version that speaks the same peer protocol may join")),
]
