import Automata
import Paxos

/// When the store is to be made durable: a restart replays the log from the last such point, and the log is
/// trimmed up to it.
struct DurablePoint {
    static let bytesLimit = 32 << 20
    static let interval = TimeSpan.seconds(5)

    private var bytes = 0
    private var entries = 0
    private var last: Instant
    private var isUnderWay = false

    init(applied: Slot, now: Instant) { last = now }

    mutating func note(bytes: Int, entries: Int) {
        self.bytes += bytes
        self.entries += entries
    }

    func isDue(at now: Instant, entryLimit: Int) -> Bool {
        guard !isUnderWay, entries > 0 else { return false }
        return bytes >= DurablePoint.bytesLimit || entries >= entryLimit
            || last + DurablePoint.interval < now
    }

    mutating func begin(at now: Instant) {
        isUnderWay = true
        bytes = 0
        entries = 0
        last = now
    }

    mutating func end() { isUnderWay = false }
}
