import Automata
import Coordination

/// What a leader says to a question about a lease.
enum LeaseVerdict: Hashable {
    case answer(PeerAnswer.Content)
    /// Nothing can be said before everything that is chosen by now is applied here.
    case catchUp
    /// Nothing can be said now: ask again a little later.
    case hold
}

/// What a leader must know of itself before it says anything about a lease.
struct LeaseAuthority {
    /// A quorum has confirmed within the last election timeout that it leads.
    var hasRecentQuorum: Bool
    /// Everything that earlier leaders have chosen is applied. Until then the end of a lease may stand in the
    /// log already, and "renewed" would be taken back.
    var hasAppliedInherited: Bool

    func verdict(on request: LeaseRequest, by clock: inout LeaseClock, now: Instant) -> LeaseVerdict {
        guard hasRecentQuorum else { return .hold }
        guard hasAppliedInherited else { return request.isCaughtUp ? .hold : .catchUp }
        switch request.subject {
        case .renewLease(let lease):
            if let seconds = clock.renew(lease, now: now) { return .answer(.leaseRenewed(seconds: seconds)) }
        case .leaseTimeToLive(let lease):
            if let time = clock.timeToLive(lease, now: now) {
                return .answer(.leaseTimeToLive(remaining: time.remaining, granted: time.granted))
            }
        }
        // The grant may be chosen and not yet applied here.
        guard request.isCaughtUp else { return .catchUp }
        // A lease whose end is proposed is gone only when that is applied.
        if clock.timeToLive(request.lease, now: now) != nil { return .hold }
        switch request.subject {
        case .renewLease: return .answer(.leaseRenewed(seconds: 0))
        case .leaseTimeToLive: return .answer(.leaseTimeToLive(remaining: -1, granted: 0))
        }
    }
}
