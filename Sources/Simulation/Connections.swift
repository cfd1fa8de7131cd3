import Automata

/// The ways that one process has to another: what is sent on one of them waits behind what was sent on it before,
/// and not behind what was sent on another.
public enum Lane: Int, CaseIterable, Hashable, Sendable {
    /// Small, and soon too late.
    case urgent
    case bulk
    /// Something large, in pieces.
    case transfer
}

/// What a message is to the network.
public struct Parcel: Hashable, Sendable {
    public var bytes: Int
    public var lane: Lane

    public init(bytes: Int, lane: Lane) {
        self.bytes = bytes
        self.lane = lane
    }
}

/// Decides how much may wait to leave on one connection.
public protocol ConnectionQueue: Sendable {
    /// Whether this may wait; it counts then until it has left.
    mutating func admit(_ bytes: Int, at now: Instant) -> Bool
    mutating func carried(_ bytes: Int, at now: Instant)
    /// The connection is gone, with all that waited.
    mutating func reset()
}

/// How processes handle their connections. It comes from outside, so that what is simulated can be what runs.
public struct ConnectionPolicy: Sendable {
    /// After how long a side that hears nothing gives the connection up; `nil` when it never does.
    public var silence: TimeSpan?
    /// How long it waits before it dials again, after so many failures in a row.
    public var redial: @Sendable (_ failures: Int) -> ClosedRange<TimeSpan>
    public var queue: @Sendable (Lane) -> any ConnectionQueue

    public init(
        silence: TimeSpan?, redial: @escaping @Sendable (_ failures: Int) -> ClosedRange<TimeSpan>,
        queue: @escaping @Sendable (Lane) -> any ConnectionQueue
    ) {
        self.silence = silence
        self.redial = redial
        self.queue = queue
    }
}

/// One connection, in one direction and on one lane, as its sender sees it.
///
/// Bytes leave one after the other at the link's rate and arrive in order. What happens to a connection that is gone
/// is worked out when something is sent on it, or when the link is mended: nothing is scheduled for its sake.
final class Connection {
    /// What was sent on an earlier one never arrives.
    private(set) var generation = 0
    /// Until then what is sent vanishes, and the sender does not know.
    private(set) var deadUntil = Instant.zero
    /// Until then there is none, and the sender knows.
    private(set) var upAt = Instant.zero
    private var freeAt = Instant.zero
    private var lastArrival = Instant.zero
    private var queue: any ConnectionQueue
    /// What waits to leave, and when it will have.
    private var leaving: [(at: Instant, bytes: Int)] = []

    init(queue: any ConnectionQueue) { self.queue = queue }

    enum Fate {
        /// It is on its way: the time at which it has left.
        case leaves(Instant)
        case vanishes
        case refused
    }

    func send(_ bytes: Int, at now: Instant, bytesPerSecond rate: UInt64?) -> Fate {
        if now < deadUntil { return .vanishes }
        if now < upAt { return .refused }
        guard let rate else { return .leaves(now) }
        let left = leaving.prefix { $0.at <= now }
        for one in left { queue.carried(one.bytes, at: one.at) }
        leaving.removeFirst(left.count)
        guard queue.admit(bytes, at: now) else { return .refused }
        let span = TimeSpan(nanoseconds: UInt64(bytes) * 1_000_000_000 / rate)
        freeAt = max(now, freeAt) + span
        leaving.append((freeAt, bytes))
        return .leaves(freeAt)
    }

    /// In order, at this time at the earliest.
    func arrival(notBefore time: Instant) -> Instant {
        lastArrival = max(lastArrival, time)
        return lastArrival
    }

    /// Nothing gets on before this time, and then everything does, in order.
    func hold(until time: Instant) {
        freeAt = max(freeAt, time)
        lastArrival = max(lastArrival, time)
    }

    /// All that is on its way is lost, and there is another connection from `time` on.
    func reset(upAt time: Instant) {
        generation += 1
        upAt = time
        (freeAt, lastArrival) = (time, time)
        leaving.removeAll()
        queue.reset()
    }

    /// The other end is gone without a word, which the sender finds out at `time`.
    func die(noticedAt time: Instant, upAt: Instant) {
        reset(upAt: upAt)
        deadUntil = time
    }

    /// Another takes its place from `time` on, of which nothing is known but that it was just made.
    func replace(at time: Instant) {
        deadUntil = .zero
        reset(upAt: time)
    }

    /// There is a connection, and nothing waits on it.
    func mend() {
        (deadUntil, upAt) = (.zero, .zero)
        (freeAt, lastArrival) = (.zero, .zero)
        leaving.removeAll()
        queue.reset()
    }
}
