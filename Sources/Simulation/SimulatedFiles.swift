import Automata

/// The files of one machine: a page cache in front of a disk.
///
/// A write changes the cache, which outlives the process and not the power. A sync carries it to the disk, or
/// fails and leaves the cache marked as clean although the disk has little or nothing of it, as Linux does.
/// Names have a cache of their own. A loss of power leaves of what was not synced whatever the disk likes:
/// any sectors, torn ones among them, and any changes of names.
///
/// A machine has one of these for all its incarnations; it is used by one of them at a time.
public final class SimulatedFiles: FileSystem, @unchecked Sendable {
    /// What a disk writes at once, if it is not torn.
    public static let sectorBytes = 512

    struct Name {
        let path: String
        let inode: SimulatedInode
    }

    /// A change of a directory that is not synced.
    enum NameChange {
        case made(Name)
        case renamed(from: String, Name)
        case removed(String)

        var path: String {
            switch self {
            case .made(let name), .renamed(_, let name): name.path
            case .removed(let path): path
            }
        }
    }

    /// How often things have happened.
    public struct Counts: Hashable, Sendable {
        public var operations = 0
        public var syncs = 0
        public var failedSyncs = 0
        public var refusedForWantOfRoom = 0
        /// Losses of power that took something away.
        public var losses = 0
        public var tornSectors = 0
        public var lostNames = 0
        /// Sectors that were marked clean, were not on the disk, and left the cache.
        public var forgottenSectors = 0

        public init() {}

        public mutating func add(_ other: Counts) {
            operations += other.operations
            syncs += other.syncs
            failedSyncs += other.failedSyncs
            refusedForWantOfRoom += other.refusedForWantOfRoom
            losses += other.losses
            tornSectors += other.tornSectors
            lostNames += other.lostNames
            forgottenSectors += other.forgottenSectors
        }
    }

    public internal(set) var counts = Counts()
    /// How many bytes fit; no bound when it is nil.
    public var capacity: Int?
    /// How the next sync of a file or directory fails, once so many have succeeded.
    private var syncFailure: (code: FileError.Code, after: Int)?

    /// In ascending order of path: as processes see them, and as they are on the disk.
    var names: [Name] = []
    var durableNames: [Name] = []
    var changes: [NameChange] = []
    private var directories: [String] = []
    var random: SeededRandom

    /// How many operations are still carried out before the machine stops in the middle of one.
    private var operationsLeft: Int?
    /// Nothing works any more until `endProcess` or `losePower`.
    public private(set) var isStopped = false

    public init(random: SeededRandom) { self.random = random }

    // MARK: FileSystem

    public func create(_ path: String) throws(FileError) -> any OpenFile {
        try begin("create", path)
        guard directories.contains(Self.directory(of: path)) else { throw missing("create", path) }
        let inode = SimulatedInode()
        apply(.made(Name(path: path, inode: inode)))
        return SimulatedFile(inode, path: path, of: self)
    }

    public func open(_ path: String) throws(FileError) -> any OpenFile {
        try begin("open", path)
        guard let inode = inode(path) else { throw missing("open", path) }
        return SimulatedFile(inode, path: path, of: self)
    }

    public func names(in directory: String) throws(FileError) -> [String] {
        try begin("list", directory)
        guard directories.contains(directory) else { throw missing("list", directory) }
        return names.filter { Self.directory(of: $0.path) == directory }
            .map { String($0.path.dropFirst(directory.utf8.count + 1)) }
    }

    public func rename(_ path: String, to new: String) throws(FileError) {
        try begin("rename", path)
        guard let inode = inode(path) else { throw missing("rename", path) }
        apply(.renamed(from: path, Name(path: new, inode: inode)))
    }

    public func remove(_ path: String) throws(FileError) {
        try begin("remove", path)
        guard inode(path) != nil else { throw missing("remove", path) }
        apply(.removed(path))
    }

    public func makeDirectory(_ path: String) throws(FileError) {
        try begin("create", path)
        if !directories.contains(path) { directories.append(path) }
    }

    public func synchronizeDirectory(_ path: String) throws(FileError) {
        try begin("sync", path)
        counts.syncs += 1
        // Names go through a journal: what a failed sync did not carry over stays to be carried.
        if let failure = takeFailure() { throw FileError(failure, "sync \(path)") }
        for change in changes where Self.directory(of: change.path) == path {
            Self.apply(change, to: &durableNames)
        }
        changes.removeAll { Self.directory(of: $0.path) == path }
    }

    // MARK: Names

    private func missing(_ call: String, _ path: String) -> FileError {
        FileError(.missing, "\(call) \(path)")
    }

    static func directory(of path: String) -> String {
        path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    }

    func inode(_ path: String) -> SimulatedInode? { names.first { $0.path == path }?.inode }

    private func apply(_ change: NameChange) {
        Self.apply(change, to: &names)
        changes.append(change)
    }

    static func apply(_ change: NameChange, to names: inout [Name]) {
        switch change {
        case .made(let name): set(name, in: &names)
        case .renamed(let old, let name):
            names.removeAll { $0.path == old }
            set(name, in: &names)
        case .removed(let path): names.removeAll { $0.path == path }
        }
    }

