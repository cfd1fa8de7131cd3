import Automata
import Member
import Simulation

/// What the watchers of one run are like. It is drawn for itself, so that what the seed draws elsewhere stays.
struct WatchPlan {
    var hub = WatchHub.Settings()
    /// How many batches may wait for the watch thread.
    var feedLimit = 1_000_000
    /// How many clients watch at once.
    var clients = 1
    var gap = TimeSpan.milliseconds(50)
    /// Of a thousand slices of history, how many come late.
    var heldSlices: UInt64 = 0

    init() {}

    init(from random: inout SeededRandom) {
        // An event counts for about 70 bytes.
        hub.watcherLimitBytes = random.element([2 << 20, 400, 150])
        hub.portLimitBytes = random.element([32 << 20, 1_000, 400])
        hub.sliceBytes = random.element([512 << 10, 200, 1])
        hub.sliceRevisions = Int64(random.element([4_096, 10, 0]))
        feedLimit = random.element([feedLimit, 10, 1])
        clients = random.number(in: 1...5)
        gap = .milliseconds(random.element([20, 50, 150]))
        heldSlices = random.element([0, 200, 600])
    }
}
