import Automata
import Coordination
import Foundation
import Testing
import WriteAheadLog

@testable import Runtime

/// How a cluster begins, and what becomes of members that lose what they had.
@Suite("Formation", .serialized)
struct FormationTests {
    private func remove(_ cluster: TestCluster, _ name: String, _ part: String = "") throws {
        try FileManager.default.removeItem(atPath: "\(cluster.directory)/\(name)\(part)")
    }

    private func identity(_ cluster: TestCluster, _ name: String) throws -> DataDirectory.Identity? {
        try DataDirectory.open("\(cluster.directory)/\(name)").identity
    }

    private func isThere(_ key: String, at server: Server) -> Bool {
        let found = try? server.read {
            try KeyValueReader($0).range(RangeQuery(range: KeyRange(key: Array(key.utf8)))).count
        }
        return found == 1
    }

    private func putEventually(_ key: String, at server: Server) -> Bool {
        eventually(within: 20) {
            let client = TestClient(server)
            guard let answer = client.wait(client.submit(put(key, "v")), within: 5),
                case .success(.outcome(KeyValueOutcome.put, _)) = answer
            else { return false }
            return true
        }
    }

    @Test("a cluster forms once all its first members are there, and says until then for whom it waits")
    func waitsForAll() throws {
        let cluster = TestCluster(size: 3)
        try cluster.start("n1")
        try cluster.start("n2")
        #expect(eventually { cluster.hasLogged("waiting for") })
        #expect(cluster.leader(within: 2) == nil)
        cluster.stop("n1")
        cluster.stop("n2")
        #expect(try identity(cluster, "n1")?.formation == nil)
        try cluster.start("n3")
        try cluster.start("n1")
        try cluster.start("n2")
        _ = try #require(cluster.leader())
        #expect(putEventually("k", at: cluster.servers["n3"]!))
        cluster.stopAll()
        let identities = try cluster.names.map { try #require(try identity(cluster, $0)) }
        let formation = try #require(identities[0].formation)
        #expect(identities.allSatisfy { $0.formation == formation })
        #expect(Set(formation.founders.map(\.disk)) == Set(identities.map(\.disk)))
        try cluster.startAll()
        _ = try #require(cluster.leader())
        #expect(eventually { isThere("k", at: cluster.servers["n1"]!) })
    }

    @Test("a member that lost its disk has no vote beside one that was away, so nothing acknowledged is lost")
    func wipedMember() throws {
        let cluster = TestCluster(size: 3)
        try cluster.startAll()
        let leader = try #require(cluster.leader())
        let others = cluster.names.filter { $0 != leader }
        let (wiped, away) = (others[0], others[1])
        cluster.stop(away)
        #expect(putEventually("k", at: cluster.servers[leader]!))
        cluster.stop(leader)
        cluster.stop(wiped)
        try remove(cluster, wiped)
        try cluster.start(away)
        try cluster.start(wiped)
        #expect(eventually { cluster.hasLogged("\(wiped) error this member has no vote") })
        #expect(cluster.leader(within: 2) == nil)
        try cluster.start(leader)
        #expect(putEventually("l", at: cluster.servers[leader]!))
        for name in cluster.names {
            let server = cluster.servers[name]!
            #expect(eventually { isThere("k", at: server) && isThere("l", at: server) }, "\(name)")
        }
        #expect(eventually { cluster.hasLogged("has no vote any more") })
        let client = TestClient(cluster.servers[wiped]!)
        let read = client.wait(client.submit(.linearizableRead), within: 20)
        if case .success? = read { Issue.record("a member without a vote answers a linearizable read") }
    }

    @Test("members of clusters that were formed apart do not speak to each other, and say why")
    func apart() throws {
        let cluster = TestCluster(size: 3)
        try cluster.startAll()
        #expect(putEventually("first", at: cluster.servers["n1"]!))
        #expect(eventually { isThere("first", at: cluster.servers["n3"]!) })
        cluster.stopAll()
        try FileManager.default.moveItem(
            atPath: "\(cluster.directory)/n3", toPath: "\(cluster.directory)/aside")
        try remove(cluster, "n1")
        try remove(cluster, "n2")
        try cluster.startAll()
        #expect(putEventually("second", at: cluster.servers["n1"]!))
        cluster.stop("n3")
        try remove(cluster, "n3")
        try FileManager.default.moveItem(
            atPath: "\(cluster.directory)/aside", toPath: "\(cluster.directory)/n3")
        try cluster.start("n3")
        #expect(
            eventually { cluster.hasLogged("n3 warning no connection") && cluster.hasLogged("formed apart") })
        #expect(putEventually("third", at: cluster.servers["n1"]!))
        let old = cluster.servers["n3"]!
        #expect(eventually { isThere("first", at: old) })
        #expect(!isThere("second", at: old) && !isThere("third", at: old))
        #expect(!isThere("first", at: cluster.servers["n1"]!))
    }

