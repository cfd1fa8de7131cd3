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

    public init(now: Instant) { last = now }

    public mutating func note(entries: Int) { self.entries += entries }

    public func isDue(at now: Instant, entryLimit: Int, storeBytes: Int) -> Bool {
        guard !isUnderWay, entries > 0 else { return false }
        let isLong = entries >= entryLimit || storeBytes >= DurablePoint.bytesLimit
        return last + (isLong ? DurablePoint.shortestInterval : DurablePoint.interval) < now
    }

    public mutating func begin(at now: Instant) {
        isUnderWay = true
        entries = 0
        last = now
    }

    public mutating func end() { isUnderWay = false }
}
