import CLMDB
import Coordination
import Glibc
import Synchronization

/// One open data file with its tables, its pool of views and its point. It closes when the store and all
/// views have let go of it.
final class Environment: @unchecked Sendable {
    let handle: OpaquePointer
    private(set) var tables: [MDB_dbi]
    /// The table of long keys.
    let long: MDB_dbi
    let descriptor: Int32
    let pageBytes: Int
    let pointFile: PointFile
    private let pool = Mutex<[ReadView]>([])
    /// The view that keeps the pages of the point as they are. Guarded by the store's lock for points.
    private var pinned: ReadView?

    private static let dataBytesInMemory = 1 << 40
    private static let fewestDataBytesInMemory = 64 << 20
    private static let readers: UInt32 = 4096
    private static let longName = "long"

    /// Opens the store in `directory` at its point.
    init(_ directory: String, _ options: LMDBStore.Options) throws {
        pointFile = try PointFile(in: directory, create: false)
        // Another process may have written the point and been killed before it was durable. The log is trimmed by it.
        if options.synchronises { try pointFile.synchronize(options.sync) }
        let data = "\(directory)/\(StoreDirectory.dataName)"
        guard let point = pointFile.point else {
            throw StoreError(.damaged, "\(directory)/\(PointFile.name) is damaged: \(Self.whatToDo)")
        }
        try Self.restore(point, in: data)
        handle = try Self.open(data, mapBytes: options.mapBytes)
        var databases: [MDB_dbi?] = []
        do {
            databases = try Self.openDatabases(handle)
        } catch {
            mdb_env_close(handle)
            throw error
        }
        tables = databases.dropLast().compactMap { $0 }
        long = databases[databases.count - 1]!
        var file: Int32 = -1
        mdb_env_get_fd(handle, &file)
        descriptor = file
        pageBytes = point.meta.pageBytes
        try pin(point)
        if tables.count < StoreTable.allCases.count { tables = try Self.makeDatabases(handle).dropLast() }
    }

    deinit {
        pinned = nil
        pool.withLock { $0.removeAll() }
        mdb_env_close(handle)
    }

    /// An older copy would do harm, since the log beside it has gone on.
    static let whatToDo =
        "put back the data directory as it was when the member last stopped; without it the member is lost, see "
        + "\"A lost disk\" in docs/operations"

    /// Makes an empty store in `directory`, durable unless told otherwise.
    static func create(in directory: String, _ options: LMDBStore.Options) throws {
        let data = "\(directory)/\(StoreDirectory.dataName)"
        let handle = try open(data, mapBytes: nil)
        do {
            _ = try makeDatabases(handle)
        } catch {
            mdb_env_close(handle)
            throw error
        }
        mdb_env_close(handle)
        try writeFirstPoint(in: directory, options)
    }

    /// Declares what a data file holds that nobody uses to be its point.
    private static func writeFirstPoint(in directory: String, _ options: LMDBStore.Options) throws {
        let data = "\(directory)/\(StoreDirectory.dataName)"
        let file = Glibc.open(data, O_RDWR | O_CLOEXEC)
        guard file >= 0 else { throw StoreError(system: "opening", data) }
        defer { close(file) }
        if options.synchronises, options.sync(file) != 0 { throw StoreError(system: "syncing", data) }
        let pageBytes = Int(getpagesize())
        let metas = try [0, 1].compactMap {
            MetaPage(try read(file, MetaPage.bytes, at: $0 * pageBytes, data))
        }
        guard let meta = metas.max(by: { $0.transaction < $1.transaction }) else {
            throw StoreError(.damaged, "\(data) has no meta page")
        }
        try PointFile(in: directory, create: true)
            .write(meta, dataBytes: try Self.dataBytes(file, meta), options)
    }

