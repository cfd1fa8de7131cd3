import Automata
import Coordination

/// What a leader must know of itself before it says anything about a lease.
public struct LeaseAuthority: Hashable, Sendable {
    /// A quorum has confirmed within the last election timeout that it leads.
    public var hasRecentQuorum: Bool
    /// Everything that earlier leaders have chosen is applied. Until then the end of a lease may stand in the
    /// log already, and "renewed" would be taken back.
    public var hasAppliedInherited: Bool
    /// The same of what it has chosen itself. Others may have applied the end of a lease before it, and told of it.
    public var hasAppliedChosen: Bool
    /// It has told another to take over, who may lead at any time, whatever a quorum has confirmed.
    public var isBeingSucceeded: Bool

    public init(
        hasRecentQuorum: Bool, hasAppliedInherited: Bool, hasAppliedChosen: Bool,
        isBeingSucceeded: Bool = false
    ) {
        self.hasRecentQuorum = hasRecentQuorum
        self.hasAppliedInherited = hasAppliedInherited
        self.hasAppliedChosen = hasAppliedChosen
        self.isBeingSucceeded = isBeingSucceeded
    }

    enum Verdict: Hashable {
        case answer(LeaseAnswer)
        /// Nothing can be said before everything that is chosen by now is applied here.
        case catchUp
        /// Nothing can be said now: ask again a little later.
        case hold
    }

    /// `isCaughtUp`: everything that was chosen before the question is applied, so that "no such lease" is the truth.
    func verdict(
        on question: LeaseQuestion, isCaughtUp: Bool, by clock: inout LeaseClock, now: Instant
    ) -> Verdict {
        guard hasRecentQuorum else { return .hold }
        guard hasAppliedInherited else { return isCaughtUp ? .hold : .catchUp }
        // Catching up confirms that it led when it was asked: whoever leads later gives every lease its full time.
        guard isCaughtUp || hasAppliedChosen && !isBeingSucceeded else { return .catchUp }
        switch question {
        case .renew(let lease):
            if let seconds = clock.renew(lease, now: now) { return .answer(.renewed(seconds: seconds)) }
        case .timeToLive(let lease):
            if let time = clock.timeToLive(lease, now: now) {
                return .answer(.timeToLive(remaining: time.remaining, granted: time.granted))
            }
        }
        // The grant may be chosen and not yet applied here.
        guard isCaughtUp else { return .catchUp }
        // A lease whose end is proposed is gone only when that is applied.
        if clock.timeToLive(question.lease, now: now) != nil { return .hold }
        return .answer(question.answerWithoutLease)
    }
}
