import Automata
import Coordination
import Foundation
import Testing

@testable import Runtime

@Suite("Single server")
struct ServerTests {
    @Test("a server alone leads, and answers puts, reads and watches")
    func serves() throws {
        let cluster = TestCluster()
        let server = try cluster.start("n1")
        let client = TestClient(server)
        client.port.watch(WatchSpecification(range: prefix("a")), watcher: WatcherID(1))
        #expect(try client.call(put("a", "1")) == .put(previous: nil, revision: 2))
        #expect(try client.call(put("b", "2")) == .put(previous: nil, revision: 3))
        #expect(try client.get("a") == "1")
        #expect(eventually { client.deliveries.events(of: 1).map(\.name) == ["a"] })
        let status = server.status
        #expect(status.leaderID == status.memberID)
        #expect(status.revision == 3)
        #expect(eventually { server.status.members.first?.name == "n1" })
        #expect(server.status.members.first?.clientURLs == ["http://127.0.0.1:1"])
    }

    @Test("what was acknowledged is there after a restart, and revisions go on")
    func restart() throws {
        let cluster = TestCluster()
        var client = TestClient(try cluster.start("n1"))
        for number in 0..<200 { try client.call(put("k\(number % 20)", "\(number)")) }
        _ = try client.call(.grantLease(LeaseID(77), seconds: 600))
        let hash = cluster.servers["n1"]!.contentHash
        for _ in 0..<3 {
            cluster.stop("n1")
            client = TestClient(try cluster.start("n1"))
            #expect(try client.get("k19") == "199")
            #expect(cluster.servers["n1"]!.contentHash == hash)
            guard case .leaseTimeToLive(_, 600) = try client.call(.leaseTimeToLive(LeaseID(77))) else {
                Issue.record("the lease is lost")
                return
            }
        }
        #expect(try client.call(put("x")) == .put(previous: nil, revision: 202))
    }

    @Test("requests that are submitted together are all answered, each once")
    func batches() throws {
        let cluster = TestCluster()
        let client = TestClient(try cluster.start("n1"))
        for token in 1...2000 as ClosedRange<UInt64> {
            client.port.submit(.command(put("k\(token)").command), token: token)
            if token % 10 == 0 { client.port.submit(.linearizableRead, token: 10_000 + token) }
        }
        client.port.flush()
        #expect(eventually { client.deliveries.all.count >= 2200 })
        var tokens: [UInt64] = []
        for case .answer(let token, .success) in client.deliveries.all { tokens.append(token) }
        #expect(Set(tokens).count == 2200 && tokens.count == 2200)
        #expect(cluster.servers["n1"]!.status.revision == 2001)
    }

    @Test("what was put one at a time and what was put in bursts stands in the log in one order")
    func writersOfTheLogTakeTurns() throws {
        let cluster = TestCluster()
        let client = TestClient(try cluster.start("n1"))
        for round in 0..<60 {
            for number in 0...round % 3 { try client.call(put("one", "\(round).\(number)")) }
            let burst = (0..<(1 + round % 7)).map { client.submit(put("k\($0)", "\(round)")) }
            for token in burst { _ = try client.wait(token)?.get() }
        }
        let hash = cluster.servers["n1"]!.contentHash
        cluster.stop("n1")
        // Without its store the process has nothing but the log.
        let folder = "\(cluster.directory)/n1"
        for name in try FileManager.default.contentsOfDirectory(atPath: folder) where name.hasPrefix("store")
        {
            try FileManager.default.removeItem(atPath: "\(folder)/\(name)")
        }
        let again = TestClient(try cluster.start("n1"))
        #expect(try again.get("one") == "59.2")
        #expect(cluster.servers["n1"]!.contentHash == hash)
    }

