import Paxos

/// What a leader has learnt, from the answers of one process, about the way to it: how much may be under way at
/// once, and for how many heartbeats an answer is not late.
///
/// A link that carries a megabyte in a second needs ten heartbeats for what another carries within one. Without
/// knowing that a leader would fill the way with more than it carries, take what is under way for lost, and send it
/// again behind itself. Both quantities are learnt as in TCP: what is answered quickly opens the window, what is
/// answered late halves it; the patience follows the answers of which it is known what they answer, and doubles while
/// none comes. (Jacobson, Congestion Avoidance and Control, 1988; Karn, Partridge, Improving Round-Trip Time Estimates
/// in Reliable Transport Protocols, 1987.)
struct Pace: Hashable, Sendable {
    /// Heartbeats within which an answer is quick, and from which on it is late.
    private static let quick: UInt64 = 1
    private static let late: UInt64 = 3
    /// Bytes below which a window gains nothing: a slow link takes this much in some ten milliseconds, and less at once
    /// only costs more messages.
    private static let narrowest = 64 << 10
    /// A process that has not moved is sent to again at least this often, in heartbeats.
    private static let longestPatience: UInt64 = 20

    private let floor: Int
    private let ceiling: Int
    /// Bytes that may be unanswered. A single message above it travels alone.
    private(set) var windowBytes: Int
    private var lastNarrowed: UInt64 = 0

    /// Heartbeats that an answer may take.
    private var patience: UInt64 = 1
    /// Heartbeats since the process last moved, while something was under way to it.
    private var stalled: UInt64 = 0
    /// How many of them it takes until it is sent to again.
    private var resendAt: UInt64 = 1

    init(batchBytes: Int, messages: Int) {
        floor = min(batchBytes, Pace.narrowest)
        ceiling = max(batchBytes, batchBytes * messages)
        windowBytes = batchBytes
    }

    /// A message of `bytes` bytes, of which there was one copy, was answered `age` heartbeats after it left, at
    /// heartbeat `now`.
    mutating func noteAnswer(_ bytes: Int, age: UInt64, at now: UInt64) {
        // Down by a quarter at most, since a small message is quicker than the large one that may come next.
        patience = min(max(age + 1, patience - (patience + 3) / 4), Pace.longestPatience)
        if age <= Pace.quick {
            windowBytes = min(ceiling, windowBytes + bytes)
        } else if age >= Pace.late, now > lastNarrowed {
            // At most once for each heartbeat: all that was under way then tells of the same congestion.
            windowBytes = max(floor, windowBytes / 2)
            lastNarrowed = now
        }
    }

    /// The process has moved.
    mutating func noteProgress() {
        // It was sent to again, and which copy is answered nobody knows: what was waited in the end is kept.
        if stalled >= patience { patience = min(stalled + 1, Pace.longestPatience) }
        stalled = 0
        resendAt = patience
    }

    /// One more heartbeat has passed without a move; whether to send again what may be lost.
    mutating func noteStall() -> Bool {
        stalled += 1
        guard stalled >= resendAt else { return false }
        resendAt = stalled + min(stalled, Pace.longestPatience)
        return true
    }
}
