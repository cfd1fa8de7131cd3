import Automata

/// When the store is to be made durable: a restart replays the log from the last such point, and the log is
/// trimmed up to it.
struct DurablePoint {
    /// Of the store's pages; until the next point they take room twice, on the disk and in the page cache.
    static let bytesLimit = 16 << 20
    static let interval = TimeSpan.seconds(5)
    /// However fast entries come, the disk is not kept busy with the store alone.
    static let shortestInterval = TimeSpan.milliseconds(200)

    private var entries = 0
    private var last: Instant
    private var isUnderWay = false

    init(now: Instant) { last = now }

    mutating func note(entries: Int) { self.entries += entries }

    func isDue(at now: Instant, entryLimit: Int, storeBytes: Int) -> Bool {
        guard !isUnderWay, entries > 0 else { return false }
        let isLong = entries >= entryLimit || storeBytes >= DurablePoint.bytesLimit
        return last + (isLong ? DurablePoint.shortestInterval : DurablePoint.interval) < now
    }

    mutating func begin(at now: Instant) {
        isUnderWay = true
        entries = 0
        last = now
    }

    mutating func end() { isUnderWay = false }
}
