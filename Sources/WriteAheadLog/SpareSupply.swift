import Automata
import Glibc

/// Keeps prepared files at hand, so that starting a segment neither stalls nor fails when the disk is full.
///
/// A thread of its own fills a new file with zeros in small steps, and turns segments that are no longer
/// needed into spares. The log takes a spare when it starts a segment.
final class SpareSupply: @unchecked Sendable {
    private let directory: String
    private let options: WriteAheadLog.Options
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var thread = pthread_t()
    private var isRunning = false

    // Guarded by `mutex`.
    private var spares: [String]
    private var retired: [String] = []
    private var wantsSpare = false
    private var isClosed = false
    private var isBusy = false
    private var foundNoRoom = false
    private var kept = 0
    private var nextName: Int
    /// A segment could not be given up durably. Read by the thread that recycles alone.
    private var hasFailed = false

    /// How many spares are kept; what exceeds them is deleted.
    private static let spareCount = 2
    private static let stepBytes = 1 << 20
    private static let secondsBetweenTries = 1

    init(directory: String, options: WriteAheadLog.Options, spares: [String]) {
        self.directory = directory
        self.options = options
        self.spares = spares
        nextName = (spares.compactMap { LogFileName.spareNumber($0) }.max() ?? 0) + 1
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(changed, nil)
        guard options.preparesInBackground else { return }
        let context = Unmanaged.passRetained(self)
        let started = pthread_create(
            &thread, nil,
            { context in
                Unmanaged<SpareSupply>.fromOpaque(context!).takeRetainedValue().run()
                return nil
            }, context.toOpaque())
        isRunning = started == 0
        if !isRunning { context.release() }
    }

    deinit {
        pthread_mutex_destroy(mutex)
        pthread_cond_destroy(changed)
        mutex.deallocate()
        changed.deallocate()
    }

    private func locked<R>(_ body: () throws -> R) rethrows -> R {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body()
    }

    /// How many segments have become spares.
    var filesKept: Int { locked { kept } }
    var hasSpare: Bool { locked { !spares.isEmpty } }
    /// Whether the last attempt to make a spare found no room, and there is still none.
    var foundNoRoomForSpare: Bool { locked { foundNoRoom && spares.isEmpty } }

    /// Asks for a spare, if there is none.
    func prepare() {
        locked {
            guard spares.isEmpty, !wantsSpare else { return }
            wantsSpare = true
            pthread_cond_broadcast(changed)
        }
    }

    /// Says that there may be room again.
    func tryAgain() {
        locked {
            foundNoRoom = false
            pthread_cond_broadcast(changed)
        }
    }

    func take() -> String? { locked { spares.popLast() } }

    /// Hands over segments that are not needed any more, oldest first.
    func retire(_ names: [String]) {
        guard !names.isEmpty else { return }
        locked {
            retired += names
            pthread_cond_broadcast(changed)
        }
    }

    /// Waits until everything asked for so far is done or has been found impossible.
    func settle() {
        guard isRunning else { return workHere() }
        locked {
            while isRunning, isBusy || !retired.isEmpty || (wantsSpare && !foundNoRoom) {
                pthread_cond_wait(changed, mutex)
            }
        }
    }

    /// Stops the thread after it has seen to the retired segments.
    func close() {
        let wasClosed = locked {
            defer { isClosed = true }
            pthread_cond_broadcast(changed)
            return isClosed
        }
        if isRunning, !wasClosed { pthread_join(thread, nil) }
    }

    private func run() {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while true {
            if !retired.isEmpty {
                let names = retired
                retired = []
                unlocked { recycle(names) }
            } else if isClosed {
                return
            } else if wantsSpare {
                unlocked { makeSpare() }
                if wantsSpare { waitBeforeTryingAgain() }
            } else {
                pthread_cond_broadcast(changed)
                pthread_cond_wait(changed, mutex)
            }
        }
    }

    private func unlocked(_ body: () -> Void) {
        isBusy = true
        pthread_mutex_unlock(mutex)
        body()
        pthread_mutex_lock(mutex)
        isBusy = false
        pthread_cond_broadcast(changed)
    }

    private func waitBeforeTryingAgain() {
        guard retired.isEmpty, !isClosed else { return }
        var until = timespec()
        clock_gettime(CLOCK_REALTIME, &until)
        until.tv_sec += Self.secondsBetweenTries
        pthread_cond_timedwait(changed, mutex, &until)
    }

    /// What the thread would do, once.
    private func workHere() {
        let (names, makes) = locked {
            defer { retired = [] }
            return (retired, wantsSpare && !isClosed)
        }
        recycle(names)
        if makes, locked({ wantsSpare }) { makeSpare() }
    }

    /// One after the other, each durably: a segment that came back after a loss of power while a later one did
    /// not would be taken for damage, and a spare that is written to must not be found under its earlier name.
    private func recycle(_ names: [String]) {
        for name in names where !hasFailed {
            let path = "\(directory)/\(name)"
            let spare: String? = locked {
                guard spares.count < Self.spareCount, !isClosed else { return nil }
                defer { nextName += 1 }
                return LogFileName.spare(nextName)
            }
            do {
                let isWhole =
                    try spare != nil && options.files.open(path).sizeAtOpening >= options.segmentBytes
                if let spare, isWhole {
                    try options.files.rename(path, to: "\(directory)/\(spare)")
                } else {
                    try options.files.remove(path)
                }
                if options.synchronises { try options.files.synchronizeDirectory(directory) }
                if let spare, isWhole {
                    locked {
                        added(spare)
                        kept += 1
                    }
                }
            } catch {
                // This one and what comes after it stays, and is given up again after the next start.
                hasFailed = true
                return
            }
        }
    }

    private func makeSpare() {
        let draft = "\(directory)/\(LogFileName.draft)"
        do {
            let file = try LogFile(draft, create: true, in: options.files)
            try file.reserve(upTo: options.segmentBytes)
            while file.size < options.segmentBytes {
                try file.writeZeros(upTo: min(options.segmentBytes, file.size + Self.stepBytes))
                // Small steps, so that the log's own syncs never wait for much of this.
                if options.synchronises { try file.synchronize() }
                if locked({ isClosed }) { break }
            }
            let name = locked {
                defer { nextName += 1 }
                return LogFileName.spare(nextName)
            }
            try file.rename(to: "\(directory)/\(name)", in: options.files)
            locked { added(name) }
        } catch {
            try? options.files.remove(draft)
            locked { foundNoRoom = error.code == .noRoom }
        }
    }

    private func added(_ name: String) {
        spares.append(name)
        wantsSpare = false
        foundNoRoom = false
    }
}

/// The names of the files of a log.
enum LogFileName {
    static let draft = "spare.tmp"
    static let segmentDraft = "segment.tmp"
    private static let suffix = ".wal"

    static func segment(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits + suffix
    }

    static func spare(_ number: Int) -> String { "spare-\(number)\(suffix)" }

    static func segmentNumber(_ name: String) -> UInt64? {
        guard name.utf8.count == 20, name.hasSuffix(suffix) else { return nil }
        return UInt64(name.dropLast(4), radix: 16)
    }

    static func spareNumber(_ name: String) -> Int? {
        guard name.hasPrefix("spare-"), name.hasSuffix(suffix) else { return nil }
        return Int(name.dropFirst(6).dropLast(4))
    }
}
