import Automata
import Coordination
import Testing

@Suite("Leases and alarms in the space") struct SpaceLeaseTests {
    @Test("a lease is granted once, and not for too long")
    func grant() throws {
        let harness = try SpaceHarness()
        #expect(
            try harness.apply(.grantLease(LeaseID(5), seconds: 9_000_000_001))
                == .refused(.leaseTooLong, revision: 1))
        #expect(
            try harness.apply(.grantLease(LeaseID(5), seconds: 9_000_000_000))
                == .leaseGranted(LeaseID(5), seconds: 9_000_000_000, revision: 1))
        #expect(try harness.apply(.grantLease(LeaseID(5), seconds: 1)) == .refused(.leaseExists, revision: 1))
        #expect(
            try harness.apply(.grantLease(LeaseID(5), seconds: 9_000_000_001))
                == .refused(.leaseTooLong, revision: 1))
        try harness.apply(.grantLease(LeaseID(-6), seconds: 2))
        #expect(Set(try harness.read { try $0.ledger.leases() }.map(\.id.rawValue)) == [5, -6])
        #expect(try harness.read { try $0.ledger.seconds(of: LeaseID(-6)) } == 2)
    }

    @Test("a put attaches its key to its lease alone, and without one detaches it")
    func attachment() throws {
        let harness = try SpaceHarness()
        for lease in [1, 2] as [Int64] { try harness.apply(.grantLease(LeaseID(lease), seconds: 10)) }
        func attached() throws -> [[String]] {
            try [1, 2].map { lease in try harness.read { try $0.keys(of: LeaseID(lease)) }.map { text($0) } }
        }
        try harness.put("a", lease: 1)
        try harness.put("b", lease: 1)
        #expect(try attached() == [["a", "b"], []])
        try harness.put("a", lease: 2)
        #expect(try attached() == [["b"], ["a"]])
        try harness.put("b")
        #expect(try attached() == [[], ["a"]])
        try harness.put("b", lease: 2)
        try harness.delete("a")
        #expect(try attached() == [[], ["b"]])
        #expect(try harness.put("c", lease: 3) == .refused(.leaseNotFound, revision: 7))
    }

    @Test("revoking deletes the keys of the lease in one revision, or takes none when it has no keys")
    func revoke() throws {
        let harness = try SpaceHarness()
        for lease in [1, 2] as [Int64] { try harness.apply(.grantLease(LeaseID(lease), seconds: 10)) }
        for key in ["b", "a", "c"] { try harness.put(key, lease: 1) }
        try harness.put("c")
        #expect(try harness.apply(.revokeLease(LeaseID(1))) == .leaseRevoked(revision: 6))
        #expect(harness.events.map { text($0.keyValue) } == ["a=@6", "b=@6"])
        #expect(try harness.list("a", "") == ["c=@5"])
        #expect(try harness.apply(.revokeLease(LeaseID(1))) == .refused(.leaseNotFound, revision: 6))
        #expect(try harness.apply(.revokeLease(LeaseID(2))) == .leaseRevoked(revision: 6))
        #expect(try harness.read { try $0.ledger.leases() }.isEmpty)
    }

    @Test("leases that end together take a revision each, unknown ones are passed over")
    func expire() throws {
        let harness = try SpaceHarness()
        for lease in [1, 2, 3] as [Int64] { try harness.apply(.grantLease(LeaseID(lease), seconds: 10)) }
        for (key, lease) in [("a", 1), ("b", 3), ("c", 3)] as [(String, Int64)] {
            try harness.put(key, lease: lease)
        }
        #expect(try harness.apply(.expireLeases([3, 9, 2, 1].map { LeaseID($0) })) == .done(revision: 6))
        #expect(harness.events.map { text($0.keyValue) } == ["b=@5", "c=@5", "a=@6"])
    }

    @Test("without space what grows is refused, and what shrinks or reads is not")
    func noSpace() throws {
        let harness = try SpaceHarness()
        try harness.apply(.grantLease(LeaseID(1), seconds: 10))
        try harness.put("a", lease: 1)
        try harness.put("b")
        let alarm = Alarm(member: 3, kind: .noSpace)
        try harness.apply(.setAlarm(alarm, raised: true))
        #expect(harness.ledger.alarms == [alarm])
        #expect(try SpaceHarness(store: harness.store).ledger.alarms == [alarm])
        #expect(try harness.read { try $0.ledger.alarms() } == [alarm])
        var putting = KeyValueTransaction()
        putting.failure = [.put(PutOperation(key: bytes("a"), value: []))]
        var nesting = KeyValueTransaction()
        nesting.success = [.transaction(putting)]
        var deleting = KeyValueTransaction()
        deleting.success = [.delete(DeleteOperation(range: keys("b"))), .range(RangeQuery(range: keys("a")))]
        #expect(try harness.put("c") == .refused(.noSpace, revision: 3))
        #expect(try harness.apply(.transaction(putting)) == .refused(.noSpace, revision: 3))
        #expect(try harness.apply(.transaction(nesting)) == .refused(.noSpace, revision: 3))
        #expect(try harness.apply(.grantLease(LeaseID(2), seconds: 10)) == .refused(.noSpace, revision: 3))
        guard case .transaction(_, 4) = try harness.apply(.transaction(deleting)) else {
            Issue.record("deleting was refused")
            return
        }
        #expect(try harness.apply(.compact(revision: 4)) == .compacted(revision: 4))
        #expect(try harness.apply(.revokeLease(LeaseID(1))) == .leaseRevoked(revision: 5))
        try harness.apply(.setAlarm(alarm, raised: false))
        #expect(try harness.put("c") == .put(previous: nil, revision: 6))
    }

    @Test("a corrupt cluster changes nothing any more, and alarms are kept by member and kind")
    func corrupt() throws {
        let harness = try SpaceHarness()
        try harness.put("a")
        let corrupt = Alarm(member: 2, kind: .corrupt)
        for alarm in [corrupt, Alarm(member: 2, kind: .noSpace), Alarm(member: 0, kind: .noSpace), corrupt] {
            try harness.apply(.setAlarm(alarm, raised: true))
        }
        #expect(
            harness.ledger.alarms == [
                Alarm(member: 0, kind: .noSpace), Alarm(member: 2, kind: .noSpace), corrupt,
            ])
        for command: KeyValueCommand in [
            .put(PutOperation(key: bytes("a"), value: [])), .delete(DeleteOperation(range: keys("a"))),
            .transaction(KeyValueTransaction()), .compact(revision: 2),
        ] { #expect(try harness.apply(command) == .refused(.corrupt, revision: 2)) }
        for command: LedgerCommand in [
            .grantLease(LeaseID(1), seconds: 10), .revokeLease(LeaseID(1)), .expireLeases([LeaseID(1)]),
        ] { #expect(try harness.apply(command) == .refused(.corrupt, revision: 2)) }
        #expect(try harness.list("a") == ["a=@2"])
    }

    @Test("members are listed as they have published themselves last")
    func members() throws {
        let harness = try SpaceHarness()
        for (id, name) in [(300, "c"), (2, "b"), (UInt64.max, "z"), (2, "b2")] as [(UInt64, String)] {
            try harness.apply(
                .publishMember(id: id, name: name, peerURLs: ["http://p\(id)"], clientURLs: ["x", "y"]))
        }
        let members = try harness.read { try $0.ledger.members() }
        #expect(members.map(\.name) == ["b2", "c", "z"])
        #expect(
            members[0]
                == ServiceMember(
                    id: 2, name: "b2", peerURLs: ["http://p2"], clientURLs: ["x", "y"], isLearner: false))
        #expect(harness.ledger.revision == 1)
    }
}

