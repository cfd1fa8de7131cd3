import Automata
import Paxos
import Testing

@testable import Replica

/// A leader knows that it leads before it knows all that was chosen before.
@Suite("What a leader inherits") struct InheritedTests {
    private let p1 = ProcessID(1)
    private let p2 = ProcessID(2)
    private let p3 = ProcessID(3)

    /// p1 has chosen "end", and p2, which has accepted it, does not know that when it comes to lead.
    private func succeeded() -> Cluster {
        var cluster = Cluster.started(3)
        cluster.elect(1)
        cluster.propose("end", 1, at: 1)
        cluster.deliverAll(1, 2)
        cluster.sync(p2)
        cluster.sync(p1)
        cluster.deliverAll(2, 1)
        #expect(cluster.hasApplied("end"))
        cluster.crash(p1)
        cluster.network = []
        cluster.now = cluster.now + .seconds(2)
        cluster.fire(.election, at: p3)
        cluster.network = []
        cluster.fire(.election, at: p2)
        for _ in 0..<2 {
            cluster.sync(p2)
            cluster.deliverAll(2, 3)
            cluster.sync(p3)
            cluster.deliverAll(3, 2)
        }
        cluster.sync(p2)
        #expect(cluster.replica(2).isLeader)
        return cluster
    }

    @Test("a quorum confirms a leader before it has applied what its predecessor chose, and it can tell")
    func window() {
        var cluster = succeeded()
        cluster.fire(.heartbeat, at: p2)
        for envelope in cluster.take(2, 3, where: { if case .heartbeat = $0 { true } else { false } }) {
            cluster.deliver(envelope)
        }
        for envelope in cluster.take(3, 2) { cluster.deliver(envelope) }
        let replica = cluster.replica(2)
        #expect(replica.hasRecentQuorum(at: cluster.now))
        #expect(replica.appliedUpTo < Slot(2) && !replica.hasAppliedInherited)

        cluster.fire(.heartbeat, at: p2)
        cluster.settle(among: [p2, p3])
        #expect(cluster.replica(2).hasAppliedInherited)
        #expect(cluster[2].applied.count >= 2)
        #expect(!cluster.replica(3).hasAppliedInherited)
    }

    @Test("what is chosen and not executed is not inherited yet")
    func executed() {
        var replica = succeeded().replica(2)
        var outputs: [ReplicaOutput] = []
        let ballot = replica.ballot
        let now = replica.now
        replica.step(.durable(upTo: replica.lastRecord), at: now, into: &outputs)
        let accepted = ReplicaMessage.Accepted(ballot: ballot, upTo: replica.acceptedUpTo)
        replica.step(.received(.accepted(accepted), from: p3), at: now, into: &outputs)
        #expect(replica.isReady && !replica.hasAppliedInherited)
        replica.step(.applied(upTo: replica.chosenUpTo), at: now, into: &outputs)
        #expect(replica.hasAppliedInherited)
    }
}
