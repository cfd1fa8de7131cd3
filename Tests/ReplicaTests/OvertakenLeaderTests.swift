import Automata
import Paxos
import Testing

@testable import Replica

/// A checkpoint says that slots are chosen, and not at which ballot. A leader that was overtaken and does not
/// know it yet may hold something else in them, and may have told others of it.
@Suite("Checkpoints at a leader that was overtaken") struct OvertakenLeaderTests {
    /// p5 leads and proposes x, which only p4 accepts; p1 is elected by p2 and p3 and chooses y in that slot.
    /// The checkpoint of p1 reaches p5 before any word of the higher ballot does.
    private func overtaken() -> (cluster: Cluster, slot: Slot) {
        var cluster = Cluster.started(5)
        cluster.elect(5)
        cluster.propose("before", 1, at: 5)
        cluster.settle()
        cluster.separate([4, 5], [1, 2, 3])
        for number in 2...6 as ClosedRange<UInt64> { cluster.propose("x", number, at: 5) }
        cluster.deliverAll(5, 4)
        cluster.network = []
        let slot = cluster.replica(5).chosenUpTo.next

        cluster.now = cluster.now + .seconds(5)
        let majority = [1, 2, 3].map { ProcessID($0) }
        for other in majority.dropFirst() { cluster.fire(.election, at: other) }
        cluster.network = []
        cluster.elect(1, among: majority)
        cluster.propose("y", 1, at: 1)
        cluster.settle(among: majority)
        let chosen = cluster.replica(1).chosenUpTo
        #expect(chosen >= slot && chosen < cluster.replica(5).acceptedUpTo && cluster.hasApplied("y"))
        #expect(cluster.replica(5).isLeader && cluster.replica(5).chosenUpTo < slot)
        #expect(cluster.replica(4).acceptor.accepted[slot] == cluster.replica(5).acceptor.accepted[slot])

        let checkpoint = Cluster.Checkpoint(
            sender: ProcessID(1), receiver: ProcessID(5), entries: cluster[1].applied)
        cluster.checkpointsInTransit.append(checkpoint)
        cluster.arrive(checkpoint)
        return (cluster, slot)
    }

    @Test("what such a leader has proposed in slots of the checkpoint is not taken for chosen")
    func ownProposals() {
        let (cluster, slot) = overtaken()
        let replica = cluster.replica(5)
        #expect(replica.chosenUpTo >= slot)
        #expect(
            replica.acceptor.accepted.floor >= slot,
            "p5 keeps \(replica.acceptor.accepted[slot]) as chosen in \(slot)")
        #expect(cluster.violations == [])
    }

    @Test("it leads no more, so that nobody takes what it accepted from it for chosen")
    func followers() {
        var (cluster, slot) = overtaken()
        #expect(!cluster.replica(5).isLeader)
        let both = [ProcessID(4), ProcessID(5)]
        cluster.settle(among: both)
        cluster.fire(.heartbeat, at: ProcessID(5))
        cluster.settle(among: both)
        #expect(cluster.replica(4).chosenUpTo < slot)
        #expect(cluster.violations == [])
    }

    @Test("nor after a restart")
    func restarted() {
        var (cluster, slot) = overtaken()
        // A new segment would repeat what the log is to say by itself.
        cluster.segmentRecords = .max
        cluster.sync(ProcessID(5))
        cluster.crash(ProcessID(5))
        cluster.start(ProcessID(5))
        let log = cluster.replica(5).acceptor.accepted
        #expect(log.floor >= slot, "p5 keeps \(log[slot]) as chosen in \(slot)")
        #expect(cluster.violations == [])
    }

    @Test("everybody ends with what was chosen")
    func converges() {
        var (cluster, _) = overtaken()
        cluster.crash(ProcessID(1))
        cluster.cut = []
        let rest = cluster.everybody.dropFirst()
        cluster.run(.seconds(8), among: Array(rest))
        for process in rest { #expect(cluster[process.rawValue].applied == cluster.history) }
        #expect(cluster.violations == [])
    }
}
