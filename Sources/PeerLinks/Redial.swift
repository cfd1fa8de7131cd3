import Automata

/// How long to wait before the next attempt to connect after one that failed.
///
/// The first comes soon, since most connections end because a process starts anew; the wait then doubles up to
/// `LinkTimes.nextAttempt`, and stays there: a machine that was away for an hour is to be found as quickly as one
/// that was away for a second.
public struct Redial: Hashable, Sendable {
    private static let shortest = TimeSpan.milliseconds(20)
    private let longest: TimeSpan
    public private(set) var failures = 0

    public init(_ times: LinkTimes) { longest = times.nextAttempt }

    public mutating func succeeded() { failures = 0 }

    /// The host picks within the range, so that processes that wait for each other do not march in step.
    public mutating func failed() -> ClosedRange<TimeSpan> {
        let least = min(longest, Redial.shortest * (1 << UInt64(min(failures, 10))))
        failures += 1
        return least...least + TimeSpan(nanoseconds: least.nanoseconds / 2)
    }
}
