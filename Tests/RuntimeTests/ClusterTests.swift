import Automata
import Coordination
import Synchronization
import Testing

@testable import Runtime

/// A thread that puts numbered values without pause, and remembers what was acknowledged.
private final class Writer: @unchecked Sendable {
    let acknowledged = Mutex([Int]())
    private let isEnding = Atomic<Bool>(false)
    private var thread: DedicatedThread?

    /// Writes to whichever of the servers takes it; `servers` is asked anew after every failure.
    init(prefix: String, servers: @escaping @Sendable () -> [Server]) {
        thread = DedicatedThread(name: "writer") { self.run(prefix, servers) }
    }

    private func run(_ prefix: String, _ servers: () -> [Server]) {
        var number = 0
        var turn = 0
        while !isEnding.load(ordering: .relaxed) {
            let all = servers()
            guard !all.isEmpty else { continue }
            let client = TestClient(all[turn % all.count])
            while !isEnding.load(ordering: .relaxed) {
                number += 1
                let token = client.submit(put("\(prefix)\(number)", "\(number)"))
                guard let answer = client.wait(token, within: 8),
                    case .success(.outcome(KeyValueOutcome.put, _)) = answer
                else { break }
                acknowledged.withLock { $0.append(number) }
            }
            turn += 1
        }
    }

    func end() {
        isEnding.store(true, ordering: .relaxed)
        thread?.join()
        thread = nil
    }

    var count: Int { acknowledged.withLock { $0.count } }
}

/// The servers that a writer may use, changed by the test meanwhile.
private final class Available: Sendable {
    private let servers = Mutex([Server]())
    func set(_ all: [Server]) { servers.withLock { $0 = all } }
    var all: [Server] { servers.withLock { $0 } }
}

@Suite("Cluster", .serialized)
struct ClusterTests {
    private func converge(_ cluster: TestCluster, within seconds: UInt64 = 20) -> Bool {
        eventually(within: seconds) {
            let applied = Set(cluster.servers.values.map { $0.status.appliedSlot })
            let hashes = Set(cluster.servers.values.map { $0.contentHash })
            return applied.count == 1 && hashes.count == 1 && hashes.first! != nil
        }
    }

