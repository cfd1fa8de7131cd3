import Automata
import Coordination
import Glibc
import LMDBStore
import Synchronization
import Testing

@testable import Runtime

/// Makes syncs of the store's data fail when a test says so.
private final class FailingSync: Sendable {
    private let state = Mutex<(code: Int32, left: Int)>((0, 0))
    let failures = Atomic<Int>(0)

    /// The next `count` syncs of a data file fail.
    func fail(_ count: Int, with code: Int32) { state.withLock { $0 = (code, count) } }

    func open(_ path: String) throws -> any ServerStore {
        var options = LMDBStore.Options()
        options.sync = { [self] descriptor in
            let code: Int32? = state.withLock { state in
                guard state.left > 0 else { return nil }
                state.left -= 1
                return state.code
            }
            guard let code else { return fdatasync(descriptor) }
            failures.add(1, ordering: .relaxed)
            errno = code
            return -1
        }
        return try LMDBStore.open(path, options: options)
    }
}

@Suite("The store made anew")
struct StoreCopyTests {
    private let value = String(repeating: "x", count: 20_000)

    @Test("defragmenting gives room back while puts go on, and nothing is lost, nor after a restart")
    func defragment() throws {
        let cluster = TestCluster()
        var server = try cluster.start("n1")
        let client = TestClient(server)
        for number in 0..<800 { try client.call(put("k\(number)", value)) }
        for number in 0..<700 { try client.call(delete("k\(number)")) }
        try client.call(.compact(revision: server.status.revision))
        _ = try client.call(.compactionFinished(server.status.compactRevision))
        let before = server.status.storeBytes
        #expect(before > 15 << 20)

        let token = client.submit(.defragment)
        var number = 0
        while client.deliveries.answer(to: token) == nil {
            number += 1
            try client.call(put("during\(number)", "\(number)"))
        }
        guard case .success(.done)? = client.wait(token) else {
            Issue.record("it was not defragmented")
            return
        }
        #expect(number > 0)
        #expect(server.status.storeBytes < before / 3)
        #expect(try client.get("during\(number)") == "\(number)")
        try client.call(put("after", "1"))
        let hash = server.contentHash
        cluster.stop("n1")
        server = try cluster.start("n1")
        // What the store is behind the log it applies after the start.
        #expect(eventually { server.contentHash == hash })
        #expect(try TestClient(server).get("k750") == value)
    }

