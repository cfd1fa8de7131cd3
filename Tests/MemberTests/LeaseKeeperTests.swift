import Automata
import Coordination
import Member
import Testing

/// The keeper of a member whose clients are numbers. What it wants is written down in words.
private struct World {
    typealias Keeper = LeaseKeeper<Int>

    static let certain = LeaseAuthority(
        hasRecentQuorum: true, hasAppliedInherited: true, hasAppliedChosen: true)
    static let lease = LeaseID(7)
    static let other = ProcessID(2)

    var keeper = Keeper(electionTimeout: .seconds(1), firstNumber: 50)
    var leader = Keeper.Leader.nobody
    var now = Instant.zero + .seconds(100)

    init() { keeper.follow(.granted(Self.lease, seconds: 10), now: now) }

    mutating func lead(_ authority: LeaseAuthority = certain) {
        leader = .here(authority)
        keeper.promote(now: now)
    }

    mutating func pass(seconds: UInt64) { now = now + .seconds(seconds) }

    mutating func ask(_ question: LeaseQuestion, by client: Int = 1) -> [String] {
        ask(question, by: .client(client))
    }

    mutating func ask(_ question: LeaseQuestion, by asker: Keeper.Asker) -> [String] {
        let (leader, now) = (leader, now)
        return said { $0.ask(question, by: asker, until: now + .seconds(5), leader, now: now, into: &$1) }
    }

    /// `sentAgo`: asks those anew that were sent so long ago or longer.
    mutating func retry(sentAgo seconds: UInt64 = 0) -> [String] {
        let (leader, now) = (leader, now)
        let limit = Instant(nanoseconds: now.nanoseconds - seconds * 1_000_000_000 + 1)
        return said { $0.retry(sentBefore: limit, leader, now: now, into: &$1) }
    }

    mutating func caughtUp(_ number: UInt64) -> [String] {
        let (leader, now) = (leader, now)
        return said { $0.caughtUp(number, leader, now: now, into: &$1) }
    }

    mutating func answered(_ answer: LeaseAnswer, to number: UInt64) -> [String] {
        said { $0.onAnswer(answer, to: number, into: &$1) }
    }

    mutating func said(_ body: (inout Keeper, inout [Keeper.Output]) -> Void) -> [String] {
        var outputs: [Keeper.Output] = []
        body(&keeper, &outputs)
        return outputs.map { output in
            switch output {
            case .answer(let client, let answer): "\(client): \(answer)"
            case .fail(let client, let error): "\(client): \(error)"
            case .send(let answer, let member, let number): "to \(member) \(number): \(answer)"
            case .ask(_, let leader, let number): "ask \(leader) \(number)"
            case .catchUp(let number): "catch up \(number)"
            }
        }
    }
}

