import Coordination
import Synchronization
import Testing

@testable import Runtime

@Suite("A leader that stops")
struct HandoverTests {
    /// Puts without pause at two followers while the leader hands over and stops: what is on its way to a leader
    /// that is about to go must not go with it.
    @Test("nothing that others sent to a leader is lost when it has handed over and stops at once")
    func nothingIsLost() async throws {
        let cluster = TestCluster(size: 3) { $0.electionTimeout = .milliseconds(1000) }
        try cluster.startAll()
        for _ in 0..<3 {
            let leader = try #require(cluster.leader())
            let server = cluster.servers[leader]!
            let others = cluster.names.filter { $0 != leader }.map { TestClient(cluster.servers[$0]!) }
            let isOver = Mutex(false)
            let end = Task {
                await server.handOver()
                server.stop()
                isOver.withLock { $0 = true }
            }
            var tokens: [[UInt64]] = [[], []]
            while !isOver.withLock({ $0 }) {
                for index in 0..<2 {
                    // Some are always on their way, and never more than a server takes.
                    let earlier = tokens[index].count - 64
                    if earlier >= 0, others[index].deliveries.answer(to: tokens[index][earlier]) == nil {
                        continue
                    }
                    tokens[index].append(others[index].submit(put("\(index)", "x")))
                }
                await Task.yield()
            }
            await end.value
            cluster.servers[leader] = nil
            var failures: Set<String> = []
            for index in 0..<2 {
                for token in tokens[index] {
                    let answer = others[index].wait(token, within: 20)
                    guard case .success(.outcome(KeyValueOutcome.put, _)) = answer else {
                        failures.insert("\(String(describing: answer))")
                        continue
                    }
                }
            }
            #expect(failures == [], "of \(tokens.map(\.count)) puts")
            try cluster.start(leader)
        }
    }

    @Test("a member that does not lead, or is alone, has nothing to hand over")
    func nothingToDo() async throws {
        let cluster = TestCluster(size: 3)
        try cluster.startAll()
        let leader = try #require(cluster.leader())
        for name in cluster.names where name != leader { await cluster.servers[name]!.handOver() }
        #expect(cluster.leader() == leader)
        let alone = TestCluster()
        let server = try alone.start("n1")
        _ = try #require(alone.leader())
        await server.handOver()
        #expect(server.status.leaderID == server.status.memberID)
        server.stop()
        // The thread that would answer has ended.
        await server.handOver()
    }
}
