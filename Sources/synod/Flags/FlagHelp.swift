/// The help and the documentation of the server's flags, written from their table.
enum FlagHelp {
    /// The text of `--help`.
    static func usage(command: String, prefix: String) -> String {
        var text = """
            Usage:

              \(command) [flags]
                Start a server.

              \(command) --config-file PATH
                Start a server from a YAML or JSON file; other flags and environment variables are ignored.

            Each flag can be given as --flag=value, --flag value, with one dash, or as an environment
            variable: --listen-client-urls is \(prefix)_LISTEN_CLIENT_URLS.

            """
        for section in ServerFlag.Section.allCases {
            text += "\n\(section.rawValue):\n"
            for flag in serverFlags where flag.section == section {
                text += "  --\(flag.name) '\(flag.standard)'\n    \(flag.help)\n"
                if let note = flag.note { text += "    \(note)\n" }
            }
        }
        return text
    }

    /// The page `docs/operations/flags.md`.
    static var markdown: String {
        var text = """
            # Flags of `synod serve`

            Written by `make docs` from the tables in `Sources/synod/Flags`; a test holds the two against each other. Names, defaults and meanings are etcd's. `--a-flag` is `SYNOD_A_FLAG` in the
            environment (`ETCD_A_FLAG` when the command runs under the name `etcd`) and `a-flag` in a
            configuration file. The same flag on the command line and in the environment is an error; a
            configuration file overrides both.

            """
        for section in ServerFlag.Section.allCases {
            text += "\n## \(section.rawValue)\n| flag | default | meaning |\n|---|---|---|\n"
            for flag in serverFlags where flag.section == section {
                let standard = flag.standard.isEmpty ? "" : "`\(flag.standard)`"
                let note = flag.note.map { " *\($0)*" } ?? ""
                text += "| `--\(flag.name)` | \(standard) | \(flag.help)\(note) |\n"
            }
        }
        for command in FileCommand.all {
            text += "\n## `synod \(command.name)`\n\(command.abstract)\n"
            text += "\n| flag | default | meaning |\n|---|---|---|\n"
            for flag in command.flags {
                let standard = flag.standard.isEmpty ? "" : "`\(flag.standard)`"
                text += "| `--\(flag.name)` | \(standard) | \(flag.help) |\n"
            }
        }
        return text
    }

    /// The text of `--help` of a command that has a file.
    static func usage(_ command: FileCommand) -> String {
        var text = "usage: synod \(command.name) FILE [flags]\n\n\(command.abstract)\n\(command.discussion)\n"
        for flag in command.flags { text += "\n  --\(flag.name) '\(flag.standard)'\n    \(flag.help)" }
        return text
    }
}

extension ServerFlag {
    /// What a reader must know beyond the meaning: that it has no effect, or is refused.
    fileprivate var note: String? {
        switch standing {
        case .used: nil
        case .accepted(let reason): "Accepted without effect: \(reason)."
        case .refused(let harmless, let reason):
            "Refused unless \(harmless.map { $0.isEmpty ? "empty" : $0 }.joined(separator: " or ")): \(reason)."
        }
    }
}
