import Automata

/// When the store is to be made durable: a restart replays the log from the last such point, and the log is
/// trimmed up to it.
public struct DurablePoint: Sendable {
    /// What the store may hold in memory before it is due. A large store has more of it, as every point writes most pages
    /// of its index, whatever there is to be written.
    public static func bytesLimit(storeBytes: Int) -> Int { max(16 << 20, min(storeBytes / 8, 64 << 20)) }
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

    public func isDue(at now: Instant, entryLimit: Int, _ store: StoreReading) -> Bool {
        guard !isUnderWay, entries > 0 else { return false }
        let isLong =
            entries >= entryLimit
            || store.bytesWrittenSincePoint >= DurablePoint.bytesLimit(storeBytes: store.bytesInUse)
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