@Suite("The lease clock") struct LeaseClockTests {
    private func at(_ seconds: UInt64) -> Instant { Instant.zero + .seconds(seconds) }

    private func leading() -> SharedClock {
        let clock = SharedClock()
        clock.promote(now: at(0))
        return clock
    }

    @Test("a lease is over when its time is, oldest first, and not before")
    func expiry() {
        let clock = leading()
        clock.grant(LeaseID(1), seconds: 10, now: at(0))
        clock.grant(LeaseID(2), seconds: 5, now: at(1))
        #expect(clock.nextDeadline == at(6))
        #expect(clock.expired(now: at(5), limit: 10, retryAfter: .seconds(1)) == [])
        #expect(clock.timeToLive(LeaseID(1), now: at(4)).map { [$0.remaining, $0.granted] } == [6, 10])
        #expect(clock.expired(now: at(20), limit: 10, retryAfter: .seconds(1)) == [LeaseID(2), LeaseID(1)])
        #expect(clock.timeToLive(LeaseID(1), now: at(30))?.remaining == 0)
        #expect(clock.timeToLive(LeaseID(3), now: at(30)) == nil)
    }

    @Test("a lease whose end is proposed is not renewed, and is named again only later, until it is removed")
    func ending() {
        let clock = leading()
        for lease in 1...3 { clock.grant(LeaseID(Int64(lease)), seconds: 1, now: at(0)) }
        #expect(clock.expired(now: at(2), limit: 2, retryAfter: .seconds(3)) == [LeaseID(1), LeaseID(2)])
        #expect(clock.isEnding(LeaseID(1)) && !clock.isEnding(LeaseID(3)))
        #expect(clock.renew(LeaseID(1), now: at(2)) == nil)
        #expect(clock.renew(LeaseID(3), now: at(2)) == 1)
        #expect(clock.expired(now: at(4), limit: 5, retryAfter: .seconds(3)) == [LeaseID(3)])
        clock.remove(LeaseID(1))
        #expect(clock.expired(now: at(5), limit: 5, retryAfter: .seconds(3)) == [LeaseID(2)])
        #expect(clock.count == 2)
    }

