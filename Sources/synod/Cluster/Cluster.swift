import ArgumentParser
import Glibc

/// `synod cluster`: several members on this machine, each a process of its own, for trying things out.
/// It restarts nothing, so that one can see what the others do when a member dies.
struct Cluster: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "synod cluster",
        abstract: "Start a cluster of several processes on this machine, for trying things out.",
        discussion:
            "What stands after -- goes to each synod serve. What a member says stands behind its name.")

    /// Returns the exit code: 2 for a command line that cannot be read, which is answered with one line.
    static func run(arguments: [String]) -> Int32 {
        do {
            var command = try parseAsRoot(arguments == ["help"] ? ["--help"] : arguments)
            try command.run()
            return 0
        } catch let code as ExitCode {
            return code.rawValue
        } catch  where exitCode(for: error) == .success {
            print(fullMessage(for: error))
            return 0
        } catch {
            let words = message(for: error).split(separator: "\n").first ?? "wrong command line"
            writeAll("synod cluster: \(words) See synod cluster --help.\n", to: 2)
            return 2
        }
    }

    @Option(help: "Number of members.") var size = 3
    @Option(help: "Member i listens for clients on base + 10 i and for peers on the port after it.")
    var basePort: UInt16 = 2379
    @Option(help: "Directory that holds the members' data directories.") var dataDir = "cluster.synod"
    @Argument(parsing: .postTerminator, help: "Flags of synod serve.") var flags: [String] = []

    func validate() throws {
        guard (1...9).contains(size) else { throw ValidationError("--size must be from 1 to 9") }
        guard Int(basePort) + 10 * size < 65_536 else { throw ValidationError("--base-port is too large") }
    }

    func run() throws {
        let signals = Signals([SIGTERM, SIGINT, SIGHUP, SIGCHLD])
        if mkdir(dataDir, 0o700) != 0, errno != EEXIST {
            throw ValidationError("cannot make \(dataDir): \(String(cString: strerror(errno)))")
        }
        var children: [(name: String, pid: pid_t)] = []
        let outputs = PrefixedOutputs()
        for member in 0..<size {
            let name = "s\(member + 1)"
            children.append((name, try spawn(arguments(of: member, name: name), name: name, outputs)))
            let client = clientURL(member)
            print("\(name): clients \(client), peers \(peerURL(member)), pid \(children[member].pid)")
        }
        let endpoints = (0..<size).map { clientURL($0).dropFirst("http://".count) }.joined(separator: ",")
        print("Try: etcdctl --endpoints=\(endpoints) endpoint status -w table")
        fflush(nil)
        outputs.start()
        let code = waitForAll(children, signals)
        outputs.finish()
        throw ExitCode(code)
    }

    private func clientURL(_ member: Int) -> String { "http://127.0.0.1:\(Int(basePort) + 10 * member)" }
    private func peerURL(_ member: Int) -> String { "http://127.0.0.1:\(Int(basePort) + 10 * member + 1)" }

    private func arguments(of member: Int, name: String) -> [String] {
        let members = (0..<size).map { "s\($0 + 1)=\(peerURL($0))" }.joined(separator: ",")
        return [
            "synod", "serve", "--name=\(name)", "--data-dir=\(dataDir)/\(name)",
            "--listen-client-urls=\(clientURL(member))", "--advertise-client-urls=\(clientURL(member))",
            "--listen-peer-urls=\(peerURL(member))", "--initial-advertise-peer-urls=\(peerURL(member))",
            "--initial-cluster=\(members)", "--initial-cluster-token=\(dataDir)",
        ] + flags
    }

    /// Starts this program again with other arguments, with the signals that are blocked here, and in a
    /// process group of its own, so that a terminal's interrupt reaches it only through us.
    private func spawn(_ arguments: [String], name: String, _ outputs: PrefixedOutputs) throws -> pid_t {
        guard let ends = outputs.add(prefix: "\(name) | ") else {
            throw ValidationError("cannot make a pipe: \(String(cString: strerror(errno)))")
        }
        defer { for end in [ends.output, ends.errors] { close(end) } }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends.output, 1)
        posix_spawn_file_actions_adddup2(&actions, ends.errors, 2)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP))
        var argv: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        defer { for pointer in argv { free(pointer) } }
        var pid: pid_t = 0
        let result = posix_spawn(&pid, "/proc/self/exe", &actions, &attributes, &argv, environ)
        guard result == 0 else {
            throw ValidationError("cannot start a member: \(String(cString: strerror(result)))")
        }
        return pid
    }

    /// Passes signals on until every member has ended. The first that failed by itself gives the exit code.
    private func waitForAll(_ children: [(name: String, pid: pid_t)], _ signals: Signals) -> Int32 {
        var running = children
        var code: Int32 = 0
        var stopping = false
        while !running.isEmpty {
            let signal = signals.wait()
            if signal != SIGCHLD {
                stopping = true
                for child in running { kill(child.pid, signal == SIGHUP ? SIGTERM : signal) }
                continue
            }
            var status: Int32 = 0
            while case let pid = waitpid(-1, &status, WNOHANG), pid > 0 {
                guard let index = running.firstIndex(where: { $0.pid == pid }) else { continue }
                let child = running.remove(at: index)
                let killed = status & 0x7f
                let result = killed == 0 ? (status >> 8) & 0xff : 128 + killed
                if !stopping || result != 0 {
                    let how = killed == 0 ? "ended with exit code \(result)" : "was ended by signal \(killed)"
                    print("\(child.name) \(how); \(running.count) of \(children.count) members are running")
                    fflush(nil)
                }
                if code == 0, killed == 0 { code = result }
            }
        }
        return code
    }
}
