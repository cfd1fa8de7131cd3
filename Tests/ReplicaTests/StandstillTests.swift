import Automata
import Paxos
import Testing

@testable import Replica

/// A quorum that hears each other gets on, whatever was lost before.
@Suite("No standstill") struct StandstillTests {
    private let p1 = ProcessID(1)
    private let p2 = ProcessID(2)
    private let p3 = ProcessID(3)

    /// p1 is elected by p2, which dies; p3 accepts its noop, and the answer is lost. The answer to a heartbeat
    /// says that p3 has everything, and nothing of what is durable there.
    @Test("a leader asks again when the answer to its first proposal was lost")
    func firstAnswerLost() {
        var cluster = Cluster.started(3)
        cluster.fire(.election, at: p1)
        for _ in 0..<2 {
            cluster.sync(p1)
            cluster.deliverAll(1, 2)
            cluster.sync(p2)
            cluster.deliverAll(2, 1)
        }
        #expect(cluster.replica(1).isLeader)
        cluster.crash(p2)
        cluster.deliverAll(1, 3)
        cluster.sync(p3)
        let lost = cluster.take(3, 1)
        #expect(lost.contains { if case .accepted = $0.message { true } else { false } })
        cluster.network = []
        cluster.sync(p1)
        cluster.step(.readRequested(ReadID(1)), at: p1)
        cluster.run(.seconds(3), among: [p1, p3])
        #expect(cluster[1].reads[ReadID(1)] != nil, "chosen up to \(cluster.replica(1).chosenUpTo)")
        #expect(cluster.violations == [])
    }

    /// p1 knows that a change is chosen; p2 leads, has accepted it, and waits for it to be chosen.
    @Test("a leader gets past a configuration that another process knows to be chosen")
    func configurationKnownElsewhere() {
        var cluster = Cluster.started(3)
        cluster.elect(1)
        cluster.step(.reconfigurationRequested(.init(process: p1, number: 1), .setQuorums(.majority)), at: p1)
        for other in [2, 3] as [UInt64] {
            cluster.deliverAll(1, other)
            cluster.sync(ProcessID(other))
        }
        cluster.sync(p1)
        cluster.deliverAll(2, 1)
        cluster.deliverAll(3, 1)
        #expect(cluster.replica(1).configuration.epoch == 2)
        #expect(cluster.replica(2).configuration.epoch == 1)

        // p2 is elected by p3, which dies before it accepts anything from it.
        cluster.sync(p1)
        cluster.network = []
        cluster.separate([1], [2, 3])
        for _ in 0..<3 {
            cluster.now = cluster.now + .seconds(2)
            cluster.fire(.election, at: p1)
        }
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
        #expect(cluster.replica(2).isLeader && cluster.replica(2).leadership?.barrier != nil)
        cluster.crash(p3)
        cluster.network = []
        cluster.cut = []

        cluster.propose("anything", 1, at: 2)
        cluster.run(.seconds(5), among: [p1, p2])
        #expect(cluster.hasApplied("anything"))
        #expect(cluster.violations == [])
    }

    /// Forty entries are open, each travels alone, and a round trip takes a fifth of an election timeout.
    private func longPhase1() -> Cluster {
        // One entry fits into a message.
        var cluster = Cluster.started(3) {
            $0.batchBytesLimit = Entry.payload(.init(process: p1, number: 1), Payload("40")).sizeHint
        }
        cluster.elect(1)
        for number in 1...40 as ClosedRange<UInt64> { cluster.propose("\(number)", number, at: 1) }
        cluster.run(.milliseconds(20), among: [p1, p2])
        for number in 41...80 as ClosedRange<UInt64> { cluster.propose("\(number)", number, at: 1) }
        for envelope in cluster.take(1, 2, where: { if case .accept = $0 { true } else { false } }) {
            cluster.deliver(envelope)
        }
        cluster.sync(p2)
        cluster.crash(p1)
        cluster.network = []
        cluster.now = cluster.now + .seconds(2)
        cluster.fire(.election, at: p2)
        cluster.network = []
        cluster.fire(.election, at: p3)
        return cluster
    }

    /// One message each way on every link, then a tenth of an election timeout passes and timers fire.
    private func exchange(_ cluster: inout Cluster, _ some: [ProcessID]) {
        for process in some { cluster.sync(process) }
        let sent = cluster.network
        cluster.network = []
        for envelope in sent where some.contains(envelope.receiver) { cluster.deliver(envelope) }
        cluster.now = cluster.now + .milliseconds(100)
        for process in some {
            for (timer, due) in cluster[process.rawValue].timers where due <= cluster.now {
                cluster.fire(timer, at: process)
            }
        }
    }