    @Test(
        "directories of a version that knew no formations go on, and who comes back empty among them has no vote"
    )
    func firstFormat() throws {
        let cluster = TestCluster(size: 3)
        for name in cluster.names {
            let own = try Identity(cluster.options(name), owner: nil)
            let directory = try DataDirectory.open("\(cluster.directory)/\(name)")
            try directory.claim(.init(clusterID: own.clusterID, memberID: own.memberID.rawValue))
            var options = WriteAheadLog.Options()
            options.identity.appendLittleEndian(own.clusterID)
            options.identity.appendLittleEndian(own.memberID.rawValue)
            try WriteAheadLog.open(directory.path(of: "log"), options: options) { _ in }.close()
            directory.close()
        }
        try cluster.startAll()
        _ = try #require(cluster.leader())
        #expect(putEventually("k", at: cluster.servers["n2"]!))
        cluster.stopAll()
        #expect(try identity(cluster, "n1")?.isOfFirstFormat == true)
        try cluster.startAll()
        let leader = try #require(cluster.leader())
        let wiped = cluster.names.first { $0 != leader }!
        cluster.stop(wiped)
        try remove(cluster, wiped)
        try cluster.start(wiped)
        #expect(eventually(within: 20) { isThere("k", at: cluster.servers[wiped]!) })
        cluster.stop(cluster.names.first { $0 != leader && $0 != wiped }!)
        // The two that are left are one vote.
        let client = TestClient(cluster.servers[leader]!)
        if case .success? = client.wait(client.submit(put("m", "v")), within: 3) {
            Issue.record("the two have chosen something")
        }
        #expect(!isThere("m", at: cluster.servers[wiped]!))
    }

    @Test("what is missing beside an identity stops the start, and the message names it")
    func missingParts() throws {
        let cluster = TestCluster(size: 1)
        func refusal(_ change: (inout ServerOptions) -> Void = { _ in }) -> String {
            do {
                try cluster.start("n1", change)
                cluster.stop("n1")
                return ""
            } catch { return "\(error)" }
        }
        let server = try cluster.start("n1")
        #expect(putEventually("k", at: server))
        cluster.stop("n1")
        let root = "\(cluster.directory)/n1"
        func aside(_ name: String, _ body: () -> Void) throws {
            try FileManager.default.moveItem(atPath: "\(root)/\(name)", toPath: "\(cluster.directory)/aside")
            body()
            try? FileManager.default.removeItem(atPath: "\(root)/\(name)")
            try FileManager.default.moveItem(atPath: "\(cluster.directory)/aside", toPath: "\(root)/\(name)")
        }
        try aside("log") { #expect(refusal().contains("no segment of it in \(root)/log")) }
        #expect(refusal { $0.logDirectory = "\(cluster.directory)/elsewhere" }.contains("elsewhere"))
        try aside("identity") { #expect(refusal().contains("no identity in \(root)")) }
        try aside("current-store") { #expect(refusal().contains("current-store is missing")) }
        // The log holds everything from the first slot on, so the store is made anew.
        try aside("store-1") {
            #expect(refusal() == "")
            let again = try? cluster.start("n1")
            #expect(again.map { server in eventually { isThere("k", at: server) } } == true)
            cluster.stop("n1")
        }
        #expect(refusal() == "")
    }

    @Test("a store that is lost beside a log that no longer holds everything stops the start")
    func lostStore() throws {
        let cluster = TestCluster(size: 1) {
            $0.checkpointEntries = 10
            $0.catchUpEntries = 5
        }
        let server = try cluster.start("n1")
        let client = TestClient(server)
        for number in 0..<300 { try client.call(put("k\(number)", "v")) }
        #expect(eventually { server.status.appliedSlot > 300 })
        cluster.stop("n1")
        try cluster.start("n1")
        cluster.stop("n1")
        for name in try FileManager.default.contentsOfDirectory(atPath: "\(cluster.directory)/n1")
        where name.hasPrefix("store-") { try remove(cluster, "n1", "/\(name)") }
        #expect { try cluster.start("n1") } throws: { "\($0)".contains("do not belong together") }
    }
}
