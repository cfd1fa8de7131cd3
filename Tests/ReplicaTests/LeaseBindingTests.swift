import Automata
import Paxos
import Testing

@testable import Replica

/// With lease reads an acceptor that a leader may count on promises nothing. Each way around that is only for
/// the leader who opened it.
@Suite("Whom a lease binds") struct LeaseBindingTests {
    private let p1 = ProcessID(1)
    private let p2 = ProcessID(2)
    private let p3 = ProcessID(3)

    private func started(_ count: UInt64 = 3) -> Cluster {
        Cluster.started(count) { $0.leaseReadsClockDriftPPM = 1_000 }
    }

    /// p1 leads, and hands over to p3, whose first prepares are lost.
    private func handedOver() -> Cluster {
        var cluster = started()
        cluster.elect(1)
        cluster.propose("a", 1, at: 1)
        cluster.settle()
        cluster.fire(.heartbeat, at: p1)
        cluster.settle()
        cluster.step(.transferRequested(to: p3), at: p1)
        cluster.deliverAll(1, 3)
        cluster.separate([3], [1, 2])
        cluster.sync(p3)
        cluster.network = []
        #expect(cluster.replica(3).preparing != nil)
        return cluster
    }

    @Test("a transfer that one leader asked for does not break the lease of the next")
    func transferAgainstTheNext() {
        var cluster = handedOver()
        cluster.crash(p1)
        cluster.start(p1)
        cluster.sync(p1)
        // An election timeout later p2 stands, below the ballot of p3, and p1 elects it.
        cluster.now = cluster.now + .milliseconds(1_010)
        cluster.elect(2, among: [p1, p2])
        #expect(cluster.replica(2).isLeader && cluster.replica(2).ballot < cluster.replica(3).ballot)
        cluster.now = cluster.now + .milliseconds(100)
        cluster.fire(.heartbeat, at: p2)
        cluster.settle(among: [p1, p2])
        cluster.step(.readRequested(ReadID(1)), at: p2)
        #expect(cluster[2].reads[ReadID(1)] != nil, "p2 reads by its lease")

        cluster.cut = []
        cluster.separate([2], [1, 3])
        cluster.now = cluster.now + .milliseconds(90)
        cluster.fire(.resend, at: p3)
        cluster.settle(among: [p1, p3])
        #expect(!cluster.replica(3).isLeader)
        #expect(cluster.replica(1).ballot == cluster.replica(2).ballot)
    }

    @Test("a process that has just started keeps quiet whoever asks for a transfer")
    func transferAfterStart() {
        var cluster = handedOver()
        // It may have been following another leader before, which it cannot remember.
        cluster.crash(p2)
        cluster.start(p2)
        cluster.sync(p2)
        cluster.cut = []
        cluster.fire(.heartbeat, at: p1)
        cluster.deliverAll(1, 2)
        let before = cluster.replica(2).ballot
        cluster.now = cluster.now + .milliseconds(200)
        cluster.fire(.resend, at: p3)
        cluster.deliverAll(3, 2)
        #expect(cluster.replica(2).ballot == before)
        #expect(cluster.replica(3).ballot > before)
    }

    @Test("one that has just started does not take over either")
    func takeOverAfterStart() {
        var cluster = started()
        cluster.elect(1)
        cluster.crash(p3)
        cluster.start(p3)
        cluster.sync(p3)
        cluster.fire(.heartbeat, at: p1)
        cluster.settle()
        #expect(cluster.replica(3).leader == p1)
        cluster.step(.received(.takeOver(ballot: cluster.replica(1).ballot), from: p1), at: p3)
        #expect(cluster.replica(3).preparing == nil)
        cluster.now = cluster.now + .milliseconds(1_001)
        cluster.step(.received(.takeOver(ballot: cluster.replica(1).ballot), from: p1), at: p3)
        #expect(cluster.replica(3).preparing != nil)
    }

    @Test("the transfer that its own leader asked for is let through")
    func transferOfItsLeader() {
        var cluster = handedOver()
        cluster.cut = []
        cluster.fire(.resend, at: p3)
        cluster.settle()
        #expect(cluster.replica(3).isLeader)
        #expect(cluster.replica(1).ballot == cluster.replica(3).ballot)
    }

