/// Where a backup is taken from.
let backupFlags: [ServerFlag] = [
    ServerFlag(
        name: "endpoint", section: .member, kind: .text, standard: "http://localhost:2379",
        help: "Client URL of a running member: http://HOST:PORT, HOST:PORT or unix://NAME."),
    ServerFlag(
        name: "data-dir", section: .member, kind: .text, standard: "",
        help: "Data directory of a member that does not run, instead of an endpoint."),
]

/// What a member of a new cluster is to be told besides its backup: of the flags of `synod serve` those that say who it
/// is. They have the same environment variables.
let restoreFlags: [ServerFlag] = serverFlags.filter {
    [
        "name", "data-dir", "initial-cluster", "initial-cluster-token", "initial-advertise-peer-urls",
    ].contains($0.name)
}
