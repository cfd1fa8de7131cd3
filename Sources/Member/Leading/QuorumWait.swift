import Automata

/// When to say that there is no leader: after an election timeout without one, then whenever others are reached
/// than were before, at most once a second, and in any case every ten seconds.
public struct QuorumWait: Sendable {
    public static let shortest = TimeSpan.seconds(1)
    public static let longest = TimeSpan.seconds(10)

    private var said: (at: Instant, reached: [ProcessID])?

    public init() {}

    /// `since` is when there was a leader last. There is one again: `ended`.
    public mutating func isDue(_ now: Instant, since: Instant, patience: TimeSpan, reached: [ProcessID])
        -> Bool
    {
        guard since + patience <= now else { return false }
        if let said {
            let pause = said.reached == reached ? Self.longest : Self.shortest
            guard said.at + pause <= now else { return false }
        }
        said = (now, reached)
        return true
    }

    public mutating func ended() { said = nil }
}
