import Automata

/// The leader's count of the time that leases have left. INTERFACE SKETCH.
///
/// Leases are known on every member (`grant`, `remove`, as commands are applied), deadlines only on the leader.
public struct LeaseClock: Sendable {
    public init(electionTimeout: TimeSpan) { fatalError() }
    public var isLeading: Bool { fatalError() }
    public var count: Int { fatalError() }
    /// A lease came to be, or was found in the store at start.
    public mutating func grant(_ lease: LeaseID, seconds: Int64, now: Instant) { fatalError() }
    public mutating func remove(_ lease: LeaseID) { fatalError() }
    /// Gives the lease its full time again; the granted seconds, or nil when there is no such lease or this
    /// process does not lead. A lease that `expired` has named is not renewed any more.
    public mutating func renew(_ lease: LeaseID, now: Instant) -> Int64? { fatalError() }
    /// Remaining whole seconds (not below 0; granted seconds while not leading) and granted seconds.
    public func timeToLive(_ lease: LeaseID, now: Instant) -> (remaining: Int64, granted: Int64)? {
        fatalError()
    }
    /// Up to `limit` leases whose time is over, oldest deadline first, each named again only after
    /// `retryAfter` unless removed meanwhile; the host proposes their end.
    public mutating func expired(now: Instant, limit: Int, retryAfter: TimeSpan) -> [LeaseID] { fatalError() }
    /// When `expired` has something to say next; nil while not leading or when there is no lease.
    public var nextDeadline: Instant? { fatalError() }
    /// This process leads now: every lease gets its full time and an election timeout.
    public mutating func promote(now: Instant) { fatalError() }
    public mutating func demote() { fatalError() }
}
