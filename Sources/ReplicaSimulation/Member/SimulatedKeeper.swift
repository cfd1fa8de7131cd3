import Automata
import Coordination
import Member
import Paxos
import Simulation

/// The store thread of a simulated member: it does one thing after the other, and now and then its disk fails. A restart
/// finds the image that it wrote last.
struct SimulatedKeeper {
    enum Job {
        case synchronize(Slot)
        case copy(StoreCopySource)
        case catchUp([Entry])
        case place
    }

    struct Copy {
        let store: MemoryStore
        var applier: Applier
        /// What a restart would find of it, and up to where.
        var image: [UInt8]
        var durable: Slot

        init(_ image: [UInt8]) throws {
            self.image = image
            store = try StoreImage.store(from: image)
            applier = try store.read { try Applier(from: $0) }
            durable = applier.applied
        }

        var standing: StoreCopyStanding {
            StoreCopyStanding(
                applied: applier.applied, durable: durable, revision: applier.ledger.revision)
        }

        mutating func apply(_ entries: [Entry]) throws {
            applier.enqueue(first: applier.applied.next, entries)
            while applier.hasWork {
                applier.adopt(try store.write { [applier] in try applier.batch(in: $0) })
            }
        }

        mutating func synchronize() throws {
            image = try store.read { try StoreImage.bytes(of: $0) }
            durable = applier.applied
        }
    }

    struct Arrival {
        let id: CheckpointID
        let image: MemoryStore
        let slot: Slot
        let number: UInt64
        let from: ProcessID
    }

    let plan: KeeperPlan
    private var random: SeededRandom
    private var failuresLeft: Int

    private var jobs: [Job] = []
    private var isBusy = false
    /// What is on its way to the disk, and up to where a restart will find it.
    var writing: (store: UInt64, image: [UInt8], slot: Slot)?
    /// What a restart finds, and up to where at least.
    private(set) var point: [UInt8] = []
    private var pointSlot = Slot.zero
    var copy: Copy?
    /// A sync has failed: what is read of the store may not be what was written.
    var isDamaged = false
    /// The member wants nothing to be read.
    var isSuspended = false

    /// Whole and on their way to the disk, and those of which the member was told.
    var incoming: (store: UInt64, arrival: Arrival)?
    var arrivals: [Arrival] = []
    private var lastArrival: UInt64 = 0

    init(_ plan: KeeperPlan, seed: UInt64) {
        self.plan = plan
        random = SeededRandom(seed: seed &+ 1)
        failuresLeft = plan.failures
    }

    /// What was written of a store that another has replaced is older than what that was found with.
    mutating func use(point image: [UInt8], upTo slot: Slot) {
        guard slot >= pointSlot else { return }
        (point, pointSlot) = (image, slot)
    }

    mutating func arrivalID() -> CheckpointID {
        lastArrival += 1
        return CheckpointID(lastArrival)
    }

    // MARK: its work

    mutating func give(_ job: Job) { jobs.append(job) }

    /// True when the next piece of work is to begin in a while.
    mutating func begin() -> Bool {
        guard !isBusy, !jobs.isEmpty else { return false }
        isBusy = true
        return true
    }

    var job: Job? { jobs.first }

    mutating func end() {
        jobs.removeFirst()
        isBusy = false
    }

    // MARK: chance

    mutating func fails(_ perMille: UInt64) -> Bool {
        guard failuresLeft > 0, random.below(1_000) < perMille else { return false }
        failuresLeft -= 1
        return true
    }

    mutating func isLongSwitch() -> Bool { random.below(1_000) < plan.longSwitches }
}
