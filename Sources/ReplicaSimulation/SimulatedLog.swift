import Automata
import Paxos
import Replica
import Simulation

/// The log of one process on its simulated disk: segments of framed records, each a file. A segment is
/// removed once all its slots are trimmed and its successor has begun with the replica's preamble.
struct SimulatedLog {
    struct Segment {
        let number: UInt64
        var records: Int
        /// The highest slot of its records.
        var last: Slot
    }

    private(set) var segments: [Segment] = []
    /// Writes to files so far, as the simulator counts them.
    private(set) var writes: UInt64 = 0
    /// `recordWrites[i]` is the write that holds record `firstRecord + i` of the replica.
    private var recordWrites: [UInt64] = []
    private var firstRecord: UInt64 = 1
    let recordsPerSegment: Int

    /// Reads what the disk holds. What follows damage was never durable: it is cut off by the first outputs.
    init<Message, Timer, Report>(
        _ disk: SimulatedDisk, recordsPerSegment: Int,
        repairing outputs: inout [SimulatedOutput<Message, Timer, Report>],
        replay: (ReplicaRecord) throws -> Void
    ) throws {
        self.recordsPerSegment = recordsPerSegment
        var isDamaged = false
        for file in disk.files {
            if isDamaged {
                outputs.append(.remove(file: file.number))
                writes += 1
                continue
            }
            let (records, intact) = Framing.records(in: file.bytes)
            var segment = Segment(number: file.number, records: records.count, last: .zero)
            for bytes in records {
                let record = try bytes.withUnsafeBytes { try ReplicaRecord(decoding: $0) }
                segment.last = max(segment.last, record.slots?.upperBound ?? .zero)
                try replay(record)
            }
            segments.append(segment)
            if intact < file.bytes.count {
                isDamaged = true
                outputs.append(.truncate(file: file.number, to: intact))
                writes += 1
            }
        }
        if segments.isEmpty { segments = [Segment(number: 1, records: 0, last: .zero)] }
    }

    private mutating func write(_ record: ReplicaRecord) -> (bytes: [UInt8], file: UInt64) {
        var bytes: [UInt8] = []
        record.encode(into: &bytes)
        writes += 1
        let index = segments.count - 1
        segments[index].records += 1
        segments[index].last = max(segments[index].last, record.slots?.upperBound ?? .zero)
        return (Framing.framed(bytes), segments[index].number)
    }

    /// Appends the next record of the replica; returns what to write.
    mutating func append(_ record: ReplicaRecord) -> (bytes: [UInt8], file: UInt64) {
        let written = write(record)
        recordWrites.append(writes)
        return written
    }

    var wantsCut: Bool { (segments.last?.records ?? 0) >= recordsPerSegment }

    mutating func cut(_ preamble: [ReplicaRecord]) -> [(bytes: [UInt8], file: UInt64)] {
        segments.append(Segment(number: (segments.last?.number ?? 0) + 1, records: 0, last: .zero))
        return preamble.map { write($0) }
    }

    /// The files that are not needed any more.
    mutating func trim(before slot: Slot) -> [UInt64] {
        var removed: [UInt64] = []
        while segments.count > 1, segments[0].last < slot {
            removed.append(segments.removeFirst().number)
            writes += 1
        }
        return removed
    }

    /// The write that makes this record durable; `.none` when it is durable already.
    func write(of record: RecordNumber) -> RecordNumber {
        guard record.rawValue >= firstRecord else { return .none }
        return RecordNumber(recordWrites[Int(record.rawValue - firstRecord)])
    }

    /// The last record that is durable when this write is; `nil` when no further one has become so.
    mutating func durableRecord(at write: RecordNumber) -> RecordNumber? {
        let count = recordWrites.firstIndex { $0 > write.rawValue } ?? recordWrites.count
        guard count > 0 else { return nil }
        recordWrites.removeFirst(count)
        firstRecord += UInt64(count)
        return RecordNumber(firstRecord - 1)
    }
}

extension SimulatedLog {
    /// An empty log, of a process that does not start.
    init(recordsPerSegment: Int) { self.recordsPerSegment = recordsPerSegment }
}
