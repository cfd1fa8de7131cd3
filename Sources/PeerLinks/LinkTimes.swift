import Automata

/// How long one process waits for another on a connection: everything follows from the election timeout, as
/// that is what the cluster's operator has said about the network.
///
/// The server's connections and those of the simulator go by the same values, so that what the simulator shows
/// about waiting holds for the server.
public struct LinkTimes: Hashable, Sendable {
    public let electionTimeout: TimeSpan

    /// A transfer that has not got on for this long is given up although the other side is alive.
    public let stall: TimeSpan

    /// `stall` is that of the server when it is `nil`.
    public init(electionTimeout: TimeSpan, stall: TimeSpan? = nil) {
        self.electionTimeout = electionTimeout
        self.stall = stall ?? max(.seconds(30), electionTimeout * 20)
    }

    /// Each side of a connection says something this often, whatever else it has to say.
    public var tick: TimeSpan { max(.milliseconds(5), part(4)) }

    /// Ticks without a byte from the other side after which it is given up: two election timeouts, within which
    /// a leader that is as silent has been replaced.
    public static let silentTicksLimit = 8
    public var silence: TimeSpan { tick * UInt64(LinkTimes.silentTicksLimit) }

    /// What the operating system is told to wait for an acknowledgement. It is the net below `silence`, and
    /// wider, because a receiver that does not read for a while acknowledges nothing either.
    public var unacknowledged: TimeSpan { max(.seconds(5), silence * 2) }

    /// An attempt to connect that nothing has come of does not keep the next from beginning after this long: its
    /// first packet may be lost, and the system repeats that only after a second, then two, then four.
    public var nextAttempt: TimeSpan { min(.seconds(1), max(.milliseconds(100), part(2))) }

    /// When an attempt to connect is given up. Longer than `nextAttempt`, for names that resolve slowly.
    public var connecting: TimeSpan { max(.seconds(3), electionTimeout * 3) }
    public var greeting: TimeSpan { max(.seconds(3), electionTimeout * 3) }

    /// Attempts under way at once.
    public static let attemptsLimit = 8

    public var stalledTicksLimit: Int { Int(stall.nanoseconds / tick.nanoseconds) }

    /// Between a transfer that failed and the next to the same process.
    public var nextTransfer: TimeSpan { nextAttempt }

    private func part(_ divisor: UInt64) -> TimeSpan {
        TimeSpan(nanoseconds: electionTimeout.nanoseconds / divisor)
    }
}
