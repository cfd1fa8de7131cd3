import Automata
import Paxos
import Testing

@testable import Replica

/// What the simulator has found, reduced to the steps that matter.
@Suite("Found by simulation") struct RegressionTests {
    private let p1 = ProcessID(1)
    private let p2 = ProcessID(2)
    private let p3 = ProcessID(3)

    /// Delivers and syncs until nothing is under way.
    private func settle(_ cluster: inout Cluster) {
        while true {
            for process in [p1, p2, p3] where !cluster[process.rawValue].pending.isEmpty {
                cluster.sync(process)
            }
            guard !cluster.network.isEmpty else { return }
            cluster.deliver(cluster.network.removeFirst())
        }
    }

    private func isolate(_ process: ProcessID, _ cluster: inout Cluster) {
        cluster.cut = []
        for other in [p1, p2, p3] where other != process {
            cluster.cut.insert([process, other])
            cluster.cut.insert([other, process])
        }
    }

    private func elect(_ process: ProcessID, _ cluster: inout Cluster) {
        cluster.now = cluster.now + .seconds(5)
        cluster.fire(.election, at: process)
        settle(&cluster)
    }

    @Test("a change of configuration that lost its slot to another prefix is not proposed again after it")
    func staleConfiguration() {
        var cluster = Cluster([p1, p2, p3], bootstrap: Configuration(voters: [p1, p2, p3]))
        cluster.startAll()
        settle(&cluster)
        elect(p2, &cluster)
        #expect(cluster.replica(2).isLeader)

        // p2 accepts a payload and a change of its own that nobody else hears of.
        isolate(p2, &cluster)
        let payload = Proposal(id: ProposalID(process: p2, number: 1), payload: Payload("a"))
        cluster.step(.proposed([payload]), at: p2)
        cluster.step(.proposed([Proposal(id: .init(process: p2, number: 2), payload: Payload("b"))]), at: p2)
        cluster.step(.reconfigurationRequested(.init(process: p2, number: 3), .remove(p1)), at: p2)
        settle(&cluster)

        // p1 leads, and changes the configuration in an earlier slot.
        elect(p1, &cluster)
        #expect(cluster.replica(1).isLeader)
        cluster.step(
            .reconfigurationRequested(.init(process: p1, number: 1), .setQuorums(.majority)), at: p1)
        while cluster.replica(1).configuration.epoch == 1 {
            for process in [p1, p3] { cluster.sync(process) }
            guard !cluster.network.isEmpty else { break }
            cluster.deliver(cluster.network.removeFirst())
        }
        #expect(cluster.replica(1).configuration.epoch == 2)

        // It enters that configuration with p2, which tells of its own change.
        cluster.network = []
        isolate(p3, &cluster)
        for number in 1...6 as ClosedRange<UInt64> {
            cluster.fire(.resend, at: p1)
            cluster.fire(.heartbeat, at: p1)
            settle(&cluster)
            cluster.step(
                .proposed([Proposal(id: .init(process: p1, number: 10 + number), payload: Payload("c"))]),
                at: p1)
            settle(&cluster)
        }
        #expect(cluster.violations == [])
        #expect(cluster.replica(1).configuration.voters == [p1, p2, p3])
        let payloads = cluster.history.filter {
            if case .payload(let id, _) = $0 { id.process == p1 } else { false }
        }
        #expect(payloads.count == 6)
        #expect(cluster[2].applied.count >= cluster.history.count - 1)
    }

    @Test("a read that takes longer than the interval at which it is asked for again is answered")
    func slowRead() {
        var reads = ForwardedReads()
        reads.waiting = [ReadID(1)]
        let first = reads.ask()
        // Asked again before the answer to the first request has come, while another read waits.
        reads.waiting = [ReadID(2)]
        #expect(reads.ask() == first)
        #expect(reads.takeAsked() == [ReadID(1)])
        #expect(reads.ask() == first + 1)
        #expect(reads.takeAsked() == [ReadID(2)])
    }

    @Test("a copy of what was confirmed already does not close the window of a process for good")
    func confirmedCopy() {
        var peer = Peer(p2, next: Slot(5), isProbing: true, pace: Pace(batchBytes: 1 << 20, messages: 16))
        peer.noteSent(1, 100, told: .zero)
        peer.noteAccepted(Slot(5))
        // An answer to an earlier heartbeat arrives late, so slot 5 is sent again; the answer to that is lost.
        peer.accepted = Slot(4)
        peer.reachedAtPulse = Slot(4)
        peer.noteStall(confirmed: Slot(5))
        #expect(peer.next == Slot(5) && peer.isProbing)
        peer.noteSent(1, 100, told: .zero)
        #expect(peer.unanswered.map(\.last) == [Slot(5)])
        peer.noteStall(confirmed: Slot(5))
        #expect(peer.unanswered.isEmpty && peer.unansweredBytes == 0)
    }
}
