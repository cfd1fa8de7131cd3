import Coordination
import Glibc
import Synchronization

/// The ordered store: a memory-mapped B+tree in a data file, and in front of it in memory what was written since the
/// last `synchronize`.
///
///     write ─► newest layer ─► (synchronize) sealed layer ─► data file, in sorted pieces ─► sync, point
///     read  ◄─ newest layer ◄──────────────── sealed layer ◄─ data file
///
/// Nothing that a request waits for is written to the disk here: the log makes requests durable, and `synchronize`
/// makes the store catch up from time to time. A store always opens in the state of its last `synchronize` that
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
        /// What is kept in memory at most before a write waits until it is in the data file. A host that synchronises
        /// while `isBehind` says so never comes to that.
        public var memoryBytes = 256 << 20
        public init() {}
    }

    public let directory: String
    let options: Options
    let environment: Environment
    private let state = Mutex<State>(State())
    /// Moves on when a layer is sealed: a view of the file that was opened before has nothing of what is sealed later.
    private let generation = Atomic<UInt64>(0)
    private let views = Mutex<[LayeredView]>([])
    /// Held while a point is made.
    private let pointLock = Mutex<Void>(())
    /// Held while a transaction writes to the newest layer, and while that is sealed.
    private let writing = Mutex<Void>(())
    /// Used by the thread that writes.
    private var transaction: LayeredTransaction?
    private var isWriting = false
    let room: RoomKeeper

    private struct State {
        /// Newest first; all but the newest are sealed.
        var layers = [MemoryLayer()]
        /// The last transaction that is committed.
        var committed: UInt64 = 0
        var syncFailure: StoreError?
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
        return try LMDBStore(directory, Environment(directory, options), options: options)
    }

    private init(_ directory: String, _ environment: Environment, options: Options) {
        self.directory = directory
        self.options = options
        self.environment = environment
        room = RoomKeeper(environment)
    }

    deinit {
        // Views are closed before the environment is.
        transaction = nil
        views.withLock { $0.removeAll() }
    }

    // MARK: Reading

    public func read<R>(_ body: (any OrderedReader) throws -> R) throws -> R {
        let view = try takeView()
        defer { giveBack(view) }
        return try body(view)
    }

    public func openView() throws -> any OrderedView { try OpenView(self) }

    /// The state of the last `synchronize` that returned. To be read by one thread at a time, and only while
    /// nobody synchronises.
    public func openPoint() throws -> any OrderedView { try environment.openPoint() }

    /// Of what is committed.
    func takeView() throws -> LayeredView {
        while true { if let view = try view(of: look()) { return view } }
    }

    /// The layers at one moment, and the last transaction that they have.
    struct Look {
        fileprivate let generation: UInt64
        fileprivate let layers: [MemoryLayer]
        fileprivate let committed: UInt64
    }

    func look() -> Look {
        let generation = generation.load(ordering: .acquiring)
        return state.withLock {
            Look(generation: generation, layers: $0.layers, committed: $0.committed)
        }
    }

    /// The file is looked at after the layers, so that nothing is missing that has gone from them to it meanwhile. Nil
    /// where what came later than the look may be on its way as well.
    func view(of look: Look) throws -> LayeredView? {
        let view = views.withLock { $0.popLast() } ?? LayeredView(environment)
        try view.begin(look.layers, at: look.committed)
        if generation.load(ordering: .acquiring) == look.generation { return view }
        giveBack(view)
        return nil
    }

    func giveBack(_ view: LayeredView) {
        view.end()
        views.withLock { $0.append(view) }
    }

    // MARK: Writing

    public func write<R>(_ body: (any OrderedTransaction) throws -> R) throws -> R {
        precondition(!isWriting, "a transaction within a transaction")
        if bytesWrittenSincePoint >= options.memoryBytes { try synchronize() }
        if let lack = room.lack { throw lack }
        var result: Result<R, any Error>?
        writing.withLock { _ in
            isWriting = true
            defer { isWriting = false }
            result = Result { try writeAlone(body) }
        }
        return try result!.get()
    }

    private func writeAlone<R>(_ body: (any OrderedTransaction) throws -> R) throws -> R {
        let transaction = transaction ?? LayeredTransaction(environment)
        self.transaction = transaction
        let (layers, committed) = state.withLock { ($0.layers, $0.committed) }
        try transaction.beginWriting(layers, at: committed + 1)
        do {
            let result = try body(transaction)
            try room.admit(layers, grows: transaction.grows, limit: options.mapBytes)
            transaction.commit()
            layers[0].publishSize()
            state.withLock { $0.committed = committed + 1 }
            return result
        } catch {
            transaction.abort()
            throw error
        }
    }

    // MARK: Durability

    /// Makes what is committed the point: it goes to the data file, and that to the disk. It may be called on any
    /// thread while another writes; a second call waits for the first.
    ///
    /// Throws `.full` where the disk has no room; `syncFailure` is nil then, nothing is lost and a later call may
    /// pass. After a sync has failed every further call does, and what is read may be wrong: the system takes what it
    /// could not write for written. Only `openPoint` can be relied on then.
    public func synchronize() throws {
        try pointLock.withLock { _ in
            if let syncFailure { throw syncFailure }
            let sealed = seal()
            if !sealed.isEmpty {
                try room.whileWritingOut { try writeOut(sealed) }
                state.withLock { $0.layers.removeLast($0.layers.count - 1) }
            }
            let latest = try room.withReserve { _ in try environment.holdLatest() }
            guard latest.view.number != environment.pointNumber else {
                return environment.giveBack(latest.view)
            }
            do {
                try environment.makePoint(latest.view, latest.meta, dataBytes: latest.dataBytes, options)
            } catch let error as StoreError {
                state.withLock { $0.syncFailure = error }
                throw error
            }
            room.onPoint()
        }
    }

    /// What a sync has failed with: what is read may be wrong since, and no later `synchronize` passes.
    public var syncFailure: StoreError? { state.withLock { $0.syncFailure } }

    /// Begins a new layer; what is written from now on is not among what is returned, newest first.
    func seal() -> [MemoryLayer] {
        writing.withLock { _ in
            state.withLock { state in
                if !state.layers[0].isEmpty {
                    state.layers.insert(MemoryLayer(), at: 0)
                    generation.add(1, ordering: .releasing)
                }
                return Array(state.layers.dropFirst())
            }
        }
    }

    /// About how many bytes have been written since the last `synchronize`. They are in memory.
    public var bytesWrittenSincePoint: Int {
        state.withLock { $0.layers.reduce(0) { $0 + $1.size } }
    }

    /// Whether so much has been written since the last `synchronize` that the caller should let it come to an end
    /// before writing more.
    public var isBehind: Bool { bytesWrittenSincePoint >= options.memoryBytes / 2 }

    /// Whether the disk refused room that the store wanted to set aside. The caller should refuse what makes
    /// the store grow and go on with what makes it shrink. It ends by itself with a write or a `synchronize`
    /// after there is room again.
    public var isSpaceLow: Bool { room.isLow }

    /// Of the whole, and of what holds something. Pages behind the end of the point's state that hold nothing are left
    /// out: a restart gives them back, and so does a copy.
    public var size: (total: Int, inUse: Int) {
        let size = room.size
        let memory = bytesWrittenSincePoint
        return (max(size.inUse, min(size.file, size.point)) + memory, size.inUse + memory)
    }

    /// Bytes of the file, up to the last page in use, that hold nothing.
    package var spareBytes: Int {
        let size = room.size
        return size.file - size.inUse
    }

    /// Synchronises. The store closes when it and its views are let go of.
    public func close() { try? synchronize() }
}
