import Automata
import LogicalTime

/// A monotonic clock that runs at a rate of its own.
struct SkewedClock: Hashable, Sendable {
    /// What the clock showed at `started`.
    var origin: UInt64 = 0
    var started = Instant.zero
    /// Parts per million by which it runs fast; negative when it runs slow.
    var skewPPM: Int64 = 0

    /// What the clock shows at the virtual time `now`.
    func reading(at now: Instant) -> Instant {
        let elapsed = Int64(now.since(started).nanoseconds)
        return Instant(nanoseconds: origin + UInt64(elapsed + elapsed / 1_000_000 * skewPPM))
    }

    /// How much virtual time passes while the clock advances by `span`, rounded up.
    func virtual(_ span: TimeSpan) -> TimeSpan {
        let rate = UInt64(1_000_000 + skewPPM)
        let (high, low) = span.nanoseconds.multipliedFullWidth(by: 1_000_000)
        return TimeSpan(nanoseconds: rate.dividingFullWidth((high, low)).quotient + 1)
    }
}

/// One process with the machine it runs on. A reference, so that looking at one copies nothing.
final class SimulatedHost<Process: SimulatedProcess> {
    typealias Event = SimulatedEvent<Process>

    struct Timer {
        let timer: Process.Timer
        var generation: UInt64
    }

    /// A message that waits for a write to be durable.
    struct Waiting {
        let message: Process.Message
        let to: ProcessID
        let after: RecordNumber
        let stamp: Stamp
    }

    let id: ProcessID
    /// `nil` while the process is down.
    var process: Process?
    var incarnation = 0
    var disk: SimulatedDisk
    var clock = SkewedClock()

    var timers: [Timer] = []
    var waiting: [Waiting] = []
    var written: UInt64 = 0
    var durable: UInt64 = 0
    var isSyncing = false
    /// The process has asked for a turn with its files and has not had it.
    var isUsingFiles = false
    var endsItself = false
    var stores: UInt64 = 0
    var stored: UInt64 = 0
    /// The process goes down instead of seeing its next sync end.
    var crashesAtNextSync = false

    var isPaused = false
    /// What has come for the process while it was paused, in order, and when.
    var held: [(event: Event, due: Instant)] = []
    /// While the machine is suspended.
    var asleepSince: Instant?
    /// Until then each sync takes long.
    var slowUntil = Instant.zero

    var lamport: LamportClock
    var vector: VectorClock

    init(id: ProcessID, seed: UInt64) {
        self.id = id
        disk = SimulatedDisk(seed: seed ^ id.rawValue << 32)
        lamport = LamportClock(process: id)
        vector = VectorClock(process: id)
    }

    /// Forgets everything that dies with an incarnation.
    func goDown() {
        process = nil
        timers.removeAll()
        waiting.removeAll()
        held.removeAll()
        (written, durable, isSyncing, stores, stored) = (0, 0, false, 0, 0)
        (crashesAtNextSync, isPaused, asleepSince) = (false, false, nil)
        (isUsingFiles, endsItself) = (false, false)
    }
}

/// When something was sent, in logical time. The vector is kept only while the trace is recorded.
struct Stamp {
    let lamport: LamportTimestamp
    let vector: VectorTimestamp?
}

/// What is to happen. Processes are named by index.
enum SimulatedEvent<Process: SimulatedProcess> {
    case arrival(Process.Message, from: Int, to: Int, Stamp, Passage?)
    case timer(Process.Timer, generation: UInt64, at: Int, incarnation: Int)
    case synced(upTo: UInt64, at: Int, incarnation: Int)
    case stored(upTo: UInt64, at: Int, incarnation: Int)
    case filesTurn(at: Int, incarnation: Int)
    case restart(Int, incarnation: Int)
    case resume(Int, incarnation: Int)
    case strike(Strike)
    case heal(generation: UInt64)
    case wake(UInt64)

    /// The process that must run for this to be noticed.
    var process: Int? {
        switch self {
        case .arrival(_, _, let to, _, _): to
        case .timer(_, _, let index, _), .synced(_, let index, _), .stored(_, let index, _),
            .filesTurn(let index, _):
            index
        case .restart, .resume, .strike, .heal, .wake: nil
        }
    }
}

/// The connection on which a message travels.
struct Passage {
    let lane: Lane
    let generation: Int
}

enum Strike: UInt64, CaseIterable {
    case crash, partition, clog, pause, reset, halfOpen, suspension, clockJump, slowDisk
}
