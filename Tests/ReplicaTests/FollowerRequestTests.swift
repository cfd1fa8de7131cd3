import Automata
import Paxos
import Testing

@testable import Replica

/// A follower asks the leader once for all reads that wait, and an answer is for those alone.
@Suite("What a follower asks of its leader") struct FollowerRequestTests {
    private let p1 = ProcessID(1)
    private let p2 = ProcessID(2)

    /// p1 leads and has answered a read of p2, and "x" was chosen since; with a copy of the answer.
    private func answered() -> (cluster: Cluster, copies: [Cluster.Envelope]) {
        var cluster = Cluster.started(3)
        cluster.elect(1)
        cluster.step(.readRequested(ReadID(1)), at: p2)
        cluster.deliverAll(2, 1)
        cluster.deliverAll(1, 3)
        cluster.deliverAll(3, 1)
        let copies = cluster.take(1, 2) { if case .readAnswer = $0 { true } else { false } }
        #expect(copies.count == 1)
        for copy in copies { cluster.deliver(copy) }
        #expect(cluster[2].reads[ReadID(1)] != nil)
        cluster.settle()
        cluster.propose("x", 1, at: 1)
        cluster.settle()
        #expect(cluster.hasApplied("x"))
        return (cluster, copies)
    }

    @Test("a copy of an answer to an earlier request answers no read that came later")
    func earlierRequest() {
        var (cluster, copies) = answered()
        cluster.step(.readRequested(ReadID(2)), at: p2)
        for copy in copies { cluster.deliver(copy) }
        #expect(cluster[2].reads[ReadID(2)] == nil)
        cluster.settle()
        #expect(cluster[2].reads[ReadID(2)] == .some(cluster.replica(1).chosenUpTo))
    }

    @Test("nor does one to a request of an earlier start, whose numbers were the same")
    func earlierStart() {
        var (cluster, copies) = answered()
        cluster.crash(p2)
        cluster.start(p2)
        cluster.sync(p2)
        cluster.fire(.heartbeat, at: p1)
        cluster.settle()
        #expect(cluster.replica(2).leader == p1)
        cluster.step(.readRequested(ReadID(2)), at: p2)
        for copy in copies { cluster.deliver(copy) }
        #expect(cluster[2].reads[ReadID(2)] == nil)
        cluster.settle()
        #expect(cluster[2].reads[ReadID(2)] == .some(cluster.replica(1).chosenUpTo))
    }

    /// Another start would number anew what it asks from where this one did.
    @Test("nothing is asked of a leader before the number of the start is durable")
    func numberOfTheStart() {
        var (cluster, _) = answered()
        cluster.crash(p2)
        cluster.start(p2)
        cluster.fire(.heartbeat, at: p1)
        cluster.deliverAll(1, 2)
        #expect(cluster.replica(2).leader == p1)
        cluster.network = []
        cluster.propose("y", 1, at: 2)
        cluster.step(.readRequested(ReadID(2)), at: p2)
        #expect(cluster.network.isEmpty)
        cluster.sync(p2)
        #expect(cluster.network.count == 2)
        cluster.settle()
        cluster.fire(.heartbeat, at: p1)
        cluster.settle()
        #expect(cluster.hasApplied("y") && cluster[2].reads[ReadID(2)] != nil)
    }
}
