import Automata
import Replica
import Simulation

/// Something in the files of a log that is not as it was written, although the disk had taken it.
struct LogDamage {
    enum Kind: String, CaseIterable {
        case flippedBit = "bit flipped"
        /// A sector holds what was written to another place, of this file or another.
        case misdirectedWrite = "write misdirected"
        /// A sector is old or empty behind some byte.
        case tornWrite = "write torn"
    }

    /// What a start makes of a log with this damage.
    enum Effect: Hashable {
        /// It finds all records: what is damaged is none of them.
        case none
        /// It finds fewer, of the last write alone: nobody can tell that from a write that a crash has cut short.
        case shortened
        /// It does not open the log.
        case refused
        /// It finds what was not written, or misses what a later write shows to have been durable.
        case deceived
    }

    private static let frameHeaderBytes = 32

    let kind: Kind
    private let path: String
    private let range: Range<Int>
    private let bytes: [UInt8]

    /// Nil where there is no log yet.
    init?(_ files: SimulatedFiles, _ random: inout SeededRandom) {
        let paths = files.paths.filter { $0.hasPrefix(SimulatedLogDirectory.path + "/") }
        guard !paths.isEmpty else { return nil }
        path = random.element(paths)
        guard let old = files.bytes(of: path), !old.isEmpty else { return nil }
        kind = random.element(Kind.allCases)
        // Mostly where something is.
        let end = random.chance(800_000) ? (old.lastIndex { $0 != 0 } ?? 0) + 1 : old.count
        let place = random.index(end)
        let sector = place - place % SimulatedFiles.sectorBytes
        let rest = sector..<min(sector + SimulatedFiles.sectorBytes, old.count)
        switch kind {
        case .flippedBit:
            range = place..<place + 1
            bytes = [old[place] ^ (1 << UInt8(random.index(8)))]
        case .misdirectedWrite:
            range = rest
            let source = files.bytes(of: random.element(paths)) ?? []
            let sectors = max(1, source.count / SimulatedFiles.sectorBytes)
            let from = random.index(sectors) * SimulatedFiles.sectorBytes
            let moved = source.dropFirst(from).prefix(rest.count)
            bytes = [UInt8](moved) + repeatElement(0, count: rest.count - moved.count)
        case .tornWrite:
            range = place..<rest.upperBound
            bytes = Array(repeating: 0, count: range.count)
        }
    }

    func strike(_ files: SimulatedFiles) {
        files.damage(path) { held in
            let end = min(range.upperBound, held.count)
            guard range.lowerBound < end else { return }
            held.replaceSubrange(range.lowerBound..<end, with: bytes.prefix(end - range.lowerBound))
        }
    }

    /// Tried on copies.
    func effect(on files: SimulatedFiles, segmentBytes: Int) -> Effect {
        // One that cannot be read as it is says nothing about damage.
        guard let whole = try? LoggedRecords(in: files.copied(), segmentBytes: segmentBytes) else {
            return .shortened
        }
        let copy = files.copied()
        strike(copy)
        guard let left = try? LoggedRecords(in: copy, segmentBytes: segmentBytes) else { return .refused }
        if left.records == whole.records { return .none }
        guard whole.records.starts(with: left.records) else { return .deceived }
        return left.records.count >= whole.proven || reachesEnd(of: whole, files) ? .shortened : .deceived
    }

    /// Whether the last record is damaged too, so that nothing is left that shows others to have been durable.
    private func reachesEnd(of log: LoggedRecords, _ files: SimulatedFiles) -> Bool {
        guard let held = files.bytes(of: path), let record = log.records.last else { return true }
        var last: [UInt8] = []
        record.encode(into: &last)
        // Of its frame the header may be what is damaged.
        let end = min(range.upperBound + Self.frameHeaderBytes, held.count)
        let start = max(0, range.lowerBound - last.count)
        return (start..<end).contains { held[$0...].starts(with: last) }
    }
}

/// What a start finds in a log.
private struct LoggedRecords {
    private(set) var records: [ReplicaRecord] = []
    /// So many of them, from the first, are shown by a later write to have been durable.
    let proven: Int

    init(in files: SimulatedFiles, segmentBytes: Int) throws {
        var records: [ReplicaRecord] = []
        let log = try SimulatedLog<Never>(files, segmentBytes: segmentBytes) { records.append($0) }
        proven = log.provenRecords
        self.records = records
    }
}
