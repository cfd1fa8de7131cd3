import CLMDB
import Coordination
import Glibc
import Synchronization

/// The ordered store in a memory-mapped B+tree.
///
/// Nothing that a request waits for is synced: the log makes requests durable, and `synchronize` makes the
/// store catch up from time to time. A store always opens in the state of its last `synchronize` that
/// returned, whether the process ended well, was killed, or the machine lost power.
///
/// Memory-mapped files tell of unreadable sectors by a signal that ends the process; the bytes of the data
/// file have no checksums.
public final class LMDBStore: OrderedStore, @unchecked Sendable {
    public struct Options: Sendable {
        /// Off only for tests and `--unsafe-no-fsync`.
        public var synchronises = true
        /// Makes what was written to a file durable; returns 0, or -1 with `errno` set. Tests bring one that fails,
        /// or that notes what it was asked for.
        public var sync: @Sendable (_ descriptor: Int32) -> Int32 = { fdatasync($0) }
        /// How large the data file may become. nil: as large as the process has addresses for, up to 1 TiB.
        public var mapBytes: Int?
        public init() {}
    }

    public let directory: String
    private let options: Options
    private let current: Mutex<Environment>
    /// Held while a point is made or the environment replaced.
    private let pointLock = Mutex<PointState>(PointState())
    /// Held while a transaction is committed, and by others for a few microseconds.
    private let commitLock: Mutex<SpaceReserve>
    /// Used by the thread that writes.
    private var transaction: WriteTransaction?
    private var isWriting = false
    private let changedBytes = Atomic<Int>(0)
    private let isLow = Atomic<Bool>(false)
    private let measured = Mutex<Measurement>(Measurement())
    private let commits = Atomic<UInt64>(1)

    private struct PointState {
        var failure: StoreError?
    }

    private struct Measurement {
        var commits: UInt64 = 0
        var size = Environment.Size()
    }

    /// Opens the store in `directory` as it was last synchronised, or makes an empty one.
    public static func open(_ directory: String, options: Options = Options()) throws -> LMDBStore {
        try StoreDirectory.settle(directory, synchronises: options.synchronises)
        if !StoreDirectory.exists(directory) {
            let fresh = try StoreDirectory.makeFresh(directory)
            do {
                try Environment.create(in: fresh, options)
                try StoreDirectory.replace(directory)
            } catch {
                StoreDirectory.remove(fresh)
                throw error
            }
        }
        return try LMDBStore(
            directory, Environment(directory, options), options: options)
    }

    private init(_ directory: String, _ environment: Environment, options: Options) {
        self.directory = directory
        self.options = options
        var reserve = SpaceReserve(descriptor: environment.descriptor)
        reserve.keep(behind: environment.usedBytes)
        isLow.store(reserve.isLow, ordering: .relaxed)
        commitLock = Mutex(reserve)
        current = Mutex(environment)
    }

    private var environment: Environment { current.withLock { $0 } }

    // MARK: Reading and writing

    public func read<R>(_ body: (any OrderedReader) throws -> R) throws -> R {
        let environment = environment
        let view = try environment.takeView()
        defer { environment.giveBack(view) }
        return try body(view)
    }

    public func write<R>(_ body: (any OrderedTransaction) throws -> R) throws -> R {
        precondition(!isWriting, "a transaction within a transaction")
        isWriting = true
        defer { isWriting = false }
        let environment = environment
        let transaction = transaction ?? WriteTransaction(environment)
        self.transaction = transaction
        do {
            try transaction.begin()
            let result: R
            do {
                result = try body(transaction)
            } catch {
                transaction.abort()
                throw error
            }
            try commit(transaction, environment)
            return result
        } catch let error as StoreError where error.code == .full {
            // Pages freed since the point can be used again once there is a new one.
            try? synchronize()
            throw error
        }
    }

    private func commit(_ transaction: WriteTransaction, _ environment: Environment) throws {
        try commitLock.withLock { reserve in
            defer { isLow.store(reserve.isLow, ordering: .relaxed) }
            do {
                try transaction.commit()
            } catch let error as StoreError where error.code == .failed {
                // The library takes a write that was cut short for a broken disk.
                guard reserve.foundNoRoom(behind: environment.usedBytes) else { throw error }
                throw StoreError(.full, "\(error.message): the disk is full")
            }
            reserve.keep(behind: environment.usedBytes)
        }
        changedBytes.add(transaction.changedBytes, ordering: .relaxed)
        commits.add(1, ordering: .releasing)
    }

    public func openView() throws -> any OrderedView { try OpenView(environment) }

    /// The state of the last `synchronize` that returned. To be read by one thread at a time, and only while
    /// nobody synchronises.
    public func openPoint() throws -> any OrderedView { try environment.openPoint() }

    // MARK: Durability

    /// Makes what is committed the point. It may be called on any thread while another writes; a second call
    /// waits for the first. After a sync has failed every further one does, and what is read may be wrong: the
    /// system takes what it could not write for written. Only `openPoint` can be relied on then.
    public func synchronize() throws {
        try pointLock.withLock { state in
            if let failure = state.failure { throw failure }
            let environment = environment
            let changed = changedBytes.load(ordering: .relaxed)
            let latest = try commitLock.withLock { reserve in
                reserve.keep(behind: environment.usedBytes)
                isLow.store(reserve.isLow, ordering: .relaxed)
                return try environment.holdLatest()
            }
            guard latest.view.number != environment.pointNumber else {
                return environment.giveBack(latest.view)
            }
            do {
                try environment.makePoint(latest.view, latest.meta, dataBytes: latest.dataBytes, options)
            } catch let error as StoreError {
                state.failure = error
                throw error
            }
            changedBytes.subtract(changed, ordering: .relaxed)
            commits.add(1, ordering: .releasing)
        }
    }

    /// About how many bytes of the data file have changed since the last `synchronize`. The file grows by
    /// them, as pages that are freed are not used again before the next one.
    public var bytesWrittenSincePoint: Int { changedBytes.load(ordering: .relaxed) }

    /// Whether the disk refused room that the store wanted to set aside. The caller should refuse what makes
    /// the store grow and go on with what makes it shrink. It ends by itself with a write or a `synchronize`
    /// after there is room again.
    public var isSpaceLow: Bool { isLow.load(ordering: .relaxed) }

    /// Of the whole, and of the pages that hold something. Pages behind the end of the point's state that hold
    /// nothing are left out: a restart gives them back, and so does a copy.
    public var size: (total: Int, inUse: Int) {
        let size = measure()
        return (max(size.inUse, min(size.file, size.point)), size.inUse)
    }

    /// Bytes of the file, up to the last page in use, that hold nothing.
    public var spareBytes: Int {
        let size = measure()
        return size.file - size.inUse
    }

    private func measure() -> Environment.Size {
        let now = commits.load(ordering: .acquiring)
        return measured.withLock { measured in
            if measured.commits != now, let size = try? environment.size() {
                measured = Measurement(commits: now, size: size)
            }
            return measured.size
        }
    }

    /// Synchronises. The store closes when it and its views are let go of.
    public func close() { try? synchronize() }
}