    private static func set(_ name: Name, in names: inout [Name]) {
        names.removeAll { $0.path == name.path }
        names.insert(name, at: names.firstIndex { $0.path > name.path } ?? names.count)
    }

    // MARK: Faults

    /// The machine stops after so many more operations, in the middle of the next one.
    public func stop(afterOperations count: Int) { operationsLeft = count }

    /// One sync of a file or directory fails, the next one or one of those after it.
    public func failSync(_ code: FileError.Code, after count: Int = 0) { syncFailure = (code, count) }

    /// No sync fails from now on.
    public func mendSyncs() { syncFailure = nil }

    /// Counts an operation. Throws when the machine stands still, or stops here and does nothing of it.
    func begin(_ call: String, _ path: String) throws(FileError) {
        guard try beginsWhole(call, path) else {
            throw FileError(.failed, "\(call) \(path): the machine has stopped")
        }
    }

    /// False when the machine stops in this operation, of which a part may still happen.
    func beginsWhole(_ call: String, _ path: String) throws(FileError) -> Bool {
        guard !isStopped else { throw FileError(.failed, "\(call) \(path): the machine has stopped") }
        counts.operations += 1
        guard let left = operationsLeft else { return true }
        operationsLeft = left - 1
        isStopped = left == 0
        return !isStopped
    }

    func takeFailure() -> FileError.Code? {
        guard let failure = syncFailure else { return nil }
        syncFailure = failure.after == 0 ? nil : (failure.code, failure.after - 1)
        guard failure.after == 0 else { return nil }
        counts.failedSyncs += 1
        return failure.code
    }

    /// Whether a file may take `count` bytes more than it has.
    func hasRoom(for count: Int) -> Bool {
        guard let capacity else { return true }
        var inodes: [SimulatedInode] = []
        for name in names where !inodes.contains(where: { $0 === name.inode }) { inodes.append(name.inode) }
        let isEnough = inodes.reduce(count) { $0 + $1.room } <= capacity
        if !isEnough { counts.refusedForWantOfRoom += 1 }
        return isEnough
    }

    /// A number that no other draw gives.
    public func drawNumber() -> UInt64 { random.next() }

    /// A disk in the place of this one, with nothing on it. What has happened is counted on.
    func emptied() -> SimulatedFiles {
        let files = SimulatedFiles(random: random.fork())
        files.counts = counts
        return files
    }

    /// The machine goes on whatever it was to stop in.
    public func runOn() { operationsLeft = nil }

    /// The process is gone and the machine runs on: the cache stays, but for clean sectors that the system may
    /// have dropped, and reads again from the disk.
    public func endProcess() {
        (isStopped, operationsLeft, syncFailure) = (false, nil, nil)
        guard random.coin() else { return }
        for name in names { counts.forgottenSectors += name.inode.dropClean() }
    }

    /// The machine loses power. True when something that was not synced is gone.
    public func losePower() -> Bool {
        (isStopped, operationsLeft, syncFailure) = (false, nil, nil)
        // A file system with a journal keeps the changes of names up to some point, others any of them.
        let lost = changes.count
        if random.coin() {
            changes.removeLast(random.index(changes.count + 1))
        } else {
            changes.removeAll { _ in random.coin() }
        }
        counts.lostNames += lost - changes.count
        var losesSome = changes.count < lost
        for change in changes { Self.apply(change, to: &durableNames) }
        changes.removeAll()
        var seen: [SimulatedInode] = []
        for name in names + durableNames where !seen.contains(where: { $0 === name.inode }) {
            seen.append(name.inode)
            let (lost, torn) = name.inode.losePower(&random)
            counts.tornSectors += torn
            losesSome = losesSome || lost > 0
        }
        names = durableNames
        if losesSome { counts.losses += 1 }
        return losesSome
    }

    /// The same files with the same bytes, in the cache and on the disk, and nothing shared with these.
    public func copied() -> SimulatedFiles {
        let files = SimulatedFiles(random: random)
        var copies: [(old: SimulatedInode, new: SimulatedInode)] = []
        func copy(_ name: Name) -> Name {
            if let known = copies.first(where: { $0.old === name.inode }) {
                return Name(path: name.path, inode: known.new)
            }
            copies.append((name.inode, name.inode.copied()))
            return Name(path: name.path, inode: copies[copies.count - 1].new)
        }
        files.names = names.map(copy)
        files.durableNames = durableNames.map(copy)
        files.changes = changes.map { change in
            switch change {
            case .made(let name): .made(copy(name))
            case .renamed(let old, let name): .renamed(from: old, copy(name))
            case .removed: change
            }
        }
        files.directories = directories
        return files
    }

    // MARK: For tests that look and damage

    /// In ascending order, as processes see them.
    public var paths: [String] { names.map(\.path) }

    /// The bytes of a file as processes see them.
    public func bytes(of path: String) -> [UInt8]? { inode(path)?.cached }

    /// The bytes that a file has on the disk; nil when no such name is durable.
    package func durableBytes(of path: String) -> [UInt8]? {
        durableNames.first { $0.path == path }?.inode.durable
    }

    /// Changes bytes of a file behind everybody's back, in the cache and on the disk.
    package func damage(_ path: String, _ change: (inout [UInt8]) -> Void) {
        guard let inode = inode(path) else { preconditionFailure("no \(path)") }
        inode.damage(change)
    }
}
