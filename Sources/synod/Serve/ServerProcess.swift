import CLinux
import Glibc
import NIOCore
import NIOPosix
import Runtime

/// One server in this process: makes ready what the operating system gives, starts it, says where it
/// listens, and waits for the signal that ends it.
struct ServerProcess: Sendable {
    let settings: ServeSettings
    let personality: Personality
    let log: Reporter
    /// What `log` writes to.
    let output: Log

    /// The exit code: 0 after SIGTERM or SIGINT, 1 when the server could not start or not go on.
    func run() -> Int32 {
        // Before the first thread, which would not have the mask. SIGUSR1 is the backtracer's.
        let failure = SIGUSR2
        let signals = Signals([SIGTERM, SIGINT, failure])
        prepareProcess()

        // The first line, so that a log says what wrote it.
        log(
            .info,
            "starting \(Versions.line, as: "version") as \(settings.server.name, as: "name") with data in "
                + "\(settings.server.dataDirectory, as: "data-dir")")
        for notice in settings.notices { log(.warning, LogLine(notice)) }
        var options = settings.server
        options.log = output.write
        options.failed = { [log] message in
            log(.fatal, LogLine(message))
            kill(getpid(), failure)
        }
        let loops = MultiThreadedEventLoopGroup(numberOfThreads: clientLoops)
        func wait<R: Sendable>(for body: @escaping @Sendable () async throws -> R) throws -> R {
            try loops.any().makeFutureWithTask(body).wait()
        }
        let doors: ClientDoors
        do {
            doors = try wait { [settings] in try await ClientDoors.listen(settings, loops: loops) }
        } catch {
            log(.fatal, "\(error)")
            return 1
        }
        let server: Server
        do { server = try Server.start(options) } catch {
            log(.fatal, "cannot start: \(error, as: "error")")
            try? wait { await doors.close() }
            return 1
        }
        var signal = waitUntilPublished(server, signals)
        if signal == nil {
            do { try wait { try await doors.open(server) } } catch {
                log(.fatal, "cannot accept clients: \(error, as: "error")")
                server.stop()
                return 1
            }
            announce()
            Supervisor.tell(.ready)
            signal = signals.wait()
        }
        log(.info, signal == failure ? "stopping" : "stopping on signal \(signal!, as: "signal")")
        Supervisor.tell(.stopping)
        if signal != failure {
            signals.release()
            let limit = drainLimit
            try? wait {
                async let isHandedOver: Void = server.handOver()
                await doors.drain(limit: limit)
                await isHandedOver
            }
        }
        try? wait { await doors.close() }
        server.stop()
        try? loops.syncShutdownGracefully()
        return signal == failure ? 1 : 0
    }

    /// Every request that has arrived is answered by then, well or not: this is the time that requests have.
    private var drainLimit: Duration {
        .nanoseconds(Int64(settings.server.limits.requestTimeout.nanoseconds))
    }

    /// As etcd does, a server opens its doors when there is a leader and the cluster knows what clients are told about
    /// it; but not later than after some seconds, so that a member without a quorum can be asked what it lacks.
    ///
    /// - Returns: a signal that came meanwhile.
    private func waitUntilPublished(_ server: Server, _ signals: Signals) -> Int32? {
        for _ in 0..<1_000 {
            let status = server.status
            let isKnown = status.members.contains { $0.id == status.memberID && !$0.clientURLs.isEmpty }
            if status.leaderID != 0, isKnown {
                return nil
            }
            if let signal = signals.wait(milliseconds: 5) { return signal }
        }
        return nil
    }

    /// Event loops for clients. One carries more than the rest of the server on two cores can take in, and
    /// the fewer there are, the more requests it hands over at a time.
    private var clientLoops: Int { max(1, min(4, System.coreCount / 2)) }

    private func prepareProcess() {
        Glibc.signal(SIGPIPE, SIG_IGN)
        // Reads that are too large for the event loops share these, so that a few do not wait for each other.
        NIOSingletons.blockingPoolThreadCountSuggestion = max(4, System.coreCount)
        // A memory pool for each thread would keep freed memory from the others.
        mallopt(M_ARENA_MAX, 2)
        // Each client is a descriptor; the soft limit is often 1024.
        var files = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &files) == 0 {
            files.rlim_cur = files.rlim_max
            setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &files)
        }
    }

    private func announce() {
        let clients = settings.listenClientURLs.map(\.text).joined(separator: ", ")
        let peers = settings.server.listenPeerURLs.joined(separator: ", ")
        log(
            .info,
            "serving clients on \(clients, as: "client-urls"), peers on \(peers, as: "peer-urls")")
        guard personality == .synod, let url = settings.listenClientURLs.first else { return }
        print(
            "Synod \(Versions.synod) serves etcd clients on \(clients); data in \(settings.server.dataDirectory)"
        )
        print("Try: etcdctl --endpoints=\(url.text) put greeting hello")
        fflush(nil)
    }
}