@Suite("The keeper of leases") struct LeaseKeeperTests {
    @Test("a leader that is sure of itself is as good as its word")
    func leader() {
        var world = World()
        world.lead()
        #expect(world.ask(.renew(World.lease)) == ["1: renewed(seconds: 10)"])
        world.pass(seconds: 4)
        #expect(world.ask(.timeToLive(World.lease)) == ["1: timeToLive(remaining: 6, granted: 10)"])
        #expect(
            world.ask(.renew(World.lease), by: .member(World.other, number: 3))
                == ["to p2 3: renewed(seconds: 10)"])
        #expect(world.keeper.takeExpired(world.leader, now: world.now) == [])
        world.pass(seconds: 10)
        #expect(world.keeper.takeExpired(world.leader, now: world.now) == [World.lease])
        #expect(world.keeper.takeExpired(world.leader, now: world.now) == [])
    }

    /// An earlier leader may have proposed the end of the lease, and that may be chosen.
    @Test("a new leader renews nothing and tells no time before it has applied what was chosen before it led")
    func inherited() {
        for question in [LeaseQuestion.renew(World.lease), .timeToLive(World.lease)] {
            var world = World()
            world.lead(
                LeaseAuthority(hasRecentQuorum: true, hasAppliedInherited: false, hasAppliedChosen: true))
            #expect(world.ask(question) == ["catch up 50"])
            // It may have caught up in an earlier time at the head.
            #expect(world.caughtUp(50) == [])
            #expect(world.retry() == [])
            world.leader = .here(World.certain)
            #expect(world.retry().count == 1)
        }
    }

    /// Another member may have applied the end of the lease already, and told its client.
    @Test("a leader that has chosen more than it has applied answers once what was chosen by then is applied")
    func behind() {
        for question in [LeaseQuestion.renew(World.lease), .timeToLive(World.lease)] {
            var world = World()
            world.lead(
                LeaseAuthority(hasRecentQuorum: true, hasAppliedInherited: true, hasAppliedChosen: false))
            #expect(world.ask(question) == ["catch up 50"])
            // More may be chosen by now, which does not matter.
            #expect(world.caughtUp(50).count == 1)
        }
    }

    @Test("a leader that has told another to take over renews only what it has confirmed since it was asked")
    func beingSucceeded() {
        var world = World()
        world.lead(
            LeaseAuthority(
                hasRecentQuorum: true, hasAppliedInherited: true, hasAppliedChosen: true,
                isBeingSucceeded: true))
        #expect(world.ask(.renew(World.lease)) == ["catch up 50"])
        #expect(world.caughtUp(50) == ["1: renewed(seconds: 10)"])
    }

    @Test("without a recent quorum nothing is said, and no lease is ended")
    func withoutQuorum() {
        var world = World()
        world.lead(LeaseAuthority(hasRecentQuorum: false, hasAppliedInherited: true, hasAppliedChosen: true))
        #expect(world.ask(.renew(World.lease)) == [])
        world.pass(seconds: 4)
        #expect(world.retry() == [])
        world.pass(seconds: 2)
        #expect(world.retry() == ["1: timedOut"])
        world.pass(seconds: 60)
        #expect(world.keeper.takeExpired(world.leader, now: world.now) == [])
        world.leader = .other(World.other)
        #expect(world.keeper.takeExpired(world.leader, now: world.now) == [])
    }

    @Test("that a lease is gone is said only once everything is applied, and its proposed end is too")
    func gone() {
        var world = World()
        world.lead()
        world.pass(seconds: 12)
        #expect(world.keeper.takeExpired(world.leader, now: world.now) == [World.lease])
        #expect(world.ask(.renew(World.lease)) == ["catch up 50"])
        #expect(world.caughtUp(50) == [])
        world.keeper.follow(.expired(World.lease), now: world.now)
        #expect(world.retry() == ["1: renewed(seconds: 0)"])
        #expect(world.ask(.timeToLive(World.lease)) == ["catch up 51"])
        #expect(world.caughtUp(51) == ["1: timeToLive(remaining: -1, granted: 0)"])
        #expect(world.caughtUp(51) == [])
    }

    @Test(
        "a follower asks the leader, anew when no answer comes, and passes on only the answer to the last time"
    )
    func follower() {
        var world = World()
        #expect(world.ask(.renew(World.lease)) == [])
        world.leader = .other(World.other)
        #expect(world.retry() == ["ask p2 50"])
        #expect(world.retry(sentAgo: 1) == [])
        world.pass(seconds: 1)
        #expect(world.retry(sentAgo: 1) == ["ask p2 51"])
        #expect(world.answered(.renewed(seconds: 10), to: 50) == [])
        #expect(world.answered(.renewed(seconds: 10), to: 51) == ["1: renewed(seconds: 10)"])
        #expect(world.answered(.renewed(seconds: 10), to: 51) == [])
    }

    @Test("a member that does not lead says so to others, and asks another who did when it is told so")
    func notLeader() {
        var world = World()
        world.leader = .other(World.other)
        #expect(
            world.ask(.renew(World.lease), by: .member(ProcessID(3), number: 9)) == ["to p3 9: notLeader"])
        #expect(world.ask(.renew(World.lease)) == ["ask p2 50"])
        #expect(world.answered(.notLeader, to: 50) == [])
        world.lead()
        #expect(world.retry() == ["1: renewed(seconds: 10)"])
    }

    @Test("whoever waits is told when the time is over, when a catching up fails, and when the member stops")
    func ends() {
        var world = World()
        world.leader = .other(World.other)
        #expect(world.ask(.renew(World.lease)) == ["ask p2 50"])
        world.pass(seconds: 6)
        #expect(world.retry(sentAgo: 60) == ["1: timedOut"])

        world.lead()
        world.pass(seconds: 60)
        _ = world.keeper.takeExpired(world.leader, now: world.now)
        #expect(world.ask(.renew(World.lease), by: 2) == ["catch up 51"])
        #expect(world.said { $0.fail(51, .leaderChanged, into: &$1) } == ["2: leaderChanged"])
        #expect(world.ask(.renew(World.lease), by: 3) == ["catch up 52"])
        world.leader = .nobody
        #expect(world.ask(.renew(World.lease), by: 4) == [])
        world.leader = .other(World.other)
        #expect(world.ask(.renew(World.lease), by: 5) == ["ask p2 53"])
        #expect(world.said { $0.stop(into: &$1) } == ["4: stopped", "5: stopped", "3: stopped"])
        #expect(world.said { $0.stop(into: &$1) } == [])
    }
}
