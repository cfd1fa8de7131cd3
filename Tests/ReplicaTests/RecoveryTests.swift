import Automata
import Paxos
import Testing

@testable import Replica

/// After a restart the log's floor, its end, the highest slot that it says is chosen, and the slot of the state
/// machine may stand in any order that a host can bring about.
@Suite("Recovery from log and state machine") struct RecoveryTests {
    private let me = ProcessID(1)
    private var alone: Configuration { Configuration(voters: [me]) }
    private var ballot: Ballot { Ballot(round: 1, process: me) }

    private func recovered(_ records: [ReplicaRecord], storedUpTo stored: Slot) throws -> Replica {
        var durable = ReplicaDurableState(storedUpTo: stored, alone)
        for record in records { try durable.absorb(record) }
        var replica = Replica(settings: .init(process: me), recovered: durable)
        #expect(replica.brokenInvariants == [])
        var outputs: [ReplicaOutput] = []
        replica.step(.start, at: Instant(nanoseconds: 1), into: &outputs)
        #expect(replica.brokenInvariants == [])
        return replica
    }

    /// Every order of floor, end, hint and stored slot up to four.
    @Test(
        "whatever of its past the log still holds, the process starts where its state machine is, and goes on"
    )
    func anyOrder() throws {
        for floor in 0...3 as ClosedRange<UInt64> {
            for end in floor...4 {
                for hint in 0...4 as ClosedRange<UInt64> {
                    for stored in max(floor, hint > end ? hint : 0)...5 {
                        var records: [ReplicaRecord] = [
                            .started(incarnation: 1, isMember: true), .promised(ballot),
                        ]
                        if floor > 0 { records.append(.floor(Slot(floor))) }
                        if end > floor {
                            let entries = Array(repeating: Entry.noop, count: Int(end - floor))
                            records.append(
                                .accepted(
                                    .init(
                                        ballot: ballot, first: Slot(floor + 1), entries: entries,
                                        chosenUpTo: .zero)))
                        }
                        if hint > 0 { records.append(.chosen(upTo: Slot(hint))) }
                        let replica = try recovered(records, storedUpTo: Slot(stored))
                        #expect(replica.chosenUpTo >= Slot(stored))
                        // What is not known to be chosen there may be another value, replaced by a checkpoint.
                        if max(hint, floor) < stored {
                            #expect(replica.acceptor.accepted.floor >= Slot(stored))
                        }
                        #expect(replica.acceptor.accepted.last >= Slot(max(stored, end)))
                    }
                }
            }
        }
    }

    @Test("a new segment of the log repeats what was promised and where the log begins")
    func preamble() throws {
        var cluster = Cluster.started(3) { $0.catchUpEntries = 0 }
        cluster.segmentRecords = 1
        cluster.elect(1)
        cluster.propose("a", 1, at: 1)
        cluster.settle()
        cluster.fire(.heartbeat, at: me)
        cluster.settle()
        for process in cluster.everybody { cluster.store(process) }
        cluster.settle()
        // The last word before the segment is cut is a promise, and then everything before it may go.
        let other = ProcessID(2)
        let higher = Ballot(round: 9, process: ProcessID(3))
        cluster.step(
            .received(
                .prepare(.init(ballot: higher, epoch: 1, from: Slot(1), successorOf: nil, progress: 0)),
                from: higher.process), at: other)
        cluster.sync(other)
        cluster[2].segments.removeFirst(cluster[2].segments.count - 1)
        cluster.crash(other)
        cluster.start(other)
        #expect(cluster.replica(2).ballot == higher)
        #expect(cluster.replica(2).incarnation == 2)
        #expect(cluster.violations == [])
    }

    /// Else it would repeat the incarnations of a life on a disk that was lost.
    @Test("lives are counted from a floor where nothing is remembered, and else from the life before")
    func incarnations() throws {
        var settings = Replica.Settings(process: me)
        settings.incarnationFloor = 700
        var durable = ReplicaDurableState(bootstrap: alone)
        #expect(Replica(settings: settings, recovered: durable).incarnation == 701)
        try durable.absorb(.started(incarnation: 5, isMember: true))
        #expect(Replica(settings: settings, recovered: durable).incarnation == 6)
    }

    @Test("a checkpoint brings the configuration that is in force behind it, and so does a restart from it")
    func configurationOfACheckpoint() {
        var cluster = Cluster.started(3) { $0.catchUpEntries = 0 }
        cluster.elect(1)
        cluster.crash(ProcessID(3))
        let id = ProposalID(process: me, number: 1)
        cluster.step(.reconfigurationRequested(id, .setQuorums(.flexible(phase1: 2, phase2: 2))), at: me)
        cluster.settle()
        cluster.propose("a", 2, at: 1)
        cluster.settle()
        let configuration = cluster.replica(1).configuration
        #expect(configuration.epoch == 2 && cluster.hasApplied("a"))
        cluster.store(me)
        cluster.start(ProcessID(3))
        for _ in 0..<3 {
            cluster.fire(.heartbeat, at: me)
            cluster.settle()
        }
        #expect(cluster.replica(3).acceptor.accepted.floor > .zero)
        #expect(cluster.replica(3).configuration == configuration)
        cluster.crash(ProcessID(3))
        cluster.start(ProcessID(3))
        #expect(cluster.replica(3).configuration == configuration)
        #expect(cluster.violations == [])
    }

    /// Chooses something, stores it, and starts again; a log segment is cut wherever one can be.
    @Test(
        "a process that keeps nothing behind its state machine starts again, however often",
        arguments: [0, 1], [0, 40])
    func keepsNothing(entries: Int, bytes: Int) {
        var cluster = Cluster([me], bootstrap: alone) {
            $0.catchUpEntries = entries
            $0.catchUpBytes = bytes
        }
        cluster.segmentRecords = 1
        for life in 1...4 as ClosedRange<UInt64> {
            cluster.start(me)
            cluster.sync(me)
            for number in 1...3 as ClosedRange<UInt64> {
                cluster.propose("value \(number) of life \(life)", life << 32 | number, at: 1)
                cluster.settle()
                cluster.store(me)
                cluster.settle()
            }
            #expect(cluster.hasApplied("value 3 of life \(life)"))
            cluster.crash(me)
        }
        #expect(cluster.violations == [])
    }
}
