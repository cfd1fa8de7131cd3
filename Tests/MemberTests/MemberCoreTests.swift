import Automata
import Coordination
import Paxos
import Replica
import Testing

@testable import Member

@Suite("A member as a value") struct MemberCoreTests {
    @Test("a put is answered with its outcome once it is applied, and not before")
    func put() throws {
        var desk = try MemberDesk()
        #expect(desk.member.glance.isLeading)
        desk.put("a")
        #expect(desk.answers.isEmpty)
        try desk.write()
        #expect(desk.answers.count == 1)
        guard case .success(.outcome(let outcome, _)) = desk.answers[0].result else {
            Issue.record("\(desk.answers)")
            return
        }
        #expect(outcome as? KeyValueOutcome == .put(previous: nil, revision: 2))
    }

    @Test("a read is answered only when what was chosen before it is applied")
    func read() throws {
        var desk = try MemberDesk()
        try desk.write()
        desk.put("a", token: 1)
        desk.ask(.linearizableRead, token: 2)
        #expect(desk.answers.isEmpty)
        try desk.write()
        #expect(desk.answers.map(\.token) == [1, 2])
    }

    @Test("without a leader a request waits, and ends when its time is over")
    func held() throws {
        var desk = try MemberDesk(voters: [1, 2, 3])
        desk.put("a")
        desk.ask(.linearizableRead, token: 2)
        desk.pass(.seconds(7))
        desk.beat()
        #expect(desk.answers.isEmpty)
        desk.pass(.seconds(1))
        desk.beat()
        #expect(desk.answers.map(\.token).sorted() == [1, 2])
        for (_, result) in desk.answers {
            guard case .failure(.timedOut) = result else {
                Issue.record("\(result)")
                continue
            }
        }
    }

    @Test("past the limit of requests the next is refused at once, and the others are not touched")
    func limit() throws {
        var desk = try MemberDesk { $0.pendingRequestLimit = 2 }
        try desk.write()
        for token in 1...3 as ClosedRange<UInt64> { desk.put("a", token: token) }
        #expect(desk.answers.map(\.token) == [3])
        guard case .failure(.tooManyRequests) = desk.answers[0].result else {
            Issue.record("\(desk.answers)")
            return
        }
        try desk.write()
        #expect(desk.answers.map(\.token) == [3, 1, 2])
    }

    @Test("a store without room keeps the batch, refuses what needs room, and goes on when there is some")
    func full() throws {
        var desk = try MemberDesk()
        try desk.write()
        desk.store.capacity = desk.store.size.inUse
        desk.put("a", token: 1)
        try desk.write()
        #expect(desk.answers.isEmpty && desk.reports.contains(.storeFull))
        desk.put("b", token: 2)
        #expect(desk.answers.map(\.token) == [2])
        guard case .success(.outcome(let outcome, _)) = desk.answers[0].result else {
            Issue.record("\(desk.answers)")
            return
        }
        #expect(outcome as? KeyValueOutcome == .refused(.noSpace, revision: 1))
        // Not before its time.
        #expect(!desk.member.glance.isBatchDue)
        desk.store.capacity = nil
        desk.pass(.seconds(1))
        desk.beat()
        try desk.write()
        #expect(desk.answers.map(\.token) == [2, 1])
        #expect(desk.reports.contains(.storeHasRoom) && desk.reports.contains(.raisesNoSpace))
    }

    @Test("past the quota the alarm is raised once, by a command of the log")
    func quota() throws {
        var desk = try MemberDesk { $0.limits.quotaBytes = 100 }
        try desk.write()
        let reading = StoreReading(bytesInUse: 101, bytesWrittenSincePoint: 0, isSpaceLow: false)
        desk.beat(reading)
        desk.beat(reading)
        try desk.write()
        #expect(desk.member.applier.ledger.alarms == [Alarm(member: 1, kind: .noSpace)])
        desk.pass(.seconds(5))
        desk.beat(reading)
        #expect(desk.reports.count { $0 == .raisesNoSpace } == 1)
    }

    @Test("what is applied is made durable when enough was, and not again before that has ended")
    func points() throws {
        var desk = try MemberDesk { $0.checkpointEntries = 2 }
        let reading = StoreReading(bytesInUse: 0, bytesWrittenSincePoint: 0, isSpaceLow: false)
        for token in 1...4 as ClosedRange<UInt64> { desk.put("a", token: token) }
        try desk.write()
        desk.pass(.seconds(1))
        func wanted(_ desk: MemberDesk) -> Int {
            desk.others.count { if case .makeDurable = $0 { true } else { false } }
        }
        desk.beat(reading)
        #expect(wanted(desk) == 1)
        for token in 5...8 as ClosedRange<UInt64> { desk.put("a", token: token) }
        try desk.write()
        desk.pass(.seconds(10))
        desk.beat(reading)
        #expect(wanted(desk) == 1)
        desk.tell(.stored(upTo: desk.member.applier.applied))
        desk.beat(reading)
        #expect(wanted(desk) == 2)
    }

    @Test(
        "what is chosen by a record that has become durable is to be applied at once, not with the next beat")
    func chosenByADurableRecord() throws {
        var desk = try MemberDesk()
        try desk.write()
        #expect(!desk.member.glance.isBatchDue)
        // The last that the desk tells of it is that the record is durable.
        desk.put("a")
        #expect(desk.member.glance.isBatchDue)
    }

