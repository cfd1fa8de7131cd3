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
                == UsageError(message: "flag provided but not defined: -nmae", exitCode: 2))
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
                == "c: unknown key nmae")
        #expect(complaint { _ = try values(["--config-file=c"], file: "- a") } != nil)
        #expect(complaint { _ = try values(["--config-file=c"], file: "name: [") } != nil)
        #expect(complaint { _ = try values(["--config-file=c"]) }?.message == "cannot read c")
        #expect(
            complaint {
                _ = try values(["--config-file=c"], file: "peer-transport-security: {auto-tls: true}")
            }?
            .message.contains("TLS") == true)
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
        let names = serverFlags.flatMap { [$0.name] + ($0.alias.map { [$0] } ?? []) }
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
