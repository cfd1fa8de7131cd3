import Automata
import Coordination
import Testing

@testable import Runtime

@Suite("What a leader says about a lease")
struct LeaseVerdictTests {
    private let lease = LeaseID(7)
    private let now = Instant.zero + .seconds(100)

    private func clock() -> LeaseClock {
        var clock = LeaseClock(electionTimeout: .seconds(1))
        clock.grant(lease, seconds: 10, now: now)
        clock.promote(now: now)
        return clock
    }

    private func request(_ subject: PeerRequest.Subject) -> LeaseRequest {
        LeaseRequest(origin: .peer(ProcessID(2), number: 1), subject: subject, deadline: now + .seconds(9))
    }

    /// An earlier leader may have proposed the end of the lease, and that may be chosen.
    @Test("a new leader renews nothing and tells no time before it has applied what was chosen before it led")
    func inherited() {
        let authority = LeaseAuthority(hasRecentQuorum: true, hasAppliedInherited: false)
        for subject in [PeerRequest.Subject.renewLease(lease), .leaseTimeToLive(lease)] {
            var clock = clock()
            let asked = request(subject)
            #expect(authority.verdict(on: asked, by: &clock, now: now) == .catchUp)
            // It may have caught up in an earlier time at the head.
            asked.isCaughtUp = true
            #expect(authority.verdict(on: asked, by: &clock, now: now) == .hold)
        }
    }

    @Test("a leader that has is as good as its word")
    func caughtUp() {
        let authority = LeaseAuthority(hasRecentQuorum: true, hasAppliedInherited: true)
        var clock = clock()
        let renewed = authority.verdict(on: request(.renewLease(lease)), by: &clock, now: now)
        #expect(renewed == .answer(.leaseRenewed(seconds: 10)))
        let told = authority.verdict(on: request(.leaseTimeToLive(lease)), by: &clock, now: now)
        #expect(told == .answer(.leaseTimeToLive(remaining: 10, granted: 10)))
    }

    @Test("without a recent quorum nothing is said")
    func withoutQuorum() {
        let authority = LeaseAuthority(hasRecentQuorum: false, hasAppliedInherited: true)
        var clock = clock()
        #expect(authority.verdict(on: request(.renewLease(lease)), by: &clock, now: now) == .hold)
    }

    @Test("that a lease is gone is said only once everything is applied, and its proposed end is too")
    func gone() {
        let authority = LeaseAuthority(hasRecentQuorum: true, hasAppliedInherited: true)
        var clock = clock()
        let later = now + .seconds(12)
        #expect(clock.expired(now: later, limit: 9, retryAfter: .seconds(3)) == [lease])
        let asked = request(.renewLease(lease))
        #expect(authority.verdict(on: asked, by: &clock, now: later) == .catchUp)
        asked.isCaughtUp = true
        #expect(authority.verdict(on: asked, by: &clock, now: later) == .hold)
        clock.remove(lease)
        #expect(authority.verdict(on: asked, by: &clock, now: later) == .answer(.leaseRenewed(seconds: 0)))
    }
}
