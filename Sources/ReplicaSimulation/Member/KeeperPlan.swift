import Automata
import Simulation

/// How the disk under the store of one run's members fails. It is drawn for itself, so that what the seed draws elsewhere
/// stays.
struct KeeperPlan {
    /// How long the store thread takes to begin with what it is given.
    var delay = TimeSpan.zero
    /// How often the disk of one start of a member may fail.
    var failures = 0
    /// Of a thousand durable points, how many find no room, and of how many the sync fails.
    var pointsWithoutRoom: UInt64 = 0
    var failingSyncs: UInt64 = 0
    /// Of a thousand times that something is done with a copy, how often it fails.
    var failingCopies: UInt64 = 0
    /// Of a thousand switches, how many are put off as too much work.
    var longSwitches: UInt64 = 0
    /// Of a thousand requests of clients, how many ask for defragmentation.
    var defragmentations: UInt64 = 0

    init() {}

    init(seed: UInt64) {
        var random = SeededRandom(seed: seed ^ 0x5EED_0F_57_0E5)
        delay = .milliseconds(random.element([0, 5, 100, 600]))
        longSwitches = random.element([0, 300])
        defragmentations = random.element([0, 10, 60])
        guard random.chance(400_000) else { return }
        failures = random.number(in: 1...3)
        pointsWithoutRoom = random.element([0, 50, 300])
        failingSyncs = random.element([0, 50, 300])
        failingCopies = random.element([0, 200, 500])
    }
}