    @Test(
        "a read that is not to be before a revision waits until that is applied, for as long as a request may"
    )
    func readNotBefore() throws {
        var desk = try MemberDesk()
        desk.ask(.read(notBefore: 1), token: 1)
        #expect(desk.answers.map(\.token) == [1])
        desk.ask(.read(notBefore: 3), token: 2)
        desk.ask(.read(notBefore: 2), token: 3)
        desk.put("a", token: 4)
        #expect(desk.answers.map(\.token) == [1])
        try desk.write()
        #expect(Set(desk.answers.map(\.token)) == [1, 3, 4])
        desk.pass(.seconds(8))
        desk.beat()
        #expect(desk.answers.last?.token == 2)
        guard case .failure(.timedOut)? = desk.answers.last?.result else {
            Issue.record("\(desk.answers)")
            return
        }
        // Nothing is read in a store that may have lost something.
        desk.tell(.pointFailed(StoreError(.full, "no room"), isSyncFailed: true))
        desk.ask(.read(notBefore: 1), token: 5)
        #expect(!desk.answers.contains { $0.token == 5 })
        let applied = desk.member.applier
        let copy = StoreCopyStanding(
            applied: applied.applied, durable: applied.applied, revision: applied.ledger.revision)
        desk.tell(.storeCopied(copy))
        desk.tell(.storeSwitched(copy))
        #expect(desk.answers.last?.token == 5)
    }

    @Test("who has no leader reads what it has applied all the same")
    func readWithoutLeader() throws {
        var desk = try MemberDesk(voters: [1, 2, 3])
        desk.ask(.read(notBefore: 1), token: 1)
        #expect(desk.answers.map(\.token) == [1])
    }

    @Test("a member knows when it heard from its leader last, and a leader when from a quorum")
    func leaderContact() throws {
        var desk = try MemberDesk()
        desk.ask(.linearizableRead)
        desk.beat()
        #expect(desk.member.glance.leaderHeard == desk.now)
        let alone = try MemberDesk(voters: [1, 2, 3])
        #expect(alone.member.glance.leaderHeard == nil)
    }

    @Test("who waits for a compaction is answered when everything is removed")
    func compaction() throws {
        var desk = try MemberDesk()
        for token in 1...5 as ClosedRange<UInt64> { desk.put("a", token: token) }
        desk.ask(.command(EntryPayload.encode(KeyValueCommand.compact(revision: 5).command)), token: 6)
        desk.ask(.compactionFinished(5), token: 7)
        #expect(!desk.answers.contains { $0.token == 7 })
        try desk.write()
        #expect(desk.answers.last?.token == 7)
    }

    @Test("a compaction that found no room is tried again, though nothing else is to be written")
    func compactionWithoutRoom() throws {
        var desk = try MemberDesk()
        for token in 1...5 as ClosedRange<UInt64> { desk.put("a", token: token) }
        desk.ask(.command(EntryPayload.encode(KeyValueCommand.compact(revision: 5).command)), token: 6)
        // The alarm is raised and the member has told of itself, so that no proposal of its own comes and finds room.
        try desk.write(compacts: false)
        desk.beat()
        let alarm = LedgerCommand.setAlarm(Alarm(member: 1, kind: .noSpace), raised: true)
        desk.ask(.command(EntryPayload.encode(alarm.command)), token: 8)
        try desk.write(compacts: false)
        desk.tell(.storeFull)
        desk.ask(.compactionFinished(5), token: 7)
        try desk.write()
        #expect(!desk.answers.contains { $0.token == 7 })
        desk.pass(.seconds(1))
        desk.beat()
        try desk.write()
        #expect(desk.answers.last?.token == 7 && desk.reports.contains(.storeHasRoom))
    }

    @Test("a member tells how it can be reached until the store says so, and then no more")
    func addresses() throws {
        var desk = try MemberDesk()
        try desk.write()
        desk.beat()
        try desk.write()
        #expect(desk.member.applier.members.map(\.peerURLs) == [["http://one"]])
        let revision = desk.member.applier.applied
        desk.pass(.seconds(5))
        desk.beat()
        try desk.write()
        #expect(desk.member.applier.applied == revision)
    }

    @Test(
        "the end of leases that a leader could not propose is proposed by nobody else, and what a client wants is"
    )
    func expiryOfAnEarlierLeader() throws {
        var desk = try MemberDesk()
        try desk.write()
        let grant = LedgerCommand.grantLease(LeaseID(7), seconds: 2)
        desk.ask(.command(EntryPayload.encode(grant.command)), token: 1)
        try desk.write()
        desk.pass(.milliseconds(500))
        desk.tell(.timerFired(.heartbeat))
        desk.pass(.seconds(2))
        desk.tell(.timerFired(.heartbeat))
        desk.put("a", token: 2)
        desk.beat()
        #expect(desk.member.proposals.count == 2)
        var outputs: [MemberOutput] = []
        for number in 2...3 as ClosedRange<UInt64> {
            desk.member.onProposalRefused(
                ProposalID(process: ProcessID(1), number: number), .notLeader, &outputs)
        }
        #expect(desk.member.proposals.held.count == 1 && desk.member.proposals.count == 1)
        guard case .client? = desk.member.proposals[desk.member.proposals.held[0]]?.origin else {
            Issue.record("\(desk.member.proposals)")
            return
        }
    }

    @Test("a member that is alone stops at once, and refuses what comes later")
    func stop() throws {
        var desk = try MemberDesk()
        desk.tell(.stop)
        #expect(desk.others.contains { if case .stopped = $0 { true } else { false } })
        desk.put("a")
        guard case .failure(.stopped)? = desk.answers.last?.result else {
            Issue.record("\(desk.answers)")
            return
        }
    }
}