    private static func open(_ data: String, mapBytes: Int?) throws -> OpaquePointer {
        // Nobody else has the store, so what the lock file says of readers is of no use.
        unlink(data + "-lock")
        // Address space costs nothing, so there is plenty, unless the process may not have it.
        var size = mapBytes ?? dataBytesInMemory
        while true {
            var environment: OpaquePointer?
            try check(mdb_env_create(&environment), "making an environment")
            mdb_env_set_maxdbs(environment, UInt32(StoreTable.allCases.count + 1))
            mdb_env_set_maxreaders(environment, readers)
            mdb_env_set_mapsize(environment, size)
            let flags = UInt32(MDB_NOSUBDIR | MDB_NOTLS | MDB_NOSYNC)
            let code = mdb_env_open(environment, data, flags, 0o600)
            if code == MDB_SUCCESS, let environment { return environment }
            mdb_env_close(environment)
            guard code == ENOMEM, size / 2 >= fewestDataBytesInMemory else {
                throw StoreError(lmdb: code, "opening \(data)")
            }
            size /= 2
        }
    }

    /// Tables that a store made by an earlier version may lack: the last ones.
    private static let laterTables: Set<StoreTable> = [.family]

    private static var names: [(name: String, mayLack: Bool)] {
        StoreTable.allCases.map { ("\($0)", laterTables.contains($0)) } + [(longName, false)]
    }

    /// Of the tables in order, and that of long keys; nil where an earlier version has made none.
    private static func openDatabases(_ handle: OpaquePointer) throws -> [MDB_dbi?] {
        try inTransaction(handle, MDB_RDONLY) { transaction in
            try names.map { name, mayLack in
                var database: MDB_dbi = 0
                let code = mdb_dbi_open(transaction, name, 0, &database)
                if code == MDB_NOTFOUND {
                    if mayLack { return nil }
                    throw StoreError(.damaged, "the table \(name) is missing: \(whatToDo)")
                }
                try check(code, "opening the table \(name)")
                return database
            }
        }
    }

    private static func makeDatabases(_ handle: OpaquePointer) throws -> [MDB_dbi] {
        try inTransaction(handle, 0) { transaction in
            try names.map { name, _ in
                var database: MDB_dbi = 0
                try check(
                    mdb_dbi_open(transaction, name, UInt32(MDB_CREATE), &database), "making the table \(name)"
                )
                return database
            }
        }
    }

    private static func inTransaction<R>(
        _ handle: OpaquePointer, _ flags: Int32, _ body: (OpaquePointer?) throws -> R
    ) throws -> R {
        var transaction: OpaquePointer?
        try check(mdb_txn_begin(handle, nil, UInt32(flags), &transaction), "opening the tables")
        do {
            let result = try body(transaction)
            // Also when nothing was written: only a commit lets others use the tables.
            let ended = transaction
            transaction = nil
            try check(mdb_txn_commit(ended), "opening the tables")
            return result
        } catch {
            if let transaction { mdb_txn_abort(transaction) }
            throw error
        }
    }

    // MARK: Views

    func takeView() throws -> ReadView {
        let view = pool.withLock { $0.popLast() } ?? ReadView(self)
        try view.begin()
        return view
    }

    func giveBack(_ view: ReadView) {
        view.end()
        pool.withLock { $0.append(view) }
    }

    // MARK: The point

    /// Makes the file be as it was at the point.
    private static func restore(_ point: DurablePoint, in data: String) throws {
        let file = Glibc.open(data, O_RDWR | O_CLOEXEC)
        guard file >= 0 else { throw StoreError(system: "opening", data) }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0 else { throw StoreError(system: "reading", data) }
        guard UInt64(status.st_size) >= point.dataBytes, point.meta.pageBytes == getpagesize() else {
            throw StoreError(.damaged, "\(data) is cut short: \(whatToDo)")
        }
        // The library takes a page for what it should be, and would look for rows anywhere.
        for root in point.meta.roots {
            let header = try read(file, 16, at: Int(root) * point.meta.pageBytes, data)
            guard root <= point.meta.lastPage, point.meta.canBegin(root, with: header) else {
                throw StoreError(.damaged, "\(data) is damaged: \(whatToDo)")
            }
        }
        for page in [UInt64(0), 1] {
            let bytes = point.meta.asPage(page)
            let offset = off_t(page) * off_t(point.meta.pageBytes)
            guard pwrite(file, bytes, bytes.count, offset) == bytes.count else {
                throw StoreError(system: "writing", data)
            }
        }
        // What lies behind belongs to transactions that are forgotten.
        if UInt64(status.st_size) > point.dataBytes { ftruncate(file, off_t(point.dataBytes)) }
    }

