import Automata

/// The disk of one process: numbered files of bytes that are appended to, and numbered cells that are
/// replaced as a whole (as a store's transaction is).
///
/// What was written and not yet synced is lost or kept by a crash as the disk likes: of the files a prefix
/// of the writes, the next one possibly torn; of each cell any state between the last synced and the last
/// written.
public struct SimulatedDisk: Sendable {
    public struct File: Hashable, Sendable {
        public let number: UInt64
        public var bytes: [UInt8]
    }

    public struct Cell: Hashable, Sendable {
        public let number: UInt64
        public var bytes: [UInt8]
    }

    enum Write: Sendable {
        case append([UInt8], file: UInt64)
        case truncate(file: UInt64, to: Int)
        case remove(file: UInt64)
    }

    /// What a crash leaves of what was not synced.
    public struct CrashRules: Hashable, Sendable {
        /// Unsynced writes may survive.
        public var keepsUnsynced = true
        /// The last surviving write may be cut short.
        public var tears = true
        /// Bytes in the middle of what was not synced may never have reached the disk, while later ones did.
        public var leavesHoles = true
        /// How often the whole machine goes down and not the process alone, in parts per million. It matters to
        /// `SimulatedDisk.cachedFiles` only: for the rest every crash is one of the machine.
        public var powerLossPPM: UInt64 = 1_000_000

        public init() {}
    }

    /// What is synced, in ascending order of number.
    public private(set) var files: [File] = []
    public private(set) var cells: [Cell] = []
    private var pending: [Write] = []
    private var pendingCells: [(write: UInt64, cell: Cell)] = []

    /// Files behind a page cache, for what does its own writing and syncing.
    public private(set) var cachedFiles: SimulatedFiles

    public init(seed: UInt64 = 0) { cachedFiles = SimulatedFiles(random: SeededRandom(seed: seed)) }

    public func file(_ number: UInt64) -> [UInt8]? { files.first { $0.number == number }?.bytes }
    public func cell(_ number: UInt64) -> [UInt8]? { cells.first { $0.number == number }?.bytes }
    public var hasUnsyncedWrites: Bool { !pending.isEmpty }

    mutating func write(_ write: Write) { pending.append(write) }

    mutating func store(_ bytes: [UInt8], cell: UInt64, write: UInt64) {
        pendingCells.append((write, Cell(number: cell, bytes: bytes)))
    }

    /// The first `count` unsynced writes are on the disk now.
    mutating func complete(_ count: Int) {
        for write in pending.prefix(count) { perform(write) }
        pending.removeFirst(count)
    }

    mutating func completeCells(upTo write: UInt64) {
        while let first = pendingCells.first, first.write <= write {
            replace(first.cell)
            pendingCells.removeFirst()
        }
    }

    private mutating func perform(_ write: Write) {
        switch write {
        case .append(let bytes, let number):
            let index = files.firstIndex { $0.number >= number } ?? files.count
            if index == files.count || files[index].number != number {
                files.insert(File(number: number, bytes: []), at: index)
            }
            files[index].bytes += bytes
        case .truncate(let number, let count):
            if let index = files.firstIndex(where: { $0.number == number }) {
                files[index].bytes.removeLast(max(0, files[index].bytes.count - count))
            }
        case .remove(let number):
            files.removeAll { $0.number == number }
        }
    }

    private mutating func replace(_ cell: Cell) {
        let index = cells.firstIndex { $0.number >= cell.number } ?? cells.count
        if index < cells.count, cells[index].number == cell.number {
            cells[index] = cell
        } else {
            cells.insert(cell, at: index)
        }
    }

    /// What of a disk may be lost as a whole.
    public enum Part: Hashable, Sendable {
        case everything
        case files
        case cells(ClosedRange<UInt64>)
    }

    /// The disk is replaced by an empty one, or a part of it by nothing.
    mutating func wipe(_ part: Part) {
        switch part {
        case .everything:
            let files = cachedFiles
            self = SimulatedDisk()
            cachedFiles = files.emptied()
        case .files:
            cachedFiles = cachedFiles.emptied()
            files.removeAll()
            pending.removeAll()
        case .cells(let numbers):
            cells.removeAll { numbers.contains($0.number) }
            pendingCells.removeAll { numbers.contains($0.cell.number) }
        }
    }

    /// Ends the incarnation that wrote; returns whether a write was torn or damaged.
    mutating func crash(_ rules: CrashRules, _ random: inout SeededRandom) -> Bool {
        var damaged = false
        if rules.keepsUnsynced, !pending.isEmpty {
            let kept = random.number(in: 0...pending.count)
            var survivors = Array(pending.prefix(kept))
            if rules.tears, kept < pending.count, case .append(let bytes, let file) = pending[kept] {
                survivors.append(.append(Array(bytes.prefix(random.index(bytes.count + 1))), file: file))
                damaged = true
            }
            if rules.leavesHoles, random.chance(250_000) {
                damaged = leaveHole(in: &survivors, &random) || damaged
            }
            for write in survivors { perform(write) }
        }
        pending.removeAll()
        if rules.keepsUnsynced {
            for (_, cell) in pendingCells where random.coin() { replace(cell) }
        }
        pendingCells.removeAll()
        return damaged
    }

    private func leaveHole(in writes: inout [Write], _ random: inout SeededRandom) -> Bool {
        let appends = writes.indices.filter {
            if case .append(let bytes, _) = writes[$0] { !bytes.isEmpty } else { false }
        }
        guard !appends.isEmpty else { return false }
        let index = random.element(appends)
        guard case .append(var bytes, let file) = writes[index] else { return false }
        let start = random.index(bytes.count)
        for i in start..<min(bytes.count, start + 1 + random.index(16)) { bytes[i] = 0 }
        writes[index] = .append(bytes, file: file)
        return true
    }
}
