import Runtime
import Testing

@testable import synod

private func settings(_ arguments: String...) throws(UsageError) -> ServeSettings {
    try ServeSettings(
        FlagValues(arguments: arguments, environment: [:], prefix: "SYNOD") { path throws(UsageError) in
            throw UsageError(message: path)
        })
}

private func complaint(_ arguments: String...) -> String? {
    do throws(UsageError) {
        _ = try ServeSettings(
            FlagValues(arguments: arguments, environment: [:], prefix: "SYNOD") { path throws(UsageError) in
                throw UsageError(message: path)
            })
        return nil
    } catch { return error.message }
}

@Suite struct ServeSettingsTests {
    @Test("without flags a server serves alone, on etcd's ports")
    func defaults() throws {
        let it = try settings()
        #expect(it.server.name == "default")
        #expect(it.server.dataDirectory == "default.synod")
        #expect(it.listenClientURLs.map(\.text) == ["http://localhost:2379"])
        #expect(it.server.listenPeerURLs == ["http://localhost:2380"])
        #expect(it.server.initialCluster == [.init(name: "default", peerURLs: ["http://localhost:2380"])])
        #expect(it.server.limits.quotaBytes == 2 << 30)
        #expect(it.server.limits.minimumLeaseSeconds == 2)
        #expect(it.server.limits.requestTimeout == .seconds(7))
        #expect(it.server.autoCompaction == .off)
        #expect(it.server.synchronises)
        #expect(try settings("--name=a").server.dataDirectory == "a.synod")
    }