    @Test("renewing gives the full time again")
    func renewal() {
        let clock = leading()
        clock.grant(LeaseID(1), seconds: 10, now: at(0))
        #expect(clock.renew(LeaseID(1), now: at(9)) == 10)
        #expect(clock.expired(now: at(18), limit: 5, retryAfter: .seconds(1)) == [])
        #expect(clock.nextDeadline == at(19))
        #expect(clock.renew(LeaseID(2), now: at(9)) == nil)
    }

    @Test(
        "who does not lead ends and renews nothing, and who leads anew gives every lease its full time and more"
    )
    func leadership() {
        let clock = SharedClock()
        clock.grant(LeaseID(1), seconds: 10, now: at(0))
        #expect(clock.renew(LeaseID(1), now: at(1)) == nil)
        #expect(
            clock.nextDeadline == nil && clock.expired(now: at(99), limit: 9, retryAfter: .seconds(1)) == [])
        #expect(clock.timeToLive(LeaseID(1), now: at(5))?.remaining == 10)
        clock.promote(now: at(100))
        #expect(clock.isLeading && clock.nextDeadline == at(111))
        #expect(clock.expired(now: at(111), limit: 9, retryAfter: .seconds(5)) == [LeaseID(1)])
        clock.demote()
        #expect(clock.nextDeadline == nil && !clock.isEnding(LeaseID(1)))
        clock.promote(now: at(200))
        #expect(clock.renew(LeaseID(1), now: at(200)) == 10)
    }

    @Test("very many leases end in the order of their deadlines")
    func many() {
        let clock = leading()
        var numbers = SeededNumbers(seed: 3)
        var deadlines: [Int64: UInt64] = [:]
        for lease in 1...20_000 {
            let id = Int64(bitPattern: numbers.next() | 1)
            let seconds = UInt64(1 + numbers.below(1000))
            clock.grant(LeaseID(id), seconds: Int64(seconds), now: at(UInt64(lease % 10)))
            deadlines[id] = seconds + UInt64(lease % 10)
        }
        for id in Array(deadlines.keys.sorted().prefix(5000)) {
            clock.remove(LeaseID(id))
            deadlines[id] = nil
        }
        var ended: [UInt64] = []
        while true {
            let expired = clock.expired(now: at(2000), limit: 700, retryAfter: .seconds(10_000))
            if expired.isEmpty { break }
            ended += expired.compactMap { deadlines[$0.rawValue] }
        }
        #expect(ended == deadlines.values.sorted())
    }
}

/// A clock that expectations can call: they take no mutating methods of values.
final class SharedClock {
    private var clock = LeaseClock(electionTimeout: .seconds(1))

    var nextDeadline: Instant? { clock.nextDeadline }
    var isLeading: Bool { clock.isLeading }
    var count: Int { clock.count }
    func grant(_ lease: LeaseID, seconds: Int64, now: Instant) {
        clock.grant(lease, seconds: seconds, now: now)
    }
    func remove(_ lease: LeaseID) { clock.remove(lease) }
    func renew(_ lease: LeaseID, now: Instant) -> Int64? { clock.renew(lease, now: now) }
    func isEnding(_ lease: LeaseID) -> Bool { clock.isEnding(lease) }
    func timeToLive(_ lease: LeaseID, now: Instant) -> (remaining: Int64, granted: Int64)? {
        clock.timeToLive(lease, now: now)
    }
    func expired(now: Instant, limit: Int, retryAfter: TimeSpan) -> [LeaseID] {
        clock.expired(now: now, limit: limit, retryAfter: retryAfter)
    }
    func promote(now: Instant) { clock.promote(now: now) }
    func demote() { clock.demote() }
}
