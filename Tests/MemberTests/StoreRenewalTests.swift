import Automata
import Coordination
import Paxos
import Replica
import Testing

@testable import Member

extension MemberDesk {
    fileprivate static let noRoom = StoreError(.full, "no room")

    /// What the member wants of the store, in a word each, since this was last asked.
    fileprivate mutating func wants() -> [String] {
        defer { others = [] }
        return others.compactMap { output in
            switch output {
            case .makeDurable: "make durable"
            case .copyStore(let source): "copy \(source)"
            case .catchUpCopy(let entries): "catch up \(entries.count)"
            case .switchStore(let entries): "switch \(entries.count)"
            case .placeCopy: "place"
            case .discardCopy: "discard"
            case .suspendStore: "suspend"
            case .installCheckpoint(let id): "install \(id.rawValue)"
            case .refuseCheckpoint(let id, let refusal): "refuse \(id.rawValue): \(refusal)"
            case .trim: "trim"
            case .fail: "fail"
            default: nil
            }
        }
    }

    fileprivate var applied: UInt64 { member.applier.applied.rawValue }

    fileprivate func standing(_ applied: UInt64, durable: UInt64? = nil) -> StoreCopyStanding {
        .init(
            applied: Slot(applied), durable: Slot(durable ?? applied),
            revision: member.applier.ledger.revision)
    }

    /// A member that has applied some puts, and from which nothing is wanted.
    fileprivate static func busy(puts: Int = 5) throws -> MemberDesk {
        var desk = try MemberDesk { $0.checkpointEntries = 1 }
        for token in 1...UInt64(puts) { desk.put("a", token: token) }
        try desk.write()
        desk.beat()
        try desk.write()
        desk.answers = []
        _ = desk.wants()
        return desk
    }

    fileprivate mutating func switchIn() {
        tell(.storeCopied(standing(applied)))
        tell(.storeSwitched(standing(applied)))
    }
}

@Suite("The store made anew, as the member decides it") struct StoreRenewalTests {
    private let reading = StoreReading(bytesInUse: 0, bytesWrittenSincePoint: 0, isSpaceLow: false)

