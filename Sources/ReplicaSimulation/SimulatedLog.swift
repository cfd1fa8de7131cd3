import Automata
import Paxos
import Replica
import Simulation
import WriteAheadLog

/// Where a simulated process has its log.
enum SimulatedLogDirectory {
    static let path = "log"
}

/// The production log of one process on its simulated files, with what the server's log thread does around it:
/// it takes all that is queued, writes it, syncs once, and only then lets the messages go that promise it.
struct SimulatedLog<Message> {
    private enum Work {
        case record(ReplicaRecord)
        case send(Message, to: ProcessID)
        case cut(preamble: [ReplicaRecord])
        case remove(before: UInt64)
    }

    /// What a turn with the files has come to.
    struct Turn {
        /// All records up to this one are durable; nil when no further one has become so.
        var durable: RecordNumber?
        var sends: [(message: Message, to: ProcessID)] = []
        /// The log wants to be cut.
        var isSegmentFull = false
        var cuts = 0
        /// How many files of removed segments were kept to be used anew.
        var filesKept = 0
        /// The log takes nothing more; the process has to end.
        var hasFailed = false
    }

    private static var directory: String { SimulatedLogDirectory.path }

    private let log: WriteAheadLog
    private var segments = LogSegments()
    private var queued: [Work] = []
    /// What the turn that was asked for will carry out.
    private var inHand: [Work] = []
    private var isBusy = false
    private var hasAskedForCut = false
    /// Records of this life: handed over, given to the log, and known to be durable.
    private var persisted: UInt64 = 0
    private var written: UInt64 = 0
    private var durable: UInt64 = 0

    init(
        _ files: SimulatedFiles, segmentBytes: Int, replay: (ReplicaRecord) throws -> Void
    ) throws {
        var options = WriteAheadLog.Options()
        options.files = files
        options.preparesInBackground = false
        options.segmentBytes = segmentBytes
        options.drawNonce = { files.drawNumber() }
        var segments = LogSegments()
        log = try WriteAheadLog.open(Self.directory, options: options) { bytes in
            let record = try ReplicaRecord(decoding: bytes)
            segments.note(record)
            try replay(record)
        }
        segments.recovered(log.recovery.segments)
        self.segments = segments
    }

    /// Whether there is a log; false as well when the machine stops before that is known.
    static func isPresent(on disk: SimulatedDisk) -> Bool {
        (try? WriteAheadLog.isPresent(in: directory, files: disk.cachedFiles)) ?? false
    }

    /// So many of the records that were found, from the first, are shown by a later write to have been durable.
    var provenRecords: Int { Int(log.recovery.provenRecords) }
    var passedOverTornTail: Bool { log.recovery.unfinished != nil }

    // MARK: What the replica wants

    mutating func append(_ record: ReplicaRecord) {
        persisted += 1
        segments.note(record)
        queued.append(.record(record))
    }

    func isDurable(_ record: RecordNumber) -> Bool { record.rawValue <= durable }

    /// Sends once everything that was appended before is durable.
    mutating func send(_ message: Message, to process: ProcessID) {
        queued.append(.send(message, to: process))
    }

    mutating func cut(_ preamble: [ReplicaRecord]) {
        segments.cut()
        queued.append(.cut(preamble: preamble))
    }

    mutating func trim(before slot: Slot) {
        if let segment = segments.removable(before: slot) { queued.append(.remove(before: segment)) }
    }

    // MARK: The log thread

    /// Whether to ask for a turn with the files, for what is queued by now.
    mutating func begin() -> Bool {
        guard !isBusy, !queued.isEmpty else { return false }
        isBusy = true
        inHand += queued
        queued.removeAll()
        return true
    }

    mutating func carryOut() -> Turn {
        isBusy = false
        var turn = Turn()
        do {
            var done = 0
            while done < inHand.count, try carryOut(inHand[done], &turn) { done += 1 }
            // What had no room waits for it, and everything behind that.
            inHand.removeFirst(done)
            queued = inHand + queued
            inHand.removeAll()
            try log.synchronize()
            if durable < written { turn.durable = RecordNumber(written) }
            durable = written
            if log.wantsCut, !hasAskedForCut {
                hasAskedForCut = true
                turn.isSegmentFull = true
            }
            let kept = log.filesKept
            log.settle()
            turn.filesKept = log.filesKept - kept
        } catch {
            turn = Turn(hasFailed: true)
        }
        return turn
    }

    /// False when there is no room for it.
    private mutating func carryOut(_ work: Work, _ turn: inout Turn) throws -> Bool {
        do {
            switch work {
            case .record(let record):
                try log.append(Self.encoded(record))
                written += 1
            case .send(let message, let process): turn.sends.append((message, process))
            case .cut(let preamble):
                hasAskedForCut = false
                do {
                    segments.begin(try log.cut(preamble: preamble.map(Self.encoded)))
                    turn.cuts += 1
                } catch let error as WriteAheadLogError where error.code == .full {
                    segments.begin(nil)
                }
            case .remove(let segment): try log.remove(before: segment)
            }
            return true
        } catch let error as WriteAheadLogError where error.code == .full {
            return false
        }
    }

    private static func encoded(_ record: ReplicaRecord) -> [UInt8] {
        var bytes: [UInt8] = []
        record.encode(into: &bytes)
        return bytes
    }
}
