import Automata
import Paxos
import Testing

@testable import Replica

/// Members that lose their disk and come back under their old name.
@Suite("Standing") struct StandingTests {
    private let ids = (1...3).map { ProcessID($0) }

    private func cluster() -> Cluster {
        let disks = ids.map { Configuration.MemberDisk($0, DiskID($0.rawValue * 11)) }
        var cluster = Cluster(ids, bootstrap: Configuration(voters: ids, disks: disks))
        for id in ids { cluster[id.rawValue] = cluster[id.rawValue].with(disk: DiskID(id.rawValue * 11)) }
        return cluster
    }

    private func settle(_ cluster: inout Cluster) {
        for _ in 0..<200
        where !cluster.network.isEmpty || cluster.hosts.contains(where: { !$0.pending.isEmpty }) {
            for id in ids { cluster.sync(id) }
            let sent = cluster.network
            cluster.network = []
            for envelope in sent { cluster.deliver(envelope) }
        }
    }

    private func elect(_ process: UInt64, _ cluster: inout Cluster) {
        cluster.now = cluster.now + .seconds(5)
        cluster.fire(.election, at: ProcessID(process))
        settle(&cluster)
    }

    private func propose(_ text: String, at process: UInt64, _ cluster: inout Cluster) {
        let id = ProposalID(process: ProcessID(process), number: UInt64(cluster.history.count + 100))
        cluster.step(.proposed([Proposal(id: id, payload: Payload(text))]), at: ProcessID(process))
        settle(&cluster)
    }

    private func has(_ text: String, _ cluster: Cluster, at process: UInt64) -> Bool {
        cluster[process].applied.contains { if case .payload(_, Payload(text)) = $0 { true } else { false } }
    }

    /// p1 leads p2 while p3 is away, and x is chosen by the two; then p1 goes away and p2 loses its disk.
    private func story() -> Cluster {
        var cluster = cluster()
        cluster.startAll()
        settle(&cluster)
        elect(1, &cluster)
        cluster.crash(ProcessID(3))
        propose("x", at: 1, &cluster)
        #expect(has("x", cluster, at: 2))
        cluster.crash(ProcessID(1))
        cluster.crash(ProcessID(2))
        cluster[2] = cluster[2].wiped(disk: DiskID(222))
        cluster.start(ProcessID(2))
        cluster.start(ProcessID(3))
        settle(&cluster)
        return cluster
    }

    @Test("a member that lost its disk neither elects nor stands, so what it had acknowledged is not lost")
    func wipedMemberHasNoVote() {
        var cluster = story()
        for _ in 0..<5 {
            elect(3, &cluster)
            elect(2, &cluster)
        }
        #expect(!cluster.replica(2).isLeader && !cluster.replica(3).isLeader)
        #expect(cluster.replica(2).hasLostItsVote && !cluster.replica(2).takesPart)
        cluster.start(ProcessID(1))
        settle(&cluster)
        elect(3, &cluster)
        #expect(cluster.replica(3).isLeader)
        propose("y", at: 3, &cluster)
        for process: UInt64 in 1...3 {
            #expect(has("x", cluster, at: process) && has("y", cluster, at: process), "p\(process)")
        }
        #expect(cluster.violations == [])
    }

    @Test("it follows and applies what is chosen, and its acceptances choose nothing")
    func wipedMemberFollows() {
        var cluster = story()
        cluster.start(ProcessID(1))
        settle(&cluster)
        elect(3, &cluster)
        cluster.fire(.heartbeat, at: ProcessID(3))
        settle(&cluster)
        #expect(cluster.replica(3).votersWithoutVote.map(\.process) == [ProcessID(2)])
        #expect(cluster.replica(3).votersWithoutVote.first?.disk == DiskID(222))
        cluster.crash(ProcessID(1))
        let chosen = cluster.replica(3).chosenUpTo
        propose("z", at: 3, &cluster)
        #expect(cluster.replica(3).chosenUpTo == chosen)
        #expect(cluster.replica(2).acceptedUpTo > chosen)
        #expect(!has("z", cluster, at: 2) && !has("z", cluster, at: 3))
        // Nor does its answer to a round say that the ballot stands.
        cluster.step(.readRequested(ReadID(9)), at: ProcessID(3))
        settle(&cluster)
        cluster.fire(.heartbeat, at: ProcessID(3))
        settle(&cluster)
        #expect(cluster[3].reads[ReadID(9)] == nil)
    }

    @Test("it asks a leader for nothing, because its numbers are those of its former life")
    func wipedMemberServesNobody() {
        var cluster = story()
        cluster.start(ProcessID(1))
        settle(&cluster)
        elect(3, &cluster)
        cluster.fire(.heartbeat, at: ProcessID(3))
        settle(&cluster)
        #expect(cluster.replica(2).leader == ProcessID(3))
        cluster.step(.readRequested(ReadID(1)), at: ProcessID(2))
        #expect(cluster[2].reads[ReadID(1)] == .some(nil))
        propose("mine", at: 2, &cluster)
        #expect(cluster[2].refused.map(\.1) == [.noLeader])
    }

    @Test("a promise is asked of a disk, also of one whose process does not know yet that it is a voter")
    func addressedDisk() {
        var outputs: [ReplicaOutput] = []
        var settings = Replica.Settings(process: ProcessID(4))
        settings.disk = DiskID(44)
        var replica = Replica(settings: settings, recovered: .joining)
        replica.step(.start, at: .zero, into: &outputs)
        func answers(_ disk: DiskID?, round: UInt64) -> Bool {
            outputs = []
            let prepare = ReplicaMessage.Prepare(
                ballot: Ballot(round: round, process: ProcessID(1)), epoch: 2, from: Slot(1),
                successorOf: nil,
                progress: 0, disk: disk)
            replica.step(.received(.prepare(prepare), from: ProcessID(1)), at: .zero, into: &outputs)
            return outputs.contains { if case .send(.promise, _, _) = $0 { true } else { false } }
        }
        #expect(!answers(DiskID(43), round: 1))
        #expect(!answers(nil, round: 2))
        #expect(answers(DiskID(44), round: 3))
    }

