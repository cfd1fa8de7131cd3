import Coordination

/// What a client asks about a lease, which only the leader can answer.
public enum LeaseQuestion: Hashable, Sendable {
    case renew(LeaseID)
    case timeToLive(LeaseID)

    var lease: LeaseID {
        switch self {
        case .renew(let lease), .timeToLive(let lease): lease
        }
    }

    /// What is said when there is no such lease.
    var answerWithoutLease: LeaseAnswer {
        switch self {
        case .renew: .renewed(seconds: 0)
        case .timeToLive: .timeToLive(remaining: -1, granted: 0)
        }
    }
}

public enum LeaseAnswer: Hashable, Sendable {
    /// Seconds granted anew; zero when there is no such lease.
    case renewed(seconds: Int64)
    /// Seconds; `remaining` is -1 when there is no such lease.
    case timeToLive(remaining: Int64, granted: Int64)
    /// The member that was asked does not lead: ask another.
    case notLeader
}
