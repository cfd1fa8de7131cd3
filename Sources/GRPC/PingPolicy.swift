/// Which pings are too many: grpc-go's keepalive enforcement, which etcd clients are tuned to.
///
/// A ping is a strike when it follows the one before sooner than allowed and nothing was sent to the client
/// in between; Go clients ping after data to measure the bandwidth, and those are never strikes.
struct PingPolicy {
    /// Nanoseconds; nil when any ping is welcome.
    var minimumInterval: Int64?
    var permitsWithoutCalls: Bool
    private var lastPing: Int64 = .min
    private var strikes = 0
    private var sentSincePing = true

    private static let intervalWithoutCalls: Int64 = 7_200_000_000_000
    private static let allowedStrikes = 2

    init(_ settings: GRPCSettings) {
        minimumInterval = settings.minimumPingInterval?.nanoseconds
        permitsWithoutCalls = settings.pingsWithoutCalls
    }

    mutating func onSent() { sentSincePing = true }

    /// True when the connection is to end with `too_many_pings`.
    mutating func onPing(now: Int64, hasCalls: Bool) -> Bool {
        guard let minimumInterval else { return false }
        let previous = lastPing
        lastPing = now
        if sentSincePing {
            sentSincePing = false
            strikes = 0
            return false
        }
        let interval = hasCalls || permitsWithoutCalls ? minimumInterval : Self.intervalWithoutCalls
        if previous > now - interval { strikes += 1 }
        return strikes > Self.allowedStrikes
    }
}
