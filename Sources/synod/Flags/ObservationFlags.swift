/// What an operator sees.
let observationFlags: [ServerFlag] = [
    ServerFlag(
        name: "log-level", section: .observation,
        kind: .choice(["debug", "info", "warn", "error", "panic", "fatal"]), standard: "info",
        help: "Least level that is logged: debug, info, warn, error, panic or fatal."),
    ServerFlag(
        name: "log-outputs", section: .observation, kind: .text, standard: "default",
        help:
            "Where the log goes, separated by commas: stderr (default), stdout, or paths of files, which are "
            + "made when they are not there and appended to.",
        aliases: ["log-output"]),
    ServerFlag(
        name: "logger", section: .observation, kind: .choice(["zap", "capnslog"]), standard: "zap",
        help: "Kind of logger.", standing: .accepted(because: "there is one form of log")),
    ServerFlag(
        name: "log-format", section: .observation, kind: .choice(["json", "console"]), standard: "console",
        help: "Form of log lines: json as etcd writes it, or console, which is easier to read. "
            + "json when the command runs under the name etcd."),
    ServerFlag(
        name: "enable-log-rotation", section: .observation, kind: .bool, standard: "false",
        help: "Begin a new file of the log when it is large.",
        standing: .accepted(
            because: "the log is only appended to, so that logrotate can cut it with copytruncate")),
    ServerFlag(
        name: "log-rotation-config-json", section: .observation, kind: .text, standard: "",
        help: "When that is, and what is kept.",
        standing: .accepted(
            because: "the log is only appended to, so that logrotate can cut it with copytruncate")),
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
]
