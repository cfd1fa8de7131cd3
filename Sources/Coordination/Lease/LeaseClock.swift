import Automata

/// The count of the time that leases have left, which only the leader keeps.
///
/// Every member knows the leases (`grant` and `remove`, as commands are applied); only the leader has deadlines
/// for them. A deadline only ever makes the leader propose the end of a lease: the end itself is a command.
/// A new leader does not know when its predecessor renewed, so that it gives every lease its full time again.
public struct LeaseClock: Sendable {
    private struct Lease: Sendable {
        var seconds: Int64
        /// While leading.
        var deadline: Instant?
        /// When the end of the lease, having been proposed, is proposed again; no renewal is taken any more.
        var proposeAgain: Instant?

        var due: Instant? { proposeAgain ?? deadline }
    }

    private struct Due: Comparable, Sendable {
        var at: Instant
        var lease: LeaseID

        static func < (a: Due, b: Due) -> Bool { a.at != b.at ? a.at < b.at : a.lease < b.lease }
    }

    private let electionTimeout: TimeSpan
    private var leases = SortedChunks<LeaseID, Lease>()
    /// While leading, every lease at its deadline, or at the time to propose its end again.
    private var due = SortedChunks<Due, Bool>()

    public private(set) var isLeading = false

    public init(electionTimeout: TimeSpan) { self.electionTimeout = electionTimeout }

    public var count: Int { leases.count }

    /// A lease came to be, or was found in the store at start.
    public mutating func grant(_ lease: LeaseID, seconds: Int64, now: Instant) {
        remove(lease)
        leases[lease] = Lease(seconds: seconds)
        if isLeading { setDeadline(of: lease, to: now + Self.span(seconds: seconds)) }
    }

    /// A command has changed what leases there are.
    public mutating func follow(_ change: Consequences.LeaseChange, now: Instant) {
        switch change {
        case .granted(let lease, let seconds): grant(lease, seconds: seconds, now: now)
        case .revoked(let lease), .expired(let lease): remove(lease)
        }
    }

    public mutating func remove(_ lease: LeaseID) {
        guard let known = leases.remove(lease) else { return }
        if let at = known.due { due.remove(Due(at: at, lease: lease)) }
    }

    /// Gives the lease its full time again; the granted seconds, or nil when there is no such lease or this
    /// process does not lead. A lease that `expired` has named is not renewed any more.
    public mutating func renew(_ lease: LeaseID, now: Instant) -> Int64? {
        guard isLeading, let known = leases[lease], known.proposeAgain == nil else { return nil }
        setDeadline(of: lease, to: now + Self.span(seconds: known.seconds))
        return known.seconds
    }

    /// Whether the end of the lease is proposed: a renewal is to wait for it.
    package func isEnding(_ lease: LeaseID) -> Bool { leases[lease]?.proposeAgain != nil }

    /// Remaining whole seconds (not below 0; granted seconds while not leading) and granted seconds.
    public func timeToLive(_ lease: LeaseID, now: Instant) -> (remaining: Int64, granted: Int64)? {
        guard let known = leases[lease] else { return nil }
        guard let deadline = known.deadline else { return (known.seconds, known.seconds) }
        return (Int64(deadline.since(now).nanoseconds / 1_000_000_000), known.seconds)
    }

    /// Up to `limit` leases whose time is over, oldest deadline first, each named again only after
    /// `retryAfter` unless removed meanwhile; the host proposes their end.
    public mutating func expired(now: Instant, limit: Int, retryAfter: TimeSpan) -> [LeaseID] {
        var expired: [LeaseID] = []
        while expired.count < limit, let (first, _) = due.first, first.at <= now {
            expired.append(first.lease)
            due.remove(first)
            guard var known = leases[first.lease] else { continue }
            let again = now + max(retryAfter, TimeSpan(nanoseconds: 1))
            known.proposeAgain = again
            leases[first.lease] = known
            due[Due(at: again, lease: first.lease)] = true
        }
        return expired
    }

    /// When `expired` has something to say next; nil while not leading or when there is no lease.
    public var nextDeadline: Instant? { due.first?.key.at }

    /// This process leads now: every lease gets its full time and an election timeout.
    public mutating func promote(now: Instant) {
        demote()
        isLeading = true
        var all: [(LeaseID, Int64)] = []
        leases.visit { all.append(($0, $1.seconds)) }
        for (lease, seconds) in all {
            setDeadline(of: lease, to: now + electionTimeout + Self.span(seconds: seconds))
        }
    }

    public mutating func demote() {
        isLeading = false
        due = SortedChunks()
        var all: [(LeaseID, Int64)] = []
        leases.visit { all.append(($0, $1.seconds)) }
        for (lease, seconds) in all { leases[lease] = Lease(seconds: seconds) }
    }

    private mutating func setDeadline(of lease: LeaseID, to deadline: Instant) {
        guard let known = leases[lease] else { return }
        if let at = known.due { due.remove(Due(at: at, lease: lease)) }
        leases[lease] = Lease(seconds: known.seconds, deadline: deadline)
        due[Due(at: deadline, lease: lease)] = true
    }

    private static func span(seconds: Int64) -> TimeSpan { .seconds(UInt64(max(seconds, 0))) }
}