    @Test("a lease that is renewed stays, and one that is not ends with its keys")
    func leases() throws {
        let cluster = TestCluster()
        let client = TestClient(try cluster.start("n1"))
        _ = try client.call(.grantLease(LeaseID(1), seconds: 1))
        _ = try client.call(.grantLease(LeaseID(2), seconds: 2))
        try client.call(put("short", lease: 1))
        try client.call(put("long", lease: 2))
        #expect(
            try eventually {
                guard case .leaseRenewed(2) = try client.call(.renewLease(LeaseID(2))) else { return false }
                return try client.get("short") == nil
            })
        #expect(try client.get("long") == "v")
        guard case .leaseRenewed(0) = try client.call(.renewLease(LeaseID(1))) else {
            Issue.record("a lease that has ended was renewed")
            return
        }
        guard case .leaseTimeToLive(-1, _) = try client.call(.leaseTimeToLive(LeaseID(1))) else {
            Issue.record("a lease that has ended has time left")
            return
        }
        #expect(try eventually { try client.get("long") == nil })
    }

    @Test("compaction is reported as finished once the old versions are gone")
    func compaction() throws {
        let cluster = TestCluster()
        let server = try cluster.start("n1")
        let client = TestClient(server)
        for number in 0..<300 { try client.call(put("k", "\(number)")) }
        #expect(try client.call(.compact(revision: 300)) == .compacted(revision: 301))
        guard case .done = try client.call(.compactionFinished(300)) else {
            Issue.record("not done")
            return
        }
        #expect(server.status.compactRevision == 300)
        #expect(try client.get("k") == "299")
        #expect(try client.call(.compact(revision: 300)) == .refused(.compacted, revision: 301))
    }

    @Test("a directory in use, or of another member, is refused")
    func directories() throws {
        let cluster = TestCluster()
        let server = try cluster.start("n1")
        var second = server.options
        second.listenPeerURLs = ["http://127.0.0.1:\(TestPorts.take())"]
        #expect { try Server.start(second) } throws: { ($0 as? ServerError)?.code == .directoryInUse }
        cluster.stop("n1")
        try cluster.start("n1")
    }

    @Test("a directory of one member under the options of another is refused, and both are named")
    func mixedUpDirectories() throws {
        let cluster = TestCluster(size: 3)
        try cluster.startAll()
        _ = try #require(cluster.leader())
        cluster.stopAll()
        var mixed = cluster.options("n2")
        mixed.dataDirectory = cluster.options("n1").dataDirectory
        #expect {
            try Server.start(mixed)
        } throws: {
            let error = $0 as? ServerError
            return error?.code == .foreignDirectory
                && error?.message.contains("belongs to member \"n1\" and the options are those of n2") == true
        }
    }

    @Test(
        "once a directory has data, other initial flags are passed over with a notice, and what is there is served",
        arguments: ["token", "name", "cluster", "own URL", "state", "everything"])
    func changedInitialFlags(_ change: String) throws {
        let cluster = TestCluster(size: 3)
        try cluster.startAll()
        _ = try #require(cluster.leader())
        try TestClient(cluster.servers["n1"]!).call(put("kept", "1"))
        let ids = cluster.servers.mapValues { $0.status.memberID }
        cluster.stopAll()
        for name in cluster.names {
            try cluster.start(name) { options in
                let isEverything = change == "everything"
                if change == "token" || isEverything { options.clusterToken = "another" }
                if change == "name" || isEverything { options.name = "renamed-\(name)" }
                if change == "cluster" || isEverything {
                    options.initialCluster = [.init(name: "stranger", peerURLs: ["http://127.0.0.1:1"])]
                }
                if change == "own URL" || isEverything {
                    options.advertisePeerURLs = ["http://localhost:\(TestPorts.take())"]
                }
                if change == "state" || isEverything { options.clusterState = .existing }
            }
        }
        _ = try #require(cluster.leader())
        #expect(cluster.servers.mapValues { $0.status.memberID } == ids)
        #expect(try TestClient(cluster.servers["n2"]!).get("kept") == "1")
        // A new name is published, as etcd does it; a state alone is nothing to speak of.
        if change == "name" || change == "everything" {
            #expect(
                eventually {
                    cluster.servers["n1"]!.status.members.allSatisfy { $0.name.hasPrefix("renamed-") }
                })
        }
        #expect(cluster.hasLogged("is passed over") == (change != "state"))
    }

    @Test("a server that stops answers what waits and refuses what comes later")
    func stopping() throws {
        let cluster = TestCluster()
        let client = TestClient(try cluster.start("n1"))
        try client.call(put("a"))
        let tokens = (0..<100).map { client.submit(put("k\($0)")) }
        client.server.stop()
        for token in tokens {
            switch client.wait(token) {
            case .success, .failure(.stopped): break
            case let other: Issue.record("answered \(String(describing: other))")
            }
        }
        #expect(client.wait(client.submit(put("late"))).map { (try? $0.get()) == nil } == true)
        client.server.stop()
    }
}
