import Coordination
import Glibc
import Runtime
import StudyCommands

/// A command about one file, with flags as those of `synod serve` before or behind it.
struct FileCommand: Sendable {
    let name: String
    let abstract: String
    let discussion: String
    let flags: [ServerFlag]
    /// Whether the environment speaks as well.
    var readsEnvironment = false
    let body: @Sendable (_ file: String, _ values: FlagValues) throws -> Void

    static let all: [FileCommand] = [.backup, .restore]

    /// The exit code: 0, 1 when it could not be done, 2 when the command line cannot be read.
    func run(_ arguments: [String]) -> Int32 {
        // Who is at the other end of a pipe may go.
        signal(SIGPIPE, SIG_IGN)
        if arguments.contains(where: { ["-h", "-help", "--help"].contains($0) }) || arguments == ["help"] {
            print(FlagHelp.usage(self))
            return 0
        }
        do {
            let (file, values) = try parse(arguments)
            try body(file, values)
            return 0
        } catch let error as UsageError {
            writeAll("synod \(name): \(error.message)\n", to: 2)
            return error.exitCode
        } catch {
            writeAll("synod \(name): \(error)\n", to: 2)
            return 1
        }
    }

    private func parse(_ arguments: [String]) throws(UsageError) -> (file: String, values: FlagValues) {
        var arguments = arguments
        var files: [String] = []
        // Go's syntax has what is no flag at the end; people write it first as well.
        if let first = arguments.first, !first.hasPrefix("-") || first == "-" {
            files.append(arguments.removeFirst())
        }
        let rest = try GoSyntax.parse(arguments, flags: flags).rest
        files += rest
        guard let file = files.first, files.count == 1 else {
            let found = files.isEmpty ? "none is given" : files.joined(separator: ", ") + " are given"
            throw UsageError(message: "expected one FILE, \(found). See synod \(name) --help.", exitCode: 2)
        }
        let values = try FlagValues(
            arguments: arguments.dropLast(rest.count),
            environment: readsEnvironment ? ServeCommand.environment : [:],
            prefix: Personality.synod.environmentPrefix, flags: flags
        ) { path throws(UsageError) in throw UsageError(message: "\(path) is not read") }
        return (file, values)
    }
}

extension FileCommand {
    static let backup = FileCommand(
        name: "backup", abstract: "Write everything that a cluster holds to a file, while it serves.",
        discussion: """
            Keys with their revisions, leases and the history that is not compacted, as one member had applied them
            when it was asked. FILE appears when it is whole and durable; - is the standard output.

            """, flags: backupFlags
    ) { file, values in
        guard !(values.isGiven("endpoint") && values.isGiven("data-dir")) else {
            throw UsageError(
                message: "--endpoint and --data-dir are two places to take a backup from", exitCode: 2)
        }
        let sink = try BackupFile(file)
        do {
            if let directory = values.given["data-dir"] {
                try DirectoryBackup.write(of: directory, to: sink.write)
            } else {
                try BackupConnection(values.given["endpoint"] ?? backupFlags[0].standard).read(
                    into: sink.write)
            }
            try sink.finish()
        } catch let error as CheckpointError {
            sink.discard()
            throw UsageError(message: "what was to be the backup is \(error)")
        } catch {
            sink.discard()
            throw error
        }
    }

    static let restore = FileCommand(
        name: "restore", abstract: "Make the data directory of a member of a new cluster from a backup.",
        discussion: """
            Run it for each first member of the cluster, with the same FILE (- is the standard input), then start the
            members with the same flags of synod serve. Members and alarms of the cluster that the backup is of are
            not taken over.

            """, flags: restoreFlags, readsEnvironment: true
    ) { file, values in
        let settings = try ServeSettings(values)
        let source = try BackupSource(file)
        do {
            let restored = try Restoration.restore(settings.server, reading: source.read)
            print(
                "\(settings.server.dataDirectory) is the data directory of \"\(settings.server.name)\", member "
                    + "\(String(restored.memberID, radix: 16)) of a new cluster "
                    + "\(String(restored.clusterID, radix: 16)): revision \(restored.head.revision ?? 0), "
                    + "\(restored.rows) entries")
        } catch let error as CheckpointError {
            throw UsageError(message: "\(file == "-" ? "the standard input" : file) is \(error)")
        }
    }
}
