import Automata
import Paxos
import Testing

@testable import Replica

/// How a leader ends that leads no more: it is told so, or nobody answers it.
@Suite("Leaders of the past") struct PastLeaderTests {
    private let p1 = ProcessID(1)
    private let p2 = ProcessID(2)
    private let p3 = ProcessID(3)

    /// p1 leads and does not know that p3 has been elected by p2.
    private func deposed() -> Cluster {
        var cluster = Cluster.started(3)
        cluster.elect(1)
        cluster.separate([1], [2, 3])
        cluster.now = cluster.now + .seconds(2)
        cluster.fire(.election, at: p2)
        cluster.network = []
        cluster.elect(3, among: [p2, p3])
        cluster.cut = []
        #expect(cluster.replica(1).isLeader && cluster.replica(3).isLeader)
        return cluster
    }

    @Test("a leader of the past ends at the first word from whoever has promised a higher ballot")
    func leaderOfThePast() {
        var cluster = deposed()
        cluster.fire(.heartbeat, at: p1)
        cluster.deliverAll(1, 2)
        cluster.deliverAll(2, 1)
        #expect(!cluster.replica(1).isLeader)
        #expect(cluster.replica(1).nextBallot > cluster.replica(2).ballot)
        #expect(cluster.violations == [])
    }

    @Test("a leader that no quorum has answered for an election timeout leads no more")
    func withoutQuorum() {
        var cluster = Cluster.started(3)
        cluster.elect(1)
        cluster.fire(.heartbeat, at: p1)
        cluster.settle()
        cluster.fire(.election, at: p1)
        #expect(cluster.replica(1).isLeader)
        cluster.separate([1], [2, 3])
        for _ in 0..<5 { cluster.fire(.heartbeat, at: p1) }
        cluster.fire(.election, at: p1)
        #expect(!cluster.replica(1).isLeader && cluster.replica(1).leader == nil)
        #expect(cluster.violations == [])
    }

    @Test("a candidate that was overtaken ends at the first word, and stands above what was promised")
    func candidateOfThePast() {
        var cluster = deposed()
        let promised = cluster.replica(2).ballot
        let prepare = ReplicaMessage.Prepare(
            ballot: Ballot(round: promised.round, process: p1), epoch: 1, from: Slot(1), successorOf: nil,
            progress: 0)
        #expect(prepare.ballot < promised)
        cluster.step(.received(.prepare(prepare), from: p1), at: p2)
        let nacks = cluster.take(2, 1) { if case .nack = $0 { true } else { false } }
        #expect(nacks.map(\.message) == [.nack(.init(refused: prepare.ballot, promised: promised))])
        #expect(cluster.replica(2).ballot == promised)
    }
}
