import Automata
import Coordination
import Foundation
import Testing
import WriteAheadLog

@testable import Runtime

/// Clusters that begin with a backup.
@Suite("Restoration", .serialized)
struct RestorationTests {
    /// A backup of a member of its own, stopped in order, with the keys `k0`… and a lease.
    private func backup(keys: Int = 20) throws -> [UInt8] {
        let cluster = TestCluster()
        try cluster.startAll()
        _ = try #require(cluster.leader())
        let client = TestClient(cluster.servers["n1"]!)
        try client.call(LedgerCommand.grantLease(LeaseID(7), seconds: 100))
        for number in 0..<keys { try client.call(put("k\(number)", "v\(number)")) }
        cluster.stopAll()
        var bytes: [UInt8] = []
        try DirectoryBackup.write(of: cluster.options("n1").dataDirectory) { bytes += $0 }
        return bytes
    }

    private func restore(_ bytes: [UInt8], _ options: ServerOptions) throws -> Restoration {
        var rest = bytes[...]
        return try Restoration.restore(options) {
            defer { rest = rest.dropFirst(1000) }
            return Array(rest.prefix(1000))
        }
    }

    private func names(in path: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted()
    }

    private func count(at server: Server) throws -> Int64 {
        try server.read { try KeyValueReader($0).range(RangeQuery(range: KeyRange(key: [0], end: []))).count }
    }

    @Test(
        "three members that are restored form a cluster with the keys and leases of the backup, and go on from there"
    )
    func three() throws {
        let bytes = try backup()
        let cluster = TestCluster(size: 3)
        for name in cluster.names { _ = try restore(bytes, cluster.options(name)) }
        try cluster.startAll()
        _ = try #require(cluster.leader())
        for server in cluster.servers.values { #expect(try count(at: server) == 20) }
        let revision = try cluster.servers["n1"]!.read { try LedgerReader($0).revision() }
        let client = TestClient(cluster.servers["n2"]!)
        try client.call(put("more", "v"))
        #expect(
            eventually {
                (try? cluster.servers["n1"]!.read { try LedgerReader($0).revision() }) == revision + 1
            })
        #expect(try cluster.servers["n3"]!.read { try LedgerReader($0).leases().map(\.id) } == [LeaseID(7)])
        cluster.stopAll()
        try cluster.startAll()
        _ = try #require(cluster.leader())
        #expect(eventually { (try? count(at: cluster.servers["n3"]!)) == 21 })
    }

    @Test(
        "a member of a restored cluster that loses its disk follows by a checkpoint, as the log does not hold everything"
    )
    func lostDisk() throws {
        let bytes = try backup()
        let cluster = TestCluster(size: 3) { if $0.name == "n3" { $0.clusterState = .existing } }
        // What it is told at its first start is that of the others; only when it is wiped does it have to ask.
        for name in cluster.names {
            var options = cluster.options(name)
            options.clusterState = .new
            _ = try restore(bytes, options)
        }
        try cluster.startAll()
        _ = try #require(cluster.leader())
        cluster.stop("n3")
        try FileManager.default.removeItem(atPath: cluster.options("n3").dataDirectory)
        let client = TestClient(cluster.servers["n1"]!)
        #expect(eventually(within: 20) { (try? client.call(put("more", "v"))) != nil })
        try cluster.start("n3")
        #expect(eventually(within: 20) { (try? count(at: cluster.servers["n3"]!)) == 21 })
    }

    @Test("a member without the backup, and one with another, are of another cluster")
    func otherOrigin() throws {
        let (one, two) = (try backup(keys: 3), try backup(keys: 4))
        let cluster = TestCluster(size: 3)
        let restored = try restore(one, cluster.options("n1"))
        let other = try restore(two, cluster.options("n2"))
        #expect(restored.clusterID != other.clusterID)
        try cluster.startAll()
        #expect(eventually { cluster.hasLogged("belongs to cluster") })
        #expect(cluster.leader(within: 2) == nil)
    }

    @Test("whatever of a backup is missing or wrong, nothing of a restoration stays")
    func leavesNothing() throws {
        let bytes = try backup(keys: 5)
        let cluster = TestCluster()
        let options = cluster.options("n1")
        for count in stride(from: 0, to: bytes.count, by: 97) {
            #expect(throws: CheckpointError.self) { try restore(Array(bytes.prefix(count)), options) }
            #expect(names(in: options.dataDirectory) == [])
            #expect(!FileManager.default.fileExists(atPath: options.dataDirectory))
        }
        try FileManager.default.createDirectory(
            atPath: options.dataDirectory, withIntermediateDirectories: true)
        #expect(throws: CheckpointError.self) { try restore(bytes.dropLast(), options) }
        #expect(FileManager.default.fileExists(atPath: options.dataDirectory))
        #expect(names(in: options.dataDirectory) == [])
        _ = try restore(bytes, options)
        let found = names(in: options.dataDirectory)
        #expect(throws: ServerError.self) { try restore(bytes, options) }
        #expect(names(in: options.dataDirectory) == found)
    }

    @Test("a directory whose restoration was cut short belongs to nobody, and no member starts with it")
    func cutShort() throws {
        let bytes = try backup(keys: 5)
        let cluster = TestCluster()
        let options = cluster.options("n1")
        _ = try restore(bytes, options)
        try FileManager.default.removeItem(atPath: "\(options.dataDirectory)/identity")
        #expect(throws: ServerError.self) { try cluster.start("n1") }
    }

    @Test("a backup of a directory is refused where a member runs, or none ever did")
    func directories() throws {
        let cluster = TestCluster()
        try cluster.startAll()
        for path in [cluster.options("n1").dataDirectory, cluster.directory, cluster.directory + "/nothing"] {
            #expect(throws: (any Error).self) { try DirectoryBackup.write(of: path) { _ in } }
        }
        #expect(!FileManager.default.fileExists(atPath: cluster.directory + "/nothing"))
    }
}
