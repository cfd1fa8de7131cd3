import Automata

/// Whether there is room for what clients write, on the store's disk and the log's and within the quota.
struct Room: Sendable {
    var isStoreFull = false
    var isStoreSpaceLow = false
    var isLogFull = false
    var isLogSpaceLow = false
    var isOverQuota = false
    /// What the store had no room for is tried again then.
    private(set) var retry = Instant.zero
    private var lastAlarm = Instant.zero

    /// Nothing that may need room is let into the log.
    var isWanting: Bool { isOverQuota || isStoreFull || isStoreSpaceLow || isLogFull || isLogSpaceLow }

    mutating func storeIsFull(at now: Instant) {
        isStoreFull = true
        retry = now + .seconds(1)
    }

    /// The alarm is raised by a proposal, and not again while that may be under way.
    mutating func alarmIsDue(at now: Instant) -> Bool {
        guard lastAlarm == .zero || lastAlarm + .seconds(2) < now else { return false }
        lastAlarm = now
        return true
    }
}
