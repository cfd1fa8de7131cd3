/// The limits and manners of a connection. The defaults are etcd's where etcd has one.
public struct GRPCSettings: Sendable {
    /// The largest request message in bytes: etcd's `max-request-bytes` plus 512 KiB of overhead.
    public var maxMessageBytes = 1_572_864 + 524_288
    /// Calls open at once on one connection; nil for no limit.
    public var concurrentStreams: UInt32?
    /// Names and values of one request's headers, in bytes, counted as HTTP/2 does (32 more per field): grpc-go's
    /// default. A call that passes it is refused; a client that goes on sending past it loses its connection.
    public var maxHeaderListBytes = 16 << 20
    /// What a client may send ahead on one call. A whole request fits, so that it never waits for a round
    /// trip.
    public var streamWindowBytes: Int32 = 2 << 20
    /// What a client may send ahead on the connection.
    public var connectionWindowBytes: Int32 = 16 << 20
    /// Bytes of request messages that have begun and not ended, over all calls of the connection. A call
    /// that would pass it ends with RESOURCE_EXHAUSTED.
    public var maxUnfinishedBytes = 64 << 20
    /// Bytes of answers that the client has not taken, over all calls of the connection. Past it, new
    /// calls are refused (REFUSED_STREAM: nothing was done, the client may try again).
    public var maxQueuedBytes = 256 << 20
    /// A call that had more than this queued is told by `drained` when it has less again.
    public var lowWaterBytes = 65_536

    /// Pings that come faster than this, while nothing is sent to the client in between, are strikes; the
    /// third ends the connection with `too_many_pings`. Nil for no such rule.
    public var minimumPingInterval: Duration? = .seconds(5)
    /// Whether a client may ping with no call open; otherwise such pings may come once in two hours.
    public var pingsWithoutCalls = false
    /// After so long without a byte from the client, it is pinged; nil for never.
    public var keepaliveInterval: Duration? = .seconds(7200)
    /// How long the answer to that ping may take before the connection is given up.
    public var keepaliveTimeout: Duration = .seconds(20)

    /// Calls that the client may reset in one go, and per second ever after, before the connection ends.
    /// Cancelling is cheap here, and clients that watch do it often.
    public var resetBurst: UInt64 = 20_000
    public var resetsPerSecond: UInt64 = 2_000

    public init() {}
}

extension Duration {
    /// In nanoseconds, saturating.
    var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? .max : whole + attoseconds / 1_000_000_000
    }
}
