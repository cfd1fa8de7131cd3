import Automata

/// The bytes of a file in the cache and on the disk, and which sectors of the cache the disk lacks as far as the
/// system knows.
final class SimulatedInode {
    private(set) var cached: [UInt8] = []
    private(set) var durable: [UInt8] = []
    private var isDirty: [Bool] = []
    /// Up to here room was promised.
    var reserved = 0

    private static let sector = SimulatedFiles.sectorBytes
    /// What the file takes of the disk's room.
    var room: Int { max(cached.count, reserved) }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) {
        guard !bytes.isEmpty else { return }
        let end = offset + bytes.count
        if end > cached.count { cached.append(contentsOf: repeatElement(0, count: end - cached.count)) }
        cached.withUnsafeMutableBytes {
            UnsafeMutableRawBufferPointer(rebasing: $0[offset..<end]).copyMemory(from: bytes)
        }
        let last = (end - 1) / Self.sector
        if last >= isDirty.count {
            isDirty.append(contentsOf: repeatElement(false, count: last + 1 - isDirty.count))
        }
        for sector in offset / Self.sector...last { isDirty[sector] = true }
    }

    /// The disk takes the sectors of `range`, or some of them at random; all of them are clean then.
    func synchronize(_ range: Range<Int>, onlySome random: inout SeededRandom) {
        synchronize(range) { _ in random.coin() }
    }

    func synchronize(_ range: Range<Int>) { synchronize(range) { _ in true } }

    private func synchronize(_ range: Range<Int>, _ isWritten: (Int) -> Bool) {
        guard !range.isEmpty else { return }
        for sector in range.lowerBound / Self.sector...(range.upperBound - 1) / Self.sector
        where sector < isDirty.count && isDirty[sector] {
            isDirty[sector] = false
            if isWritten(sector) { carry(sector, bytes: Self.sector) }
        }
    }

    /// The disk takes the first bytes of a sector.
    private func carry(_ sector: Int, bytes: Int) {
        let start = sector * Self.sector
        let end = min(start + bytes, cached.count)
        guard start < end else { return }
        if end > durable.count { durable.append(contentsOf: repeatElement(0, count: end - durable.count)) }
        durable.withUnsafeMutableBytes { durable in
            cached.withUnsafeBytes { cached in
                UnsafeMutableRawBufferPointer(rebasing: durable[start..<end])
                    .copyMemory(from: UnsafeRawBufferPointer(rebasing: cached[start..<end]))
            }
        }
    }

    /// Clean sectors are read from the disk again. Returns how many were not what they had been.
    func dropClean() -> Int {
        var forgotten = 0
        for sector in isDirty.indices where !isDirty[sector] {
            let start = sector * Self.sector
            let end = min(start + Self.sector, cached.count)
            var held = [UInt8](durable.dropFirst(start).prefix(Self.sector))
            held.append(contentsOf: repeatElement(0, count: max(0, end - start - held.count)))
            guard cached[start..<end] != held[..<(end - start)] else { continue }
            forgotten += 1
            cached.replaceSubrange(start..<end, with: held[..<(end - start)])
        }
        return forgotten
    }

    /// The disk has of the dirty sectors all, none or any of them, now and then one in part.
    func losePower(_ random: inout SeededRandom) -> (lost: Int, torn: Int) {
        var (lost, torn) = (0, 0)
        let chance = random.element([0, 500_000, 900_000, 1_000_000] as [UInt64])
        for sector in isDirty.indices where isDirty[sector] {
            if random.chance(chance) {
                carry(sector, bytes: Self.sector)
            } else {
                lost += 1
                if random.chance(200_000) {
                    torn += 1
                    carry(sector, bytes: random.index(Self.sector))
                }
            }
        }
        cached = durable
        reserved = durable.count
        isDirty = Array(repeating: false, count: (durable.count + Self.sector - 1) / Self.sector)
        return (lost, torn)
    }

    func copied() -> SimulatedInode {
        let copy = SimulatedInode()
        (copy.cached, copy.durable, copy.isDirty, copy.reserved) = (cached, durable, isDirty, reserved)
        return copy
    }

    func damage(_ change: (inout [UInt8]) -> Void) {
        change(&cached)
        change(&durable)
    }
}

/// One file as one process has it open.
final class SimulatedFile: OpenFile {
    private let inode: SimulatedInode
    private let path: String
    private unowned let files: SimulatedFiles
    let sizeAtOpening: Int

    init(_ inode: SimulatedInode, path: String, of files: SimulatedFiles) {
        self.inode = inode
        self.path = path
        self.files = files
        sizeAtOpening = inode.cached.count
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(FileError) {
        try files.begin("read", path)
        guard offset + buffer.count <= inode.cached.count else {
            throw FileError(.failed, "read \(path): end")
        }
        inode.cached.withUnsafeBytes {
            buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[offset..<offset + buffer.count]))
        }
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(FileError) {
        guard try files.beginsWhole("write", path) else {
            try writePart(bytes, at: offset)
            throw FileError(.failed, "write \(path): the machine has stopped")
        }
        let growth = offset + bytes.count - inode.room
        guard growth <= 0 || files.hasRoom(for: growth) else {
            if inode.room > offset { try writePart(bytes, at: offset) }
            throw FileError(.noRoom, "write \(path)")
        }
        inode.write(bytes, at: offset)
    }

    private func writePart(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(FileError) {
        let fits = min(bytes.count, files.capacity == nil ? .max : max(0, inode.room - offset))
        inode.write(
            UnsafeRawBufferPointer(rebasing: bytes[..<files.random.index(fits + 1)]), at: offset)
    }

    func writeDurably(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(FileError) {
        try write(bytes, at: offset)
        try synchronize(offset..<offset + bytes.count)
    }

    func reserve(_ range: Range<Int>) throws(FileError) {
        try files.begin("reserve room in", path)
        let growth = range.upperBound - inode.room
        guard growth > 0 else { return }
        guard files.hasRoom(for: growth) else { throw FileError(.noRoom, "reserve room in \(path)") }
        inode.reserved = range.upperBound
    }

    func synchronize() throws(FileError) { try synchronize(0..<inode.cached.count) }

    private func synchronize(_ range: Range<Int>) throws(FileError) {
        guard try files.beginsWhole("sync", path) else {
            // The rest stays in the cache, dirty or not, for whoever asks next.
            throw FileError(.failed, "sync \(path): the machine has stopped")
        }
        files.counts.syncs += 1
        if let failure = files.takeFailure() {
            inode.synchronize(range, onlySome: &files.random)
            throw FileError(failure, "sync \(path)")
        }
        inode.synchronize(range)
    }
}