    private func pin(_ point: DurablePoint) throws {
        let view = ReadView(self)
        try view.begin()
        guard view.number == point.meta.transaction else {
            throw StoreError(.damaged, "the store does not open at its point")
        }
        pinned = view
    }

    /// What the pinned view sees. The environment's own use of it is only to let go of it for the next point.
    func openPoint() throws -> any OrderedView {
        guard let pinned else { throw StoreError(.failed, "the store has no point") }
        return PointView(self, pinned)
    }

    /// The number of the transaction that is durable.
    var pointNumber: UInt64 { pointFile.point!.meta.transaction }

    /// The latest committed state, held by a view, and the page that leads to it. Must not be called while
    /// a transaction is being committed.
    func holdLatest() throws -> (view: ReadView, meta: MetaPage, dataBytes: UInt64) {
        let view = try takeView()
        do {
            let offset = Int(view.number % 2) * pageBytes
            let bytes = try Self.read(descriptor, MetaPage.bytes, at: offset, StoreDirectory.dataName)
            guard let meta = MetaPage(bytes), meta.transaction == view.number else {
                throw StoreError(.damaged, "the meta page of transaction \(view.number) is not in its place")
            }
            return (view, meta, try Self.dataBytes(descriptor, meta))
        } catch {
            giveBack(view)
            throw error
        }
    }

    /// Makes what `view` sees the point.
    func makePoint(
        _ view: ReadView, _ meta: MetaPage, dataBytes: UInt64, _ options: LMDBStore.Options
    ) throws {
        do {
            if options.synchronises, options.sync(descriptor) != 0 {
                throw StoreError(system: "syncing", StoreDirectory.dataName)
            }
            try pointFile.write(meta, dataBytes: dataBytes, options)
        } catch {
            giveBack(view)
            throw error
        }
        if let pinned { giveBack(pinned) }
        pinned = view
    }

    /// How long the file is as far as `meta` uses it. It may end earlier when the last pages are free ones.
    private static func dataBytes(_ file: Int32, _ meta: MetaPage) throws -> UInt64 {
        var status = stat()
        guard fstat(file, &status) == 0 else { throw StoreError(system: "reading", StoreDirectory.dataName) }
        return min(UInt64(status.st_size), (meta.lastPage + 1) * UInt64(meta.pageBytes))
    }

    private static func read(_ file: Int32, _ count: Int, at offset: Int, _ path: String) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        guard pread(file, &bytes, count, off_t(offset)) == count else {
            throw StoreError(system: "reading", path)
        }
        return bytes
    }

    // MARK: Size

    /// Bytes up to the last page in use.
    var usedBytes: Int {
        var information = MDB_envinfo()
        mdb_env_info(handle, &information)
        return (information.me_last_pgno + 1) * pageBytes
    }

    struct Size {
        /// Bytes up to the last page in use, now and at the point.
        var file = 0
        var point = 0
        /// Bytes of pages that hold something.
        var inUse = 0
    }

    func size() throws -> Size {
        let view = try takeView()
        defer { giveBack(view) }
        var pages = 2
        // 0 is the list of free pages, 1 the list of tables.
        for database in [0, 1] + tables + [long] {
            var statistics = MDB_stat()
            try check(mdb_stat(view.transaction, database, &statistics), "measuring the store")
            pages +=
                statistics.ms_branch_pages + statistics.ms_leaf_pages + statistics.ms_overflow_pages
        }
        return Size(
            file: usedBytes, point: Int(pointFile.point?.dataBytes ?? 0), inUse: pages * pageBytes)
    }
}
