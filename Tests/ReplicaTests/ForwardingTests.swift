import Automata
import Paxos
import Testing

@testable import Replica

/// What a follower forwards when leadership is handed over meanwhile.
@Suite("Forwarding") struct ForwardingTests {
    private let p1 = ProcessID(1)
    private let p2 = ProcessID(2)
    private let p3 = ProcessID(3)

    private func settle(_ cluster: inout Cluster) {
        while true {
            for process in [p1, p2, p3] where !cluster[process.rawValue].pending.isEmpty {
                cluster.sync(process)
            }
            guard !cluster.network.isEmpty else { return }
            cluster.deliver(cluster.network.removeFirst())
        }
    }

    private func propose(_ number: UInt64, at process: ProcessID, _ cluster: inout Cluster) {
        let id = ProposalID(process: process, number: number)
        cluster.step(.proposed([Proposal(id: id, payload: Payload("\(number)"))]), at: process)
    }

    private func chosen(_ number: UInt64, of process: ProcessID, _ cluster: Cluster) -> Int {
        cluster.history.filter { entry in
            if case .payload(let id, _) = entry {
                id == ProposalID(process: process, number: number)
            } else {
                false
            }
        }.count
    }

    /// p1 leads; p2 has forwarded its proposal 1, which p1 holds because it hands over to p3.
    private func handover() -> Cluster {
        var cluster = Cluster([p1, p2, p3], bootstrap: Configuration(voters: [p1, p2, p3]))
        cluster.startAll()
        settle(&cluster)
        cluster.fire(.election, at: p1)
        settle(&cluster)
        cluster.cut = [[p1, p3]]
        cluster.step(.transferRequested(to: p3), at: p1)
        propose(1, at: p2, &cluster)
        settle(&cluster)
        cluster.cut = []
        #expect(cluster[2].refused.isEmpty && chosen(1, of: p2, cluster) == 0)
        return cluster
    }

    @Test(
        "a proposal that was refused as never proposed may be proposed again, whatever copies of the refusal come"
    )
    func copies() {
        var cluster = handover()
        cluster.fire(.heartbeat, at: p1)
        var refusals: [Cluster.Envelope] = []
        while !cluster.network.isEmpty || cluster.hosts.contains(where: { !$0.pending.isEmpty }) {
            for process in [p1, p2, p3] { cluster.sync(process) }
            guard !cluster.network.isEmpty else { continue }
            let envelope = cluster.network.removeFirst()
            if case .forwardRefused = envelope.message { refusals.append(envelope) }
            cluster.deliver(envelope)
        }
        #expect(cluster.replica(3).isLeader)
        #expect(cluster[2].refused.map(\.1) == [.outcomeUnknown, .notLeader])
        #expect(refusals.count == 1)

        // It is proposed again, and before the new leader has it the copy arrives.
        propose(1, at: p2, &cluster)
        let forwarded = cluster.network
        cluster.network = []
        for refusal in refusals { cluster.deliver(refusal) }
        #expect(cluster[2].refused.count == 2)
        cluster.network += forwarded
        settle(&cluster)
        #expect(chosen(1, of: p2, cluster) == 1)
        #expect(cluster.violations == [])
    }

    @Test("a leader that was deposed refuses only what it never proposed as never proposed")
    func proposedBefore() {
        var cluster = Cluster([p1, p2, p3], bootstrap: Configuration(voters: [p1, p2, p3]))
        cluster.startAll()
        settle(&cluster)
        cluster.fire(.election, at: p1)
        settle(&cluster)
        propose(1, at: p2, &cluster)
        let copies = cluster.network
        settle(&cluster)
        #expect(chosen(1, of: p2, cluster) == 1)
        propose(2, at: p2, &cluster)
        let late = cluster.network
        cluster.network = []
        cluster.now = cluster.now + .seconds(5)
        cluster.fire(.election, at: p3)
        settle(&cluster)
        #expect(cluster.replica(3).isLeader)

        cluster.network += copies + late + late
        var told: [[ProposalID]: [Refusal]] = [:]
        while !cluster.network.isEmpty {
            let envelope = cluster.network.removeFirst()
            if case .forwardRefused(let refused) = envelope.message {
                told[refused.proposals, default: []].append(refused.refusal)
            }
            cluster.deliver(envelope)
        }
        #expect(told[[ProposalID(process: p2, number: 1)]] == [.outcomeUnknown])
        #expect(told[[ProposalID(process: p2, number: 2)]] == [.notLeader, .outcomeUnknown])
        #expect(cluster[2].refused.last?.1 == .notLeader)
    }

    @Test("what was forwarded to a leader when it led before is not proposed now that it leads again")
    func earlierTimeAtTheHead() {
        var cluster = Cluster.started(3)
        cluster.elect(1)
        propose(1, at: p2, &cluster)
        let copies = cluster.network
        settle(&cluster)
        #expect(copies.count == 1 && chosen(1, of: p2, cluster) == 1)
        for process in [3, 1] as [UInt64] {
            cluster.now = cluster.now + .seconds(5)
            cluster.elect(process)
            #expect(cluster.replica(process).isLeader)
        }
        cluster.network += copies
        settle(&cluster)
        #expect(chosen(1, of: p2, cluster) == 1)
        #expect(cluster.violations == [])
    }

    @Test("of whatever copies of messages come in whatever order, each message is admitted once at most")
    func window() {
        let draws = RandomRun.Draws(5)
        var window = ForwardWindow(p2)
        var admitted: Set<[UInt64]> = []
        var newest = (incarnation: UInt64(1), sequence: UInt64(1))
        for _ in 0..<20_000 {
            if draws.source.next() % 1000 == 0 { newest = (newest.incarnation + 1, 1) }
            newest.sequence += draws.source.next() % 8 / 5
            let back = draws.source.next() % 100
            let sequence = newest.sequence > back ? newest.sequence - back : newest.sequence
            let isFirst = window.admit(incarnation: newest.incarnation, sequence: sequence)
            let wasAdmitted = admitted.contains([newest.incarnation, sequence])
            #expect(!isFirst || !wasAdmitted, "\(newest) admits \(sequence) again")
            if isFirst { admitted.insert([newest.incarnation, sequence]) }
            // None of these is so late that it would have to count as a copy though it is none.
            if back < 56 { #expect(isFirst || wasAdmitted, "\(newest) takes \(sequence) for a copy") }
        }
        let isOld = !window.admit(incarnation: newest.incarnation - 1, sequence: newest.sequence + 1)
        #expect(isOld)
    }

    @Test("what is in doubt is freed by the message that carried it, once, and forgotten in time")
    func doubtful() {
        var doubtful = DoubtfulProposals()
        doubtful.add([
            .init(number: 7, sequence: 2), .init(number: 3, sequence: 1), .init(number: 4, sequence: 0),
        ])
        #expect(!doubtful.settle(3, sequence: 2) && !doubtful.settle(4, sequence: 0))
        #expect(doubtful.settle(3, sequence: 1) && !doubtful.settle(3, sequence: 1))
        doubtful.expire()
        doubtful.add([.init(number: 9, sequence: 3)])
        #expect(doubtful.settle(7, sequence: 2) && !doubtful.isEmpty)
        doubtful.expire()
        doubtful.expire()
        #expect(doubtful.isEmpty && !doubtful.settle(9, sequence: 3))
    }
}