    @Test("who asks for defragmentation is answered once the copy is in place, and so is who asked meanwhile")
    func defragment() throws {
        var desk = try MemberDesk.busy()
        desk.ask(.defragment, token: 1)
        desk.ask(.defragment, token: 2)
        #expect(desk.wants() == ["copy latest"])
        desk.tell(.storeCopied(desk.standing(desk.applied - 1)))
        #expect(desk.wants() == ["switch 1"])
        desk.tell(.storeSwitched(desk.standing(desk.applied)))
        #expect(desk.wants() == ["place"] && desk.answers.isEmpty)
        desk.tell(.copyPlaced)
        #expect(desk.answers.map(\.token) == [1, 2])
        #expect(
            desk.reports.contains { if case .storeMadeAnew(_, true, true) = $0 { true } else { false } })
    }

    @Test("a copy that lacks much catches up before it takes the store's place")
    func catchesUp() throws {
        var desk = try MemberDesk.busy(puts: 300)
        desk.ask(.defragment)
        _ = desk.wants()
        desk.tell(.storeCopied(desk.standing(desk.applied - 257)))
        #expect(desk.wants() == ["catch up 257"])
        desk.tell(.storeCopied(desk.standing(desk.applied - 256)))
        #expect(desk.wants() == ["switch 256"])
        desk.tell(.switchPutOff(desk.standing(desk.applied - 100)))
        #expect(desk.wants() == ["catch up 100"])
    }

    @Test("few slots that are too large to be at hand together are caught up with, and not passed over")
    func largeEntries() {
        var renewal = StoreRenewal(stored: .zero)
        renewal.begin(.latest, at: .zero)
        let standing = StoreCopyStanding(applied: Slot(10), durable: Slot(10), revision: 1)
        let step = renewal.advance(standing, lacks: 100, atHand: 42, isBatchAway: false)
        #expect(step == .catchUp)
    }

    @Test("a copy of which a restart would find less than the log was trimmed to is made durable first")
    func durableFirst() throws {
        var desk = try MemberDesk.busy()
        desk.tell(.stored(upTo: Slot(desk.applied)))
        desk.ask(.defragment)
        _ = desk.wants()
        desk.tell(.storeCopied(desk.standing(desk.applied, durable: desk.applied - 1)))
        #expect(desk.wants() == ["catch up 0"])
    }

    @Test("until the copy is in place no durable point is taken and the log is not trimmed")
    func noPoint() throws {
        var desk = try MemberDesk.busy()
        desk.ask(.defragment)
        // Of before, and told late.
        desk.tell(.stored(upTo: Slot(1)))
        _ = desk.wants()
        desk.put("b", token: 7)
        try desk.write()
        desk.pass(.seconds(10))
        desk.beat(reading)
        #expect(desk.wants() == [])
        desk.switchIn()
        desk.put("b", token: 8)
        try desk.write()
        desk.pass(.seconds(10))
        desk.beat(reading)
        #expect(desk.wants() == ["switch 0", "place"])
        #expect(desk.member.renewal.stored == Slot(1))
        let placed = desk.applied - 1
        desk.tell(.copyPlaced)
        #expect(desk.member.renewal.stored == Slot(placed))
        desk.beat(reading)
        #expect(desk.wants().contains("make durable"))
    }

    @Test("a copy in use that found no room to be put in place is tried again after a second")
    func placedLater() throws {
        var desk = try MemberDesk.busy()
        desk.ask(.defragment)
        desk.switchIn()
        _ = desk.wants()
        desk.tell(.copyNotPlaced(MemberDesk.noRoom))
        desk.beat()
        #expect(desk.wants() == [] && desk.reports.contains(.storeFull))
        desk.pass(.milliseconds(1_001))
        desk.beat()
        desk.beat()
        #expect(desk.wants() == ["place"])
    }

    @Test("a copy waits for the batch that is away, and a checkpoint that arrived meanwhile comes first")
    func batchAway() throws {
        var desk = try MemberDesk.busy()
        desk.ask(.defragment)
        desk.tell(.batchLeft)
        _ = desk.wants()
        desk.tell(.storeCopied(desk.standing(desk.applied)))
        desk.tell(.checkpointArrived(CheckpointID(1), upTo: Slot(90)))
        desk.tell(.checkpointArrived(CheckpointID(2), upTo: Slot(91)))
        #expect(desk.wants() == ["refuse 1: isOvertaken"])
        desk.tell(.batchReturned)
        #expect(desk.wants() == ["install 2"])
        desk.tell(.checkpointNotInstalled)
        #expect(desk.wants() == ["switch 0"])
    }

    @Test("a checkpoint with nothing new is refused, and one that meets a copy in use waits for its place")
    func checkpoints() throws {
        var desk = try MemberDesk.busy()
        desk.tell(.checkpointArrived(CheckpointID(1), upTo: Slot(desk.applied)))
        #expect(desk.wants() == ["refuse 1: isOld"])
        desk.ask(.defragment)
        desk.switchIn()
        _ = desk.wants()
        desk.tell(.checkpointArrived(CheckpointID(2), upTo: Slot(90)))
        #expect(desk.wants() == [])
        desk.tell(.copyPlaced)
        #expect(desk.wants().contains("install 2"))
    }

    @Test("a checkpoint that is installed overthrows the copy, and who asked for that has what it wanted")
    func overthrown() throws {
        var desk = try MemberDesk.busy()
        desk.ask(.defragment, token: 1)
        desk.tell(.checkpointArrived(CheckpointID(1), upTo: Slot(90)))
        #expect(desk.wants() == ["copy latest", "install 1"])
        let other = MemoryStore()
        try other.write { try AppliedState.setSlot(90, in: $0) }
        var outputs: [MemberOutput] = []
        try other.read {
            try desk.member.install(
                Configuration(voters: [ProcessID(1)]), from: $0, at: desk.now, into: &outputs)
        }
        #expect(desk.answers.isEmpty)
        desk.tell(.storeCopied(desk.standing(3)))
        #expect(desk.wants() == ["discard"] && desk.answers.map(\.token) == [1])
    }

    @Test("nothing is applied and no read answered while the store cannot be relied on")
    func suspended() throws {
        var desk = try MemberDesk.busy()
        let applied = desk.applied
        desk.tell(.pointFailed(MemberDesk.noRoom, isSyncFailed: true))
        #expect(desk.wants() == ["suspend", "copy point"])
        desk.put("a", token: 1)
        desk.ask(.linearizableRead, token: 2)
        #expect(!desk.member.glance.isBatchDue && desk.answers.isEmpty)
        desk.tell(.storeCopied(desk.standing(applied - 2)))
        #expect(desk.wants() == ["switch 2"])
        desk.tell(.storeSwitched(desk.standing(applied)))
        try desk.write()
        #expect(desk.answers.map(\.token) == [1, 2])
    }

    @Test("what was copied before a sync failed is discarded, and who asked for it waits for the next")
    func copyOfDamage() throws {
        var desk = try MemberDesk.busy()
        desk.ask(.defragment, token: 1)
        desk.tell(.pointFailed(MemberDesk.noRoom, isSyncFailed: true))
        #expect(desk.wants() == ["copy latest", "suspend"])
        desk.tell(.storeCopied(desk.standing(desk.applied)))
        #expect(desk.wants() == ["discard", "copy point"] && desk.answers.isEmpty)
        desk.switchIn()
        desk.tell(.copyPlaced)
        #expect(desk.answers.map(\.token) == [1])
    }

    @Test("a store that finds no room to be made anew is tried again, and not copied as it is meanwhile")
    func rebuiltLater() throws {
        var desk = try MemberDesk.busy()
        desk.tell(.pointFailed(MemberDesk.noRoom, isSyncFailed: true))
        desk.tell(.copyFailed(MemberDesk.noRoom))
        _ = desk.wants()
        desk.ask(.defragment, token: 1)
        desk.beat()
        #expect(desk.wants() == [])
        desk.pass(.seconds(1))
        desk.beat()
        #expect(desk.wants() == ["copy point"])
        desk.tell(.copyFailed(StoreError(.failed, "broken")))
        #expect(desk.wants() == ["fail"])
    }

    @Test("a durable point without room is tried again after a second, unless a copy brings one")
    func pointWithoutRoom() throws {
        var desk = try MemberDesk.busy()
        desk.pass(.seconds(1))
        desk.beat(reading)
        desk.tell(.pointFailed(MemberDesk.noRoom, isSyncFailed: false))
        _ = desk.wants()
        desk.beat(reading)
        #expect(desk.wants() == [])
        desk.pass(.seconds(1))
        desk.beat(reading)
        desk.beat(reading)
        #expect(desk.wants() == ["make durable"])
        desk.tell(.pointFailed(MemberDesk.noRoom, isSyncFailed: false))
        desk.ask(.defragment, token: 9)
        desk.pass(.seconds(2))
        desk.beat(reading)
        #expect(desk.wants() == ["copy latest"])
        // There is no room for the copy either: the point is taken in the other way.
        desk.tell(.copyFailed(MemberDesk.noRoom))
        #expect(desk.wants() == ["make durable"] && desk.answers.last?.token == 9)
    }

    @Test("a disk that fails ends the member")
    func brokenDisk() throws {
        var desk = try MemberDesk.busy()
        desk.tell(.pointFailed(StoreError(.failed, "broken"), isSyncFailed: true))
        #expect(desk.wants() == ["fail"])
    }

    @Test("who waits for a store made anew when the member ends is told that it has stopped")
    func stopped() throws {
        var desk = try MemberDesk.busy()
        desk.ask(.defragment, token: 1)
        var outputs: [MemberOutput] = []
        desk.member.finish(into: &outputs)
        let answered = outputs.contains {
            if case .answer(let client, .failure(.stopped)) = $0 { client.token == 1 } else { false }
        }
        #expect(answered)
    }
}