    /// Whoever answers copies keeps them going round, and where a network makes copies there are ever more.
    @Test("a copy of a promise has nothing asked again")
    func copyOfPromise() throws {
        var cluster = longPhase1()
        func promises() -> [Cluster.Envelope] {
            cluster.take(2, 3) { if case .promise(let it) = $0 { it.chunk.entries.count > 0 } else { false } }
        }
        var promise: Cluster.Envelope?
        for _ in 0..<10 where promise == nil {
            cluster.sync(p2)
            promise = promises().first
            if promise == nil { exchange(&cluster, [p2, p3]) }
        }
        cluster.network = []
        cluster.deliver(try #require(promise))
        cluster.sync(p3)
        #expect(!cluster.network.isEmpty)
        cluster.network = []
        cluster.deliver(try #require(promise))
        cluster.sync(p3)
        #expect(cluster.network.isEmpty)
    }

    /// The third process is down, or does not hear of the candidate and would follow the acceptor.
    @Test(
        "a candidate that gets further with phase 1 is left alone, however long that takes",
        arguments: [false, true])
    func longPhase1IsLeftAlone(thirdIsUp: Bool) {
        var cluster = longPhase1()
        if thirdIsUp {
            cluster.start(p1)
            cluster.separate([1], [3])
        }
        let open = cluster.replica(2).acceptor.accepted.last
        #expect(open > cluster.replica(2).chosenUpTo.advanced(by: 14))
        let some = thirdIsUp ? [p1, p2, p3] : [p2, p3]
        for _ in 0..<200 where !some.contains(where: { cluster.replica($0.rawValue).isLeader }) {
            exchange(&cluster, some)
        }
        #expect(cluster.replica(3).isLeader, "\(cluster.replica(2).ballot), \(cluster.replica(3).ballot)")
        for _ in 0..<200 where cluster.replica(3).chosenUpTo <= open { exchange(&cluster, some) }
        #expect(cluster.replica(3).chosenUpTo > open)
        #expect(cluster.violations == [])
    }

    /// p5 hears only p4, again and again; p4, p1 and p2 are a majority.
    @Test("a candidate that only repeats itself does not keep others from electing somebody")
    func repeatingCandidate() {
        var cluster = Cluster.started(5)
        cluster.crash(p3)
        cluster.fire(.election, at: ProcessID(5))
        for other in [1, 2, 4] as [UInt64] {
            cluster.deliverAll(5, other)
            cluster.deliverAll(other, 5)
        }
        cluster.sync(ProcessID(5))
        #expect(cluster.replica(5).preparing != nil)
        cluster.network.removeAll { $0.receiver != ProcessID(4) }
        cluster.separate([5], [1, 2])
        cluster.run(.seconds(8), among: [p1, p2, ProcessID(4), ProcessID(5)])
        #expect([1, 2, 4].contains { cluster.replica($0).isLeader })
        #expect(cluster.violations == [])
    }

    /// p2 has promised p3, which says the same again and again; p1 asks p2 whether it would follow.
    @Test("an acceptor waits an election timeout for a candidate that only repeats itself, and no longer")
    func repeatedPrepare() {
        var cluster = Cluster.started(3)
        let ballot = Ballot(round: 5, process: p3)
        let prepare = ReplicaMessage.Prepare(
            ballot: ballot, epoch: 1, from: Slot(1), successorOf: nil, progress: 0)
        func wouldFollow(round: UInt64) -> Bool {
            let canvass = ReplicaMessage.Canvass(
                ballot: Ballot(round: round, process: p1), epoch: 1, disk: nil)
            cluster.step(.received(.canvass(canvass), from: p1), at: p2)
            return cluster.take(2, 1).contains {
                if case .canvassed(let answer) = $0.message { answer.granted } else { false }
            }
        }
        let further = ReplicaMessage.Prepare(
            ballot: ballot, epoch: 1, from: Slot(1), successorOf: nil, progress: 1)
        cluster.step(.received(.prepare(prepare), from: p3), at: p2)
        cluster.step(.received(.prepare(further), from: p3), at: p2)
        #expect(!wouldFollow(round: 6))
        for _ in 0..<2 {
            cluster.now = cluster.now + .milliseconds(600)
            cluster.step(.received(.prepare(further), from: p3), at: p2)
        }
        #expect(cluster.replica(2).ballot == ballot && wouldFollow(round: 7))
    }

    @Test("one that gets no further is not waited for")
    func halfPhase1IsGivenUp() {
        var cluster = longPhase1()
        for _ in 0..<20 { exchange(&cluster, [p2, p3]) }
        #expect(cluster.replica(3).preparing?.steps ?? 0 > 2)
        cluster.crash(p3)
        cluster.start(p1)
        cluster.run(.seconds(5), among: [p1, p2])
        #expect(cluster.replica(1).isLeader || cluster.replica(2).isLeader)
        #expect(cluster.violations == [])
    }
}
