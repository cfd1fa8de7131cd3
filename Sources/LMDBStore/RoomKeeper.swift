import Coordination
import Synchronization

/// Whether there is room for what is written: on the disk, in the addresses that the data file may have, and what the
/// store takes of it.
///
/// What is in memory is to find room when it is written out, so the disk is asked for it beforehand, by what that may
/// take at most: a page for each row, but no more pages than there are, and what the rows hold in pages that are half full.
final class RoomKeeper: Sendable {
    private let environment: Environment
    /// Held while a transaction of the data file is committed, and by others for a few microseconds.
    private let reserve: Mutex<SpaceReserve>
    private let lowMark = Atomic<Bool>(false)
    private let lackMark = Atomic<Bool>(false)
    private let lackFound = Mutex<StoreError?>(nil)
    private let usedBytes: Atomic<Int>
    /// What was set aside for what is in memory.
    private let promised = Atomic<Int>(0)
    private let measured = Mutex<Measurement>(Measurement())
    private let changes = Atomic<UInt64>(1)

    private static let pageBytes = 4096
    /// The disk is not asked for less than this at once.
    private static let step = 256 << 10

    private struct Measurement {
        var changes: UInt64 = 0
        var size = Environment.Size()
    }

    init(_ environment: Environment) {
        self.environment = environment
        var reserve = SpaceReserve(descriptor: environment.descriptor)
        reserve.keep(behind: environment.usedBytes)
        lowMark.store(reserve.isLow, ordering: .relaxed)
        usedBytes = Atomic(environment.usedBytes)
        self.reserve = Mutex(reserve)
    }

    var isLow: Bool { lowMark.load(ordering: .relaxed) }

    /// Why what is in memory could not be written out for want of room when that was tried last; nil when it could.
    var lack: StoreError? {
        lackMark.load(ordering: .relaxed) ? lackFound.withLock { $0 } : nil
    }

    // MARK: what is written to memory

    /// Sets room aside for the layers. Throws `.full` where the file may not have so many addresses.
    func admit(_ layers: [MemoryLayer], grows: Bool, limit: Int?) throws {
        let used = usedBytes.load(ordering: .relaxed)
        var wanted = 0
        for layer in layers {
            wanted += 2 * layer.contentBytes + min(layer.versions * Self.pageBytes, used)
        }
        if let limit, grows, used + wanted > limit {
            throw StoreError(.full, "writing: the store has reached the size that it may have in memory")
        }
        guard isLow || wanted >= promised.load(ordering: .relaxed) + Self.step else { return }
        // Whoever has it now asks for room himself.
        _ = reserve.withLockIfAvailable { reserve in
            reserve.keep(behind: used + wanted)
            lowMark.store(reserve.isLow, ordering: .relaxed)
            promised.store(wanted, ordering: .relaxed)
        }
    }

    // MARK: what is written to the file

    /// Notes whether `body` finds room.
    func whileWritingOut(_ body: () throws -> Void) throws {
        do {
            try body()
        } catch let error as StoreError where error.code == .full {
            lackFound.withLock { $0 = error }
            lackMark.store(true, ordering: .relaxed)
            throw error
        }
        lackMark.store(false, ordering: .relaxed)
        promised.store(0, ordering: .relaxed)
    }

    func commit(_ transaction: WriteTransaction) throws {
        try withReserve { reserve in
            do {
                try transaction.commit()
            } catch let error as StoreError where error.code == .failed {
                // The library takes a write that was cut short for a broken disk.
                guard reserve.foundNoRoom(behind: environment.usedBytes) else { throw error }
                throw StoreError(.full, "\(error.message): the disk is full")
            }
        }
        changes.add(1, ordering: .releasing)
    }

    /// No transaction of the file is committed meanwhile.
    func withReserve<R>(_ body: (inout SpaceReserve) throws -> sending R) rethrows -> sending R {
        try reserve.withLock { reserve in
            defer { lowMark.store(reserve.isLow, ordering: .relaxed) }
            let result = try body(&reserve)
            let used = environment.usedBytes
            usedBytes.store(used, ordering: .relaxed)
            reserve.keep(behind: used)
            return result
        }
    }

    func onPoint() { changes.add(1, ordering: .releasing) }

    // MARK: what there is

    /// Of the data file.
    var size: Environment.Size {
        let now = changes.load(ordering: .acquiring)
        return measured.withLock { measured in
            if measured.changes != now, let size = try? environment.size() {
                measured = Measurement(changes: now, size: size)
            }
            return measured.size
        }
    }
}