    @Test("advertise-client-urls is required when listen-client-urls is given")
    func advertise() {
        #expect(
            complaint("--listen-client-urls=http://127.0.0.1:1")
                == "--advertise-client-urls is required when --listen-client-urls is set explicitly")
        #expect(
            complaint("--listen-client-urls=http://127.0.0.1:1", "--advertise-client-urls=http://h:1") == nil)
    }

    @Test("only addresses can be bound")
    func binding() {
        #expect(
            complaint("--listen-peer-urls=http://example.com:1")
                == "--listen-peer-urls: expected IP in URL for binding (http://example.com:1)")
    }

    @Test("the initial cluster must hold this member with the URLs that it advertises")
    func cluster() throws {
        let members = "--initial-cluster=b=http://h:2,a=http://h:1"
        let it = try settings("--name=a", "--initial-advertise-peer-urls=http://h:1", members)
        #expect(it.server.initialCluster.map(\.name) == ["a", "b"])
        #expect(
            complaint("--name=c", "--initial-advertise-peer-urls=http://h:1", members)
                == "couldn't find local name \"c\" in the initial cluster configuration")
        #expect(
            complaint("--name=a", "--initial-advertise-peer-urls=http://h:3", members)?
                .hasPrefix("--initial-cluster has a=http://h:1 but missing from") == true)
        #expect(complaint("--initial-cluster=a=http://h:1,b=http://h:1")?.contains("twice") == true)
        #expect(complaint("--initial-cluster==http://h:1")?.contains("empty name") == true)
        #expect(try settings("--name=b", members).server.advertisePeerURLs == ["http://h:2"])
    }

    @Test("where there is data, what describes a first start need not fit together, but must be readable")
    func restart() throws {
        @discardableResult func restarted(_ arguments: String...) throws -> ServeSettings {
            try ServeSettings(
                FlagValues(arguments: arguments, environment: [:], prefix: "SYNOD") {
                    path throws(UsageError) in throw UsageError(message: path)
                }, hasData: { $0 == "c.synod" })
        }
        #expect(throws: Never.self) {
            try restarted("--name=c", "--initial-cluster=a=http://h:1")
            try restarted(
                "--name=c", "--initial-cluster=c=http://h:1", "--initial-advertise-peer-urls=http://h:3")
        }
        #expect(throws: UsageError.self) { try restarted("--name=c", "--initial-cluster=c=h:1") }
        #expect(throws: UsageError.self) { try restarted("--name=d", "--initial-cluster=a=http://h:1") }
    }

    @Test("an interval of progress that is too short is raised, and zero is the default")
    func progress() throws {
        #expect(
            try settings("--watch-progress-notify-interval=0s").server.limits.watchProgressInterval
                == .seconds(600))
        #expect(
            try settings("--watch-progress-notify-interval=-1s").server.limits.watchProgressInterval
                == .seconds(600))
        let raised = try settings("--experimental-watch-progress-notify-interval=1ms")
        #expect(raised.server.limits.watchProgressInterval == .milliseconds(100))
        #expect(raised.notices.count == 1)
    }

    @Test("the log goes to the outputs that are named, in the form that is asked for")
    func logs() throws {
        #expect(try settings().logOutputs == ["default"])
        #expect(try settings("--log-outputs=stderr, a.log").logOutputs == ["stderr", "a.log"])
        #expect(complaint("--log-outputs=default,stderr") != nil)
        #expect(try settings().logForm == .console)
        #expect(try settings("--log-format=json").logForm == .json)
        let values = try FlagValues(arguments: [], environment: [:], prefix: "ETCD") {
            path throws(UsageError) in throw UsageError(message: path)
        }
        #expect(try ServeSettings(values, personality: .etcd).logForm == .json)
        for (level, least) in [
            ("debug", ServerOptions.LogLevel.debug), ("info", .info), ("warn", .warning), ("error", .error),
            ("panic", .fatal), ("fatal", .fatal),
        ] {
            #expect(try settings("--log-level=\(level)").server.minimumLogLevel == least)
        }
    }

    @Test("clients may come in by socket files, members may not")
    func socketFiles() throws {
        let it = try settings(
            "--listen-client-urls=http://127.0.0.1:1,unix://localhost:2",
            "--advertise-client-urls=http://127.0.0.1:1,unix://localhost:2")
        #expect(it.listenClientURLs.map(\.text) == ["http://127.0.0.1:1", "unix://localhost:2"])
        #expect(complaint("--listen-peer-urls=unix://a")?.contains("http://") == true)
    }

    @Test("the election timeout is at least five heartbeats and at most fifty seconds")
    func times() throws {
        #expect(
            complaint("--heartbeat-interval=300", "--election-timeout=1000")
                == "--election-timeout[1000ms] should be at least as 5 times as --heartbeat-interval[300ms]")
        #expect(complaint("--election-timeout=60000")?.contains("too long") == true)
        #expect(complaint("--heartbeat-interval=0") == "--heartbeat-interval must be >0 (set to 0ms)")
        #expect(try settings("--election-timeout=3000").server.limits.minimumLeaseSeconds == 5)
    }

    @Test("retention is hours, a duration, or revisions")
    func compaction() throws {
        #expect(
            try settings("--auto-compaction-retention=2").server.autoCompaction == .periodic(.seconds(7200)))
        #expect(
            try settings("--auto-compaction-retention=5m").server.autoCompaction == .periodic(.seconds(300)))
        #expect(
            try settings("--auto-compaction-mode=revision", "--auto-compaction-retention=1000").server
                .autoCompaction
                == .revision(1000))
        #expect(complaint("--auto-compaction-retention=soon") != nil)
        #expect(complaint("--auto-compaction-mode=revision", "--auto-compaction-retention=5m") != nil)
    }

    @Test("lease reads are off until a bound on the clocks is named")
    func leaseReads() throws {
        #expect(try settings("--name=a").server.leaseReadsClockDriftPPM == nil)
        #expect(try settings("--lease-reads-clock-drift=1000").server.leaseReadsClockDriftPPM == 1000)
        #expect(complaint("--lease-reads-clock-drift=1000000")?.contains("below 1000000") == true)
    }

    @Test("a quota below zero is none")
    func quota() throws {
        #expect(try settings("--quota-backend-bytes=-1").server.limits.quotaBytes == 0)
        #expect(try settings("--quota-backend-bytes=1000").server.limits.quotaBytes == 1000)
    }
}
