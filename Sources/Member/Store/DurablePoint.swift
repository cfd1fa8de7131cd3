import Automata

/// When the store is to be made durable: a restart replays the log from the last such point, and the log is
/// trimmed up to it.
public struct DurablePoint: Sendable {
    /// Of the store's pages; until the next point they take room twice, on the disk and in the page cache.
    public static let bytesLimit = 16 << 20
    public static let interval = TimeSpan.seconds(5)
    /// However fast entries come, the disk is not kept busy with the store alone.
    public static let shortestInterval = TimeSpan.milliseconds(200)

    private var entries = 0
    private var last: Instant
    private var isUnderWay = false
    /// There was no room for it, and it is tried again then.
    private var retry: Instant?

    public init(now: Instant) { last = now }

    public mutating func note(entries: Int) { self.entries += entries }

    public func isDue(at now: Instant, entryLimit: Int, storeBytes: Int) -> Bool {
        guard !isUnderWay, entries > 0 else { return false }
        let isLong = entries >= entryLimit || storeBytes >= DurablePoint.bytesLimit
        return last + (isLong ? DurablePoint.shortestInterval : DurablePoint.interval) < now
    }

    public mutating func begin(at now: Instant) {
        isUnderWay = true
        retry = nil
        entries = 0
        last = now
    }

    public mutating func retry(at time: Instant) { retry = time }

    /// True once, when a point that found no room is to be tried again.
    public mutating func takeRetry(at now: Instant) -> Bool {
        guard let time = retry, time <= now else { return false }
        retry = nil
        return true
    }

    public mutating func end() {
        isUnderWay = false
        retry = nil
    }
}