    private func readsByLease(_ cluster: inout Cluster, _ number: UInt64) -> Bool {
        cluster.step(.readRequested(ReadID(number)), at: p1)
        return cluster[1].reads[ReadID(number)] != nil
    }

    /// Acceptors keep quiet from when they hear the question on, and the answer may be long on its way.
    @Test("a lease is counted from the question, not from the answer")
    func countedFromTheQuestion() {
        var cluster = started()
        cluster.elect(1)
        cluster.fire(.heartbeat, at: p1)
        for other in [2, 3] as [UInt64] { cluster.deliverAll(1, other) }
        cluster.now = cluster.now + .milliseconds(900)
        for other in [2, 3] as [UInt64] { cluster.deliverAll(other, 1) }
        #expect(readsByLease(&cluster, 1))
        cluster.network = []
        cluster.now = cluster.now + .milliseconds(101)
        #expect(!readsByLease(&cluster, 2))
    }

    @Test("a lease is counted from the question that was answered, whatever was asked since")
    func countedFromTheAnsweredQuestion() {
        var cluster = started()
        cluster.elect(1)
        cluster.now = cluster.now + .milliseconds(100)
        cluster.fire(.heartbeat, at: p1)
        let asked = cluster.take(1, 2) + cluster.take(1, 3)
        #expect(asked.count == 2)
        cluster.now = cluster.now + .milliseconds(500)
        cluster.fire(.heartbeat, at: p1)
        for envelope in asked { cluster.deliver(envelope) }
        for other in [2, 3] as [UInt64] { cluster.deliverAll(other, 1) }
        #expect(readsByLease(&cluster, 1))
        cluster.network = []
        cluster.now = cluster.now + .milliseconds(501)
        #expect(!readsByLease(&cluster, 2))
    }

    @Test("a lease is shorter than an election timeout by what two clocks may differ")
    func shorterByDrift() {
        var cluster = Cluster.started(3) { $0.leaseReadsClockDriftPPM = 100_000 }
        cluster.elect(1)
        cluster.fire(.heartbeat, at: p1)
        cluster.settle()
        cluster.now = cluster.now + .milliseconds(899)
        #expect(readsByLease(&cluster, 1))
        cluster.now = cluster.now + .milliseconds(2)
        #expect(!readsByLease(&cluster, 2))
    }

    @Test("a leader that has told another to take over has no lease any more")
    func forfeited() {
        var cluster = started()
        cluster.elect(1)
        cluster.fire(.heartbeat, at: p1)
        cluster.settle()
        #expect(readsByLease(&cluster, 1))
        cluster.step(.transferRequested(to: p3), at: p1)
        let told = cluster.take(1, 3) { if case .takeOver = $0 { true } else { false } }
        #expect(told.count == 1)
        #expect(!readsByLease(&cluster, 2))
    }

    /// The voters of the next configuration may have elected a leader already.
    @Test("a process that was a quorum by itself keeps quiet when it has accepted another configuration")
    func aloneNoMore() throws {
        let weights = [QuorumSystem.Weight(p1, 3), .init(p2, 1), .init(p3, 1)]
        let alone = try Configuration(
            voters: [p1, p2, p3], quorums: .weighted(weights, phase1: 3, phase2: 3))
        var settings = Replica.Settings(process: p1)
        settings.leaseReadsClockDriftPPM = 1_000
        var durable = ReplicaDurableState(bootstrap: alone)
        try durable.absorb(.started(incarnation: 1, isMember: true))
        let ballot = Ballot(round: 1, process: p1)
        try durable.absorb(.promised(ballot))
        let next = try alone.applying(.setQuorums(.majority))
        for entry in [Entry.noop, .configuration(ProposalID(process: p1, number: 1), next)] {
            var replica = Replica(settings: settings, recovered: durable)
            var outputs: [ReplicaOutput] = []
            replica.step(.start, at: Instant(nanoseconds: 1), into: &outputs)
            #expect(replica.preparing != nil, "nothing but itself can have elected anybody")
            let slot = durable.acceptor.accepted.last.next
            try durable.absorb(
                .accepted(.init(ballot: ballot, first: slot, entries: [entry], chosenUpTo: .zero)))
        }
        var replica = Replica(settings: settings, recovered: durable)
        var outputs: [ReplicaOutput] = []
        replica.step(.start, at: Instant(nanoseconds: 1), into: &outputs)
        #expect(replica.preparing == nil && replica.ballot == ballot)
    }
}