    @Test("three servers agree on a leader, replicate, and serve reads and leases at each of them")
    func replication() throws {
        let cluster = TestCluster(size: 3)
        try cluster.startAll()
        _ = try #require(cluster.leader())
        let clients = cluster.names.map { TestClient(cluster.servers[$0]!) }
        for (index, client) in clients.enumerated() {
            try client.call(put("k\(index)", "\(index)"))
            for other in clients { #expect(try other.get("k\(index)") == "\(index)") }
        }
        _ = try clients[0].call(.grantLease(LeaseID(9), seconds: 300))
        for client in clients {
            guard case .leaseRenewed(300) = try client.call(.renewLease(LeaseID(9))) else {
                Issue.record("not renewed")
                return
            }
            guard case .leaseTimeToLive(_, 300) = try client.call(.leaseTimeToLive(LeaseID(9))) else {
                Issue.record("no time to live")
                return
            }
            guard case .leaseRenewed(0) = try client.call(.renewLease(LeaseID(10))) else {
                Issue.record("a lease that is not there was renewed")
                return
            }
        }
        #expect(converge(cluster))
        #expect(eventually { cluster.servers["n1"]!.status.members.allSatisfy { !$0.clientURLs.isEmpty } })
        #expect(Set(cluster.servers["n1"]!.status.members.map(\.name)) == ["n1", "n2", "n3"])
    }

    @Test("acknowledged puts survive the leader's end, the others go on, and the old leader catches up")
    func leaderStops() throws {
        let cluster = TestCluster(size: 3)
        try cluster.startAll()
        let available = Available()
        available.set(Array(cluster.servers.values))
        let writer = Writer(prefix: "w") { available.all }
        defer { writer.end() }
        for _ in 0..<2 {
            let leader = try #require(cluster.leader())
            let before = writer.count
            #expect(eventually { writer.count > before + 50 })
            available.set(cluster.servers.filter { $0.key != leader }.map(\.value))
            cluster.stop(leader)
            let stopped = writer.count
            #expect(eventually(within: 20) { writer.count > stopped + 50 })
            try cluster.start(leader)
            available.set(Array(cluster.servers.values))
        }
        writer.end()
        _ = try #require(cluster.leader())
        #expect(converge(cluster))
        let client = TestClient(cluster.servers["n2"]!)
        _ = try client.call(.linearizableRead)
        for number in writer.acknowledged.withLock({ $0 }) {
            let found = try client.server.read { reader in
                try KeyValueReader(reader).range(RangeQuery(range: KeyRange(key: Array("w\(number)".utf8))))
                    .count
            }
            #expect(found == 1, "put \(number) is lost")
        }
    }

    @Test("a leader hands over when it stops, so that the others need not wait for an election")
    func handOver() throws {
        let quick = TestCluster(size: 3)
        try quick.startAll()
        let leader = try #require(quick.leader())
        quick.stop(leader)
        let next = try #require(quick.leader())
        #expect(next != leader)
        #expect(quick.hasLogged("leads at ballot round"))
    }

    @Test("a leader that hands over to stop costs no client of any member an answer, and nobody has to wait")
    func handOverUnderLoad() async throws {
        // Elections are slow, so that one that had to wait for a timeout would show.
        let cluster = TestCluster(size: 3) { $0.electionTimeout = .milliseconds(2000) }
        try cluster.startAll()
        let leader = try #require(cluster.leader())
        let clients = cluster.names.map { TestClient(cluster.servers[$0]!) }
        var tokens: [[UInt64]] = clients.map { _ in [] }
        func submit(_ rounds: Int) {
            for round in 0..<rounds {
                for (index, client) in clients.enumerated() {
                    tokens[index].append(client.submit(put("\(index)/\(round)", "x")))
                }
            }
        }
        submit(50)
        let server = cluster.servers[leader]!
        let handover = Task { await server.handOver() }
        let isOver = Mutex(false)
        Task {
            await handover.value
            isOver.withLock { $0 = true }
        }
        while !isOver.withLock({ $0 }) {
            // Some are always on their way, and never more than a server takes.
            let areAnswered = zip(clients, tokens).allSatisfy { client, tokens in
                client.deliveries.answer(to: tokens[tokens.count - 50]) != nil
            }
            if areAnswered { submit(5) }
            await Task.yield()
        }
        #expect(server.status.leaderID != server.status.memberID && server.status.leaderID != 0)
        submit(20)
        let begun = ContinuousClock.now
        for (client, tokens) in zip(clients, tokens) {
            for token in tokens {
                guard case .success(.outcome(KeyValueOutcome.put, _)) = client.wait(token, within: 20) else {
                    Issue.record("\(String(describing: client.wait(token, within: 1)))")
                    continue
                }
            }
        }
        #expect(ContinuousClock.now - begun < .seconds(2))
    }

    @Test("moving the leader to another member works at the leader and is refused elsewhere")
    func moveLeader() throws {
        let cluster = TestCluster(size: 3)
        try cluster.startAll()
        let leader = try #require(cluster.leader())
        let other = cluster.names.first { $0 != leader }!
        let target = cluster.servers[other]!.status.memberID
        #expect(throws: ServiceError.notLeader) {
            try TestClient(cluster.servers[other]!).call(.moveLeader(to: target))
        }
        #expect(throws: ServiceError.unsuitableTransferee) {
            try TestClient(cluster.servers[leader]!).call(.moveLeader(to: 12345))
        }
        guard case .done = try TestClient(cluster.servers[leader]!).call(.moveLeader(to: target)) else {
            Issue.record("not moved")
            return
        }
        #expect(eventually { cluster.leader() == other })
    }

    @Test(
        "a member that was away catches up by the log, or by a checkpoint when the log is trimmed, under load"
    )
    func catchUp() throws {
        let cluster = TestCluster(size: 3) {
            $0.checkpointEntries = 200
            $0.catchUpEntries = 100
        }
        try cluster.startAll()
        let leader = try #require(cluster.leader())
        let away = cluster.names.first { $0 != leader }!
        let stays = cluster.servers.filter { $0.key != away }.map(\.value)
        let writer = Writer(prefix: "w") { stays }
        defer { writer.end() }
        cluster.stop(away)
        #expect(eventually { writer.count > 20 })
        try cluster.start(away)
        #expect(eventually { cluster.servers[away]!.status.revision > 20 })

        cluster.stop(away)
        let before = writer.count
        #expect(eventually(within: 30) { writer.count > before + 1500 })
        // A watcher that resumes at the member that comes back misses nothing.
        try cluster.start(away)
        let client = TestClient(cluster.servers[away]!)
        let first = cluster.servers[away]!.status.revision + 1
        client.port.watch(
            WatchSpecification(range: prefix("w"), startRevision: first), watcher: WatcherID(1))
        client.port.flush()
        #expect(eventually(within: 30) { cluster.servers[away]!.status.revision > Int64(before) + 1500 })
        writer.end()
        #expect(converge(cluster))
        #expect(
            cluster.servers[away]!.status.metrics.contains {
                if case .counter(let count) = $0.value {
                    return $0.name == "checkpoints_installed_total" && count >= 1
                }
                return false
            })
        let last = cluster.servers[away]!.status.revision
        #expect(eventually { client.deliveries.events(of: 1).last?.keyValue.modRevision == last })
        #expect(client.deliveries.events(of: 1).map(\.keyValue.modRevision) == Array(first...last))
        let back = client.submit(put("back"))
        guard case .success(.outcome(KeyValueOutcome.put, _))? = client.wait(back) else {
            Issue.record("no put at the member that came back")
            return
        }
        cluster.stop(away)
        try cluster.start(away)
        #expect(converge(cluster))
    }

    @Test("a watcher at a follower sees every event once and in order while the leader changes")
    func watchThroughLeaderChange() throws {
        let cluster = TestCluster(size: 3)
        try cluster.startAll()
        let leader = try #require(cluster.leader())
        let followers = cluster.names.filter { $0 != leader }
        let watching = TestClient(cluster.servers[followers[0]]!)
        watching.port.watch(WatchSpecification(range: prefix("w"), startRevision: 1), watcher: WatcherID(1))
        watching.port.flush()
        let servers = followers.map { cluster.servers[$0]! }
        let writer = Writer(prefix: "w") { servers }
        defer { writer.end() }
        #expect(eventually { writer.count > 100 })
        cluster.stop(leader)
        let before = writer.count
        #expect(eventually(within: 20) { writer.count > before + 100 })
        writer.end()
        let acknowledged = writer.acknowledged.withLock { $0 }
        #expect(
            eventually {
                watching.deliveries.events(of: 1).contains { $0.name == "w\(acknowledged.last!)" }
            })
        let events = watching.deliveries.events(of: 1)
        let revisions = events.map(\.keyValue.modRevision)
        #expect(revisions == revisions.sorted() && Set(revisions).count == revisions.count)
        #expect(Set(acknowledged.map { "w\($0)" }).isSubset(of: Set(events.map(\.name))))
    }

    @Test("a linearizable read at any member sees what was acknowledged anywhere before")
    func linearizableReads() throws {
        let cluster = TestCluster(size: 3)
        try cluster.startAll()
        _ = try #require(cluster.leader())
        let clients = cluster.names.map { TestClient(cluster.servers[$0]!) }
        for number in 0..<150 {
            try clients[number % 3].call(put("x", "\(number)"))
            #expect(try clients[(number / 3 + 1) % 3].get("x") == "\(number)")
        }
    }

    @Test("without a quorum puts and linearizable reads time out, local reads go on, and leader loss is told")
    func noQuorum() throws {
        let cluster = TestCluster(size: 3) { $0.limits.requestTimeout = .seconds(2) }
        try cluster.startAll()
        _ = try #require(cluster.leader())
        let client = TestClient(cluster.servers["n1"]!)
        try client.call(put("a", "1"))
        cluster.stop("n2")
        cluster.stop("n3")
        #expect(eventually { cluster.servers["n1"]!.status.leaderID == 0 })
        #expect(throws: ServiceError.timedOut) { try client.call(.linearizableRead) }
        #expect(throws: ServiceError.self) { try client.call(put("b")) }
        #expect(
            eventually {
                client.deliveries.all.contains { if case .leaderLost = $0 { true } else { false } }
            })
        #expect(try client.server.read { try KeyValueReader($0).revision() } == 2)
        // What waits for a leader is done when there is one.
        let token = client.submit(put("c"))
        try cluster.start("n2")
        guard case .success? = client.wait(token) else {
            Issue.record("the put was not taken up by the new leader")
            return
        }
    }

    @Test("a member of another cluster is refused, and both sides say why")
    func otherCluster() throws {
        let cluster = TestCluster(size: 3)
        try cluster.startAll()
        _ = try #require(cluster.leader())
        cluster.stop("n3")
        let stranger = try cluster.start("n3") {
            $0.clusterToken = "another"
            $0.dataDirectory += "-another"
        }
        #expect(eventually { cluster.hasLogged("it belongs to cluster") })
        #expect(eventually { cluster.hasLogged("refused a peer") })
        #expect(
            eventually { (try? TestClient(cluster.servers["n1"]!).call(put("a"))) != nil })
        #expect(stranger.status.revision == 1)
    }
}