    @Test("whether it would follow is asked of a disk as well")
    func canvassedDisk() {
        var cluster = story()
        cluster.network = []
        func answers(_ disk: UInt64, round: UInt64) -> Bool {
            let canvass = ReplicaMessage.Canvass(
                ballot: Ballot(round: round, process: ProcessID(3)), epoch: 1, disk: DiskID(disk))
            cluster.step(.received(.canvass(canvass), from: ProcessID(3)), at: ProcessID(2))
            return !cluster.take(2, 3).isEmpty
        }
        #expect(!answers(22, round: 7))
        #expect(answers(222, round: 8))
    }

    @Test("acceptances of a process that has just learnt that it is a voter count")
    func learnsThatItVotes() throws {
        var cluster = cluster()
        cluster.startAll()
        settle(&cluster)
        elect(1, &cluster)
        // p2 accepts as a follower that does not know its vote, then says that it has one.
        let ballot = cluster.replica(1).ballot
        cluster.cut = [[ProcessID(1), ProcessID(2)], [ProcessID(1), ProcessID(3)]]
        propose("x", at: 1, &cluster)
        let last = cluster.replica(1).acceptedUpTo
        let chosen = cluster.replica(1).chosenUpTo
        #expect(chosen < last)
        let disk = ReplicaMessage.Standing(isVote: false, disk: DiskID(22))
        cluster.step(
            .received(.accepted(.init(ballot: ballot, upTo: last, standing: disk)), from: ProcessID(2)),
            at: ProcessID(1))
        #expect(cluster.replica(1).chosenUpTo == chosen)
        let answer = ReplicaMessage.HeartbeatAnswer(
            ballot: ballot, round: 1, acceptedUpTo: last, chosenUpTo: chosen,
            standing: .init(isVote: true, disk: DiskID(22)))
        cluster.step(.received(.heartbeatAnswer(answer), from: ProcessID(2)), at: ProcessID(1))
        #expect(cluster.replica(1).chosenUpTo == last)
    }

    @Test("what another disk of the process had accepted does not count for the one that votes")
    func followedOnAnotherDisk() {
        var cluster = cluster()
        cluster.startAll()
        settle(&cluster)
        elect(1, &cluster)
        let ballot = cluster.replica(1).ballot
        cluster.separate([1], [2, 3])
        propose("x", at: 1, &cluster)
        let (chosen, last) = (cluster.replica(1).chosenUpTo, cluster.replica(1).acceptedUpTo)
        #expect(chosen < last)
        func hear(upTo slot: Slot, isVote: Bool, _ disk: UInt64) {
            let answer = ReplicaMessage.Accepted(
                ballot: ballot, upTo: slot, standing: .init(isVote: isVote, disk: DiskID(disk)))
            cluster.step(.received(.accepted(answer), from: ProcessID(2)), at: ProcessID(1))
        }
        hear(upTo: last, isVote: false, 99)
        hear(upTo: chosen, isVote: true, 22)
        #expect(cluster.replica(1).chosenUpTo == chosen)
        hear(upTo: last, isVote: true, 22)
        #expect(cluster.replica(1).chosenUpTo == last)
    }

    @Test(
        "whoever knows more to be chosen than a leader can have missed is reported, once a quorum stands by it"
    )
    func contradiction() {
        var cluster = cluster()
        cluster.startAll()
        settle(&cluster)
        elect(1, &cluster)
        propose("x", at: 1, &cluster)
        let ballot = cluster.replica(1).ballot
        let beyond = cluster.replica(1).acceptedUpTo.advanced(by: 3)
        let answer = ReplicaMessage.HeartbeatAnswer(
            ballot: ballot, round: 1, acceptedUpTo: beyond, chosenUpTo: beyond,
            standing: .init(isVote: true, disk: DiskID(33)))
        cluster.step(.received(.heartbeatAnswer(answer), from: ProcessID(3)), at: ProcessID(1))
        // A higher ballot may have chosen it; then no quorum will answer a new round of this one.
        #expect(cluster.contradictions.isEmpty)
        cluster.cut = [[ProcessID(1), ProcessID(2)], [ProcessID(1), ProcessID(3)]]
        cluster.fire(.heartbeat, at: ProcessID(1))
        settle(&cluster)
        #expect(cluster.contradictions.isEmpty)
        cluster.cut = []
        cluster.fire(.heartbeat, at: ProcessID(1))
        settle(&cluster)
        #expect(cluster.contradictions.map(\.other) == [ProcessID(3)])
        #expect(cluster.contradictions.map(\.slot) == [beyond])
        cluster.step(.received(.heartbeatAnswer(answer), from: ProcessID(3)), at: ProcessID(1))
        cluster.fire(.heartbeat, at: ProcessID(1))
        settle(&cluster)
        #expect(cluster.contradictions.count == 1)
    }
}

extension Host {
    fileprivate func with(disk: DiskID) -> Host {
        var settings = settings
        settings.disk = disk
        return Host(settings: settings, bootstrap: bootstrap)
    }

    /// The same member on an empty disk that has heard how the cluster was formed.
    fileprivate func wiped(disk: DiskID) -> Host { with(disk: disk) }
}