    @Test("a member keeps its lead while it defragments a large store, and while it deletes very many keys")
    func keepsLead() throws {
        let cluster = TestCluster(size: 3)
        try cluster.startAll()
        let leader = try #require(cluster.leader())
        let server = cluster.servers[leader]!
        let client = TestClient(server)
        for start in stride(from: 0, to: 60_000, by: 500) {
            var transaction = KeyValueTransaction()
            transaction.success = (start..<start + 500).map {
                .put(PutOperation(key: Array("many\($0)".utf8), value: Array("0123456789".utf8)))
            }
            try client.call(.transaction(transaction))
        }
        let round = server.status.ballotRound
        _ = try client.call(.defragment)
        let begun = MonotonicClock.now()
        let outcome = try client.call(.delete(DeleteOperation(range: prefix("many"))))
        let took = MonotonicClock.now().since(begun)
        guard case .deleted(60_000, _, _) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        // Longer than an election timeout, or this shows nothing.
        #expect(took > .milliseconds(300), "\(took)")
        try client.call(put("after"))
        #expect(server.status.ballotRound == round && server.status.leaderID == server.status.memberID)
        #expect(
            eventually {
                Set(cluster.servers.values.map { $0.status.revision }).count == 1
                    && Set(cluster.servers.values.map { $0.contentHash }).count == 1
            })
    }

    @Test("want of room at a sync of the store passes without a restart, and the store is durable again")
    func syncWithoutRoom() throws {
        let sync = FailingSync()
        let cluster = TestCluster({ $0.checkpointEntries = 20 }, openStore: sync.open)
        var server = try cluster.start("n1")
        var client = TestClient(server)
        for number in 0..<50 { try client.call(put("k\(number)", value)) }
        // The copy that is made instead fails as well, a few times.
        sync.fail(3, with: ENOSPC)
        var acknowledged: [Int: Bool] = [:]
        var number = 100
        #expect(
            eventually(within: 30) {
                number += 1
                let answer = client.wait(client.submit(put("k\(number)", "\(number)")))
                if case .success(.outcome(KeyValueOutcome.put, _))? = answer { acknowledged[number] = true }
                return sync.failures.load(ordering: .relaxed) == 3 && cluster.hasLogged("made anew in")
            })
        #expect(cluster.hasLogged("a sync of the store failed"))
        #expect(
            try eventually {
                try client.call(
                    .setAlarm(Alarm(member: server.status.memberID, kind: .noSpace), raised: false))
                if case .put = try client.call(put("later", "1")) { return true }
                return false
            })
        for key in acknowledged.keys { #expect(try client.get("k\(key)") == "\(key)") }
        #expect(try client.get("k7") == value)
        let hash = server.contentHash
        cluster.stop("n1")
        server = try cluster.start("n1")
        client = TestClient(server)
        // What the store is behind the log it applies after the start.
        #expect(eventually { server.contentHash == hash })
    }

    @Test("one sync of the store that meets a full disk costs no put and raises no alarm")
    func oneSyncWithoutRoom() throws {
        let sync = FailingSync()
        let cluster = TestCluster({ $0.checkpointEntries = 20 }, openStore: sync.open)
        let server = try cluster.start("n1")
        let client = TestClient(server)
        try client.call(put("first"))
        sync.fail(1, with: ENOSPC)
        var number = 0
        #expect(
            try eventually {
                number += 1
                guard case .put = try client.call(put("k\(number)")) else { return false }
                return cluster.hasLogged("made anew in")
            })
        #expect(server.status.alarms.isEmpty && server.status.revision == Int64(number) + 2)
        #expect(try client.get("k1") == "v")
    }

    @Test("until a store whose sync met a full disk is made anew nothing is applied to it or read in it")
    func nothingInBetween() throws {
        let sync = FailingSync()
        let cluster = TestCluster({ $0.checkpointEntries = 20 }, openStore: sync.open)
        let server = try cluster.start("n1")
        let client = TestClient(server)
        for number in 0..<10 { try client.call(put("k\(number)")) }
        sync.fail(.max, with: ENOSPC)
        for number in 10..<40 { _ = client.submit(put("k\(number)")) }
        #expect(eventually { cluster.hasLogged("a sync of the store failed") })
        let applied = server.status.appliedSlot
        // What needs no room is not refused: it is chosen, and waits.
        let token = client.submit(delete("k1"))
        #expect(eventually { server.status.chosenSlot > applied })
        let read = client.submit(.linearizableRead)
        pause(.milliseconds(500))
        #expect(server.status.appliedSlot == applied)
        #expect(client.deliveries.answer(to: token) == nil && client.deliveries.answer(to: read) == nil)
        #expect(throws: StoreError.self) { try server.read { _ in } }
        sync.fail(0, with: ENOSPC)
        guard case .success(.outcome(KeyValueOutcome.deleted(1, _, _), _))? = client.wait(token),
            case .success(.ready)? = client.wait(read)
        else {
            Issue.record("what waited was not answered")
            return
        }
        #expect(try client.get("k1") == nil)
        #expect(try client.get("k9") == "v")
    }

    @Test("who begins to watch while a store is made anew is told the history once it can be relied on")
    func watchInBetween() throws {
        let sync = FailingSync()
        let cluster = TestCluster({ $0.checkpointEntries = 20 }, openStore: sync.open)
        let client = TestClient(try cluster.start("n1"))
        try client.call(put("k0"))
        sync.fail(.max, with: ENOSPC)
        for number in 1..<40 { _ = client.submit(put("k\(number)")) }
        #expect(eventually { cluster.hasLogged("a sync of the store failed") })
        client.port.watch(WatchSpecification(range: prefix("k"), startRevision: 1), watcher: WatcherID(1))
        client.port.flush()
        sync.fail(0, with: ENOSPC)
        #expect(eventually { client.deliveries.events(of: 1).first?.name == "k0" })
    }

    @Test("a store whose disk fails at a sync ends the server with a word on what to do; a restart finds all")
    func syncOfABrokenDisk() throws {
        let sync = FailingSync()
        let failure = Mutex<String?>(nil)
        let cluster = TestCluster(
            {
                $0.checkpointEntries = 20
                $0.failed = { reason in failure.withLock { $0 = reason } }
            }, openStore: sync.open)
        let client = TestClient(try cluster.start("n1"))
        sync.fail(1, with: EIO)
        var acknowledged = 0
        #expect(
            eventually {
                if case .success(.outcome(KeyValueOutcome.put, _))? = client.wait(
                    client.submit(put("k\(acknowledged)")))
                {
                    acknowledged += 1
                }
                return failure.withLock { $0 } != nil
            })
        #expect(failure.withLock { $0 }?.contains("Nothing acknowledged is lost") == true)
        cluster.stop("n1")
        let again = TestClient(try cluster.start("n1"))
        for number in 0..<acknowledged { #expect(try again.get("k\(number)") == "v") }
    }

    @Test("a read that meets damage in the store ends the server, and one that is only refused does not")
    func damagedPage() throws {
        let failure = Mutex<String?>(nil)
        let cluster = TestCluster { $0.failed = { reason in failure.withLock { $0 = reason } } }
        let server = try cluster.start("n1")
        let client = TestClient(server)
        try client.call(put("k"))
        let refusal = KeyValueRefusal.futureRevision
        #expect(throws: refusal) { try server.read { _ in throw refusal } }
        server.note(failedReading: StoreError(.failed, "no memory"))
        #expect(try client.get("k") == "v")
        let damage = StoreError(.damaged, "page 7 is not what was written")
        #expect(throws: damage) { try server.read { _ in throw damage } }
        #expect(eventually { failure.withLock { $0 } != nil })
        #expect(failure.withLock { $0 }?.contains("the store is damaged: page 7") == true)
        guard case .failure(.stopped)? = client.wait(client.submit(put("k2"))) else {
            Issue.record("the server goes on with a damaged store")
            return
        }
    }

    @Test(
        "while no sync of the store can be relied on nothing is read in it, and no checkpoint is made of it")
    func suspended() throws {
        let box = StoreBox(MemoryStore())
        box.suspend(StoreError(.full, "no room"))
        #expect(throws: StoreError(.full, "no room")) { try box.read { _ in } }
        #expect(throws: StoreError(.full, "no room")) { try box.openView() }
        #expect(throws: Never.self) { try box.store }
        box.replace(by: MemoryStore())
        try box.read { _ in }
    }

    @Test("a small store takes little room after a few hundred single puts, as reported and on the disk")
    func smallStore() throws {
        let cluster = TestCluster()
        let server = try cluster.start("n1")
        let client = TestClient(server)
        let value = String(repeating: "x", count: 700)
        for number in 0..<500 { try client.call(put("k\(number)", value)) }
        #expect(server.status.storeBytes < 1 << 20)
        #expect(
            eventually(within: 20) {
                server.status.metrics.contains {
                    guard $0.name == "store_sync_seconds", case .histogram(_, _, let count, _) = $0.value
                    else { return false }
                    return count > 0
                }
            })
        #expect(server.status.storeBytes < 1 << 20)
        #expect(try client.get("k499") == value)
    }
}
