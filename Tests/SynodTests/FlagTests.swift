import Foundation
import Testing

@testable import synod

private func values(
    _ arguments: [String] = [], environment: [String: String] = [:], file: String? = nil,
    prefix: String = "SYNOD"
) throws(UsageError) -> FlagValues {
    try FlagValues(arguments: arguments, environment: environment, prefix: prefix) {
        path throws(UsageError) in
        guard let file else { throw UsageError(message: "cannot read \(path)") }
        return file
    }
}

private func complaint(_ body: () throws -> Void) -> UsageError? {
    do { try body() } catch { return error as? UsageError }
    return nil
}

@Suite struct GoSyntaxTests {
    @Test("one dash or two, a value after a blank or an equals sign, and the last one wins")
    func forms() throws {
        #expect(try values(["-name", "a"])["name"] == "a")
        #expect(try values(["--name=a"])["name"] == "a")
        #expect(try values(["--name", "a", "-name=b"])["name"] == "b")
        #expect(try values(["--name="])["name"] == "")
        #expect(try values(["--initial-cluster=a=http://h:1"])["initial-cluster"] == "a=http://h:1")
    }

    @Test("a truth value may stand alone and never takes the next word")
    func booleans() throws {
        #expect(try values(["--unsafe-no-fsync", "--name", "x"])["unsafe-no-fsync"] == "true")
        #expect(try values(["--unsafe-no-fsync=false"])["unsafe-no-fsync"] == "false")
        #expect(
            complaint { _ = try values(["--unsafe-no-fsync", "false"]) }?.message
                == "'false' is not a valid flag")
        #expect(complaint { _ = try values(["--unsafe-no-fsync=maybe"]) }?.exitCode == 2)
    }

    @Test("an unknown flag is refused by its name, and so is a flag without its value")
    func unknown() {
        #expect(
            complaint { _ = try values(["--nmae=x"]) }
                == UsageError(
                    message: "flag provided but not defined: -nmae; did you mean --name?", exitCode: 2))
        #expect(
            complaint { _ = try values(["--name"]) }
                == UsageError(message: "flag needs an argument: -name", exitCode: 2))
        #expect(complaint { _ = try values(["---name=x"]) }?.message == "bad flag syntax: ---name=x")
    }

    @Test(
        "durations have Go's form",
        arguments: [
            ("300ms", 300_000_000), ("1h30m", 5_400_000_000_000), ("1.5s", 1_500_000_000), ("0", 0),
            ("-2s", -2_000_000_000),
        ])
    func durations(text: String, nanoseconds: Int64) {
        #expect(GoSyntax.durationNanoseconds(text) == nanoseconds)
    }

    @Test(
        "what is no duration is none", arguments: ["", "5", "s", "1x", "1h 2m", ".", "1..2s", "999999999h9"])
    func noDurations(text: String) { #expect(GoSyntax.durationNanoseconds(text) == nil) }

    @Test("a socket file is named whole, also where its name looks like an address")
    func socketFiles() throws {
        for (text, path) in [
            ("unix://localhost:2379", "localhost:2379"), ("unix:///run/synod.sock", "/run/synod.sock"),
            ("unix://a/b", "a/b"),
        ] {
            let url = try ServerURL(text)
            #expect(url.socketPath == path)
            #expect(url.text == text)
            #expect(url.canBeBound)
        }
        #expect(complaint { _ = try ServerURL("unix://") } != nil)
        #expect(complaint { _ = try ServerURL("unix:///\(String(repeating: "x", count: 107))") } != nil)
        #expect(complaint { _ = try ServerURL("unixs://a") }?.message.contains("TLS") == true)
    }

    @Test("a URL has a scheme, a host and a port, and nothing else")
    func urls() throws {
        #expect(try ServerURL("http://127.0.0.1:2379").text == "http://127.0.0.1:2379")
        #expect(try ServerURL("http://[::1]:2379/").text == "http://[::1]:2379")
        #expect(try ServerURL("http://[::1]:2379").host == "::1")
        for bad in [
            "127.0.0.1:2379", "http://127.0.0.1", "http://h:99999", "http://h:1/path", "ftp://h:1",
            "http://::1:2",
            "https://h:1", "http://[::1]",
        ] {
            #expect(complaint { _ = try ServerURL(bad) } != nil, "\(bad)")
        }
    }
}

@Suite struct FlagSourceTests {
    @Test("the environment sets what the command line does not")
    func environment() throws {
        let both = try values(
            ["--name=a"], environment: ["SYNOD_DATA_DIR": "/d", "HOME": "/h", "ETCD_NAME": "x"])
        #expect(both["name"] == "a")
        #expect(both["data-dir"] == "/d")
        #expect(try values(environment: ["ETCD_NAME": "x"], prefix: "ETCD")["name"] == "x")
    }

