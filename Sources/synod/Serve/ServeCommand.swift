import Glibc
import Runtime
import WriteAheadLog

/// `synod serve`, or `etcd`: from a command line to a running server and its clean end.
struct ServeCommand: Sendable {
    let personality: Personality

    /// Does not return. Exit codes: 0 after a signal, 1 when the server cannot run, 2 when the command line
    /// cannot be read.
    func run(_ arguments: [String]) -> Never {
        if arguments.first == "help", personality == .synod { run(["--help"]) }
        if personality == .etcd, let proxy = arguments.first, ["gateway", "grpc-proxy"].contains(proxy) {
            fail(
                UsageError(
                    message: "etcd's \(proxy) is not offered: run that of an etcd in front of this server"))
        }
        // Anything that asks for help or the version is answered without looking at the rest.
        for argument in arguments {
            switch argument {
            case "-h", "-help", "--help":
                print(
                    FlagHelp.usage(command: personality.command, prefix: personality.environmentPrefix),
                    terminator: "")
                exit(0)
            case "-version", "--version", "-version=true", "--version=true":
                print(personality.version)
                exit(0)
            default: continue
            }
        }
        do throws(UsageError) {
            let values = try FlagValues(
                arguments: arguments, environment: Self.environment, prefix: personality.environmentPrefix,
                read: Self.contents)
            let settings = try ServeSettings(
                values, personality: personality, hasData: DataDirectory.isClaimed)
            let output = try Log(settings.logOutputs, form: settings.logForm)
            let log = Reporter(minimum: settings.server.minimumLogLevel, log: output.write)
            let process = ServerProcess(
                settings: settings, personality: personality, log: log,
                output: output)
            exit(process.run())
        } catch {
            fail(error)
        }
    }

    private func fail(_ error: UsageError) -> Never {
        writeAll("\(personality.command): \(error.message)\n", to: 2)
        exit(error.exitCode)
    }

    static var environment: [String: String] {
        var variables: [String: String] = [:]
        var entry = environ
        while let pointer = entry.pointee {
            let text = String(cString: pointer)
            if let equals = text.firstIndex(of: "=") {
                variables[String(text[..<equals])] = String(text[text.index(after: equals)...])
            }
            entry += 1
        }
        return variables
    }

    private static func contents(_ path: String) throws(UsageError) -> String {
        guard let file = fopen(path, "r") else {
            throw UsageError(message: "cannot read \(path): \(String(cString: strerror(errno)))")
        }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while case let count = fread(&chunk, 1, chunk.count, file), count > 0 {
            bytes += chunk[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