    @Test("a flag on the line and in the environment at once is an error, as in etcd")
    func conflict() {
        let error = complaint { _ = try values(["--name=a"], environment: ["SYNOD_NAME": "b"]) }
        #expect(
            error?.message.hasPrefix("conflicting environment variable \"SYNOD_NAME\" is shadowed") == true)
    }

    @Test("an unknown variable is noted, an empty one is unset, a wrong one is refused")
    func variables() throws {
        #expect(
            try values(environment: ["SYNOD_NMAE": "b"]).notices == [
                "unrecognized environment variable SYNOD_NMAE=b"
            ])
        #expect(try !values(environment: ["SYNOD_NAME": ""]).isGiven("name"))
        #expect(complaint { _ = try values(environment: ["SYNOD_SNAPSHOT_COUNT": "x"]) } != nil)
    }

    @Test("a configuration file overrides the line and the environment")
    func file() throws {
        let yaml = """
            name: b
            snapshot-count: 500
            unsafe-no-fsync: true
            listen-metrics-urls: [http://127.0.0.1:1, http://127.0.0.1:2]
            initial-cluster: b=http://127.0.0.1:2380
            wal-dir:
            client-transport-security:
              cert-file: ''
              client-cert-auth: false
            """
        let all = try values(
            ["--config-file=c", "--name=a"], environment: ["SYNOD_DATA_DIR": "/d"], file: yaml)
        #expect(all["name"] == "b")
        #expect(all["snapshot-count"] == "500")
        #expect(all["unsafe-no-fsync"] == "true")
        #expect(all["listen-metrics-urls"] == "http://127.0.0.1:1,http://127.0.0.1:2")
        #expect(!all.isGiven("data-dir"))
        #expect(!all.isGiven("wal-dir"))
        #expect(all.notices == ["the configuration file overrides these flags: data-dir, name"])
    }

    @Test("JSON is read as well, and unknown keys are refused by name")
    func json() throws {
        #expect(
            try values(["--config-file=c"], file: #"{"name": "j", "max-txn-ops": 10}"#)["max-txn-ops"] == "10"
        )
        #expect(
            complaint { _ = try values(["--config-file=c"], file: "nmae: x") }?.message
                == "c: unknown key nmae; did you mean name?")
        #expect(complaint { _ = try values(["--config-file=c"], file: "- a") } != nil)
        #expect(complaint { _ = try values(["--config-file=c"], file: "name: [") } != nil)
        #expect(complaint { _ = try values(["--config-file=c"]) }?.message == "cannot read c")
        #expect(
            complaint {
                _ = try values(["--config-file=c"], file: "peer-transport-security: {auto-tls: true}")
            }?
            .message == "--peer-auto-tls=true: TLS is not supported yet")
        #expect(
            complaint {
                _ = try values(["--config-file=c"], file: "client-transport-security: {allowed-cn: x}")
            }?
            .message == "c: client-transport-security: allowed-cn: TLS is not supported yet")
        #expect(
            complaint {
                _ = try values(["--config-file=c"], file: "client-transport-security: {certfile: x}")
            }?
            .message == "c: unknown key certfile in client-transport-security; did you mean cert-file?")
    }

    @Test("durations in a file are nanoseconds, as etcd has them, or have Go's form")
    func durationsInFiles() throws {
        for text in ["600000000000", "10m", "'10m'"] {
            let all = try values(["--config-file=c"], file: "watch-progress-notify-interval: \(text)")
            #expect(GoSyntax.durationNanoseconds(all["watch-progress-notify-interval"]) == 600_000_000_000)
        }
        #expect(complaint { _ = try values(["--watch-progress-notify-interval=600"]) } != nil)
    }

    @Test("the settings of sockets and of discovery lie in groups")
    func groups() throws {
        let all = try values(
            ["--config-file=c"],
            file:
                "socket-options: {reuse-address: true}\ndiscovery-config: {client: {endpoints: []}, token: ''}"
        )
        #expect(all["socket-reuse-address"] == "true")
        #expect(
            complaint {
                _ = try values(["--config-file=c"], file: "discovery-config: {client: {endpoints: [h]}}")
            }?
            .message.contains("discovery is not supported yet") == true)
    }

    @Test(
        "every key of etcd's sample configurations is known, and none of their values keeps a server from starting"
    )
    func samples() throws {
        let member = """
            name: 'default'
            data-dir:
            wal-dir:
            snapshot-count: 10000
            heartbeat-interval: 100
            election-timeout: 1000
            quota-backend-bytes: 0
            listen-peer-urls: http://localhost:2380
            listen-client-urls: http://localhost:2379
            max-snapshots: 5
            max-wals: 5
            cors:
            initial-advertise-peer-urls: http://localhost:2380
            advertise-client-urls: http://localhost:2379
            discovery:
            discovery-fallback: 'proxy'
            discovery-proxy:
            discovery-srv:
            initial-cluster:
            initial-cluster-token: 'etcd-cluster'
            initial-cluster-state: 'new'
            strict-reconfig-check: false
            enable-pprof: true
            proxy: 'off'
            proxy-failure-wait: 5000
            proxy-refresh-interval: 30000
            proxy-dial-timeout: 1000
            proxy-write-timeout: 5000
            proxy-read-timeout: 0
            logger: zap
            log-outputs: [stderr]
            force-new-cluster: false
            auto-compaction-mode: periodic
            auto-compaction-retention: "1"
            client-transport-security:
              cert-file:
              key-file:
              client-cert-auth: false
              trusted-ca-file:
              auto-tls: false

            """
        let peers = """
            peer-transport-security:
              cert-file:
              key-file:
              client-cert-auth: false
              trusted-ca-file:
              auto-tls: false

            """
        let names = "  allowed-cn:\n  allowed-hostname:\n"
        let later = "self-signed-cert-validity: 1\nlog-level: debug\n"
        let suites = "cipher-suites: [\n  A,\n  B\n]\ntls-min-version: 'TLS1.2'\ntls-max-version: 'TLS1.3'\n"
        for sample in [
            "enable-v2: true\ndebug: false\n" + member + peers,
            "enable-v2: true\n" + member + peers + names + later,
            member + peers + names + later + suites,
        ] {
            let settings = try ServeSettings(values(["--config-file=c"], file: sample))
            #expect(settings.server.initialCluster.map(\.name) == ["default"])
            #expect(settings.server.autoCompaction == .periodic(.seconds(3600)))
            #expect(settings.notices.contains { $0.hasPrefix("--enable-pprof=true has no effect") })
        }
    }

    @Test("every flag of etcd 3.4 to 3.7 is known")
    func allFlags() {
        // What the versions define, put together: from `fs.…Var` in their sources.
        let known = Set(serverFlags.flatMap(\.names))
        for flag in etcdFlags.split(whereSeparator: \.isWhitespace) {
            #expect(known.contains(String(flag)), "\(flag)")
        }
    }

    @Test("a feature gate is a known name with a truth value")
    func gates() throws {
        #expect(
            try values(["--feature-gates=CompactHashCheck=true, LeaseCheckpoint=false"]).notices.count == 1)
        #expect(
            complaint { _ = try values(["--feature-gates=CompactHashChek=true"]) }?.message.contains(
                "unrecognized feature gate: CompactHashChek; did you mean CompactHashCheck?") == true)
        #expect(complaint { _ = try values(["--feature-gates=AllAlpha"]) } != nil)
        #expect(complaint { _ = try values(["--feature-gates=AllAlpha=perhaps"]) } != nil)
    }

    @Test("what is unsafe to ignore is refused, what is harmless is noted")
    func standing() throws {
        #expect(
            complaint { _ = try values(["--cert-file=x"]) }?.message
                == "--cert-file=x: TLS is not supported yet")
        #expect(complaint { _ = try values(["--client-cert-auth"]) } != nil)
        #expect(try values(["--client-cert-auth=f", "--cert-file="]).notices.isEmpty)
        #expect(try values(["--pre-vote=false"]).notices.count == 1)
        #expect(try values(["--logger=zap"]).notices.isEmpty)
        #expect(try values(["--experimental-corrupt-check-time=1h"]).isGiven("corrupt-check-time"))
    }

    @Test("every flag has a name of its own and a default of its own form")
    func table() {
        let names = serverFlags.flatMap(\.names)
        #expect(Set(names).count == names.count)
        for flag in serverFlags where flag.kind != .urls || !flag.standard.isEmpty {
            #expect(flag.complaint(about: flag.standard) == nil, "\(flag.name)")
        }
    }

    @Test("the page of flags in the documentation is the table's")
    func page() throws {
        let root = #filePath.components(separatedBy: "/Tests/")[0]
        let page = try String(contentsOfFile: root + "/docs/operations/flags.md", encoding: .utf8)
        #expect(page == FlagHelp.markdown, "run make docs")
    }
}
