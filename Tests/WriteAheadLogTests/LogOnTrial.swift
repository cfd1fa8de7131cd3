import Automata
import Simulation

@testable import WriteAheadLog

/// A log on a simulated disk that fails on purpose, beside what it must hold: the records that were said to be
/// durable, and those of which nothing was said, in order.
struct LogOnTrial {
    struct Broken: Error, CustomStringConvertible {
        var description: String
    }

    private struct Written {
        let segment: UInt64
        let record: [UInt8]
    }

    let files: SimulatedFiles
    private var random: SeededRandom
    private var options: WriteAheadLog.Options
    private var log: WriteAheadLog?
    /// Said to be durable, oldest first; and appended behind it.
    private var durable: [Written] = []
    private var pending: [Written] = []
    /// The preamble of a cut that has not returned.
    private var cutting: [Written]?
    private var numbers: UInt64 = 0

    /// What has happened, so that a test can say that something did.
    private(set) var acknowledged = 0
    private(set) var lives = 0
    private(set) var cuts = 0
    private(set) var unfinishedOpenings = 0

    init(seed: UInt64) {
        random = SeededRandom(seed: seed)
        files = SimulatedFiles(random: random.fork())
        options = WriteAheadLog.Options()
        options.files = files
        options.preparesInBackground = false
        if random.coin() { options.pendingBytes = 300 }
        options.segmentBytes = random.element([6 << 10, 10 << 10, 24 << 10])
        options.identity = Array("a log on trial".utf8)
        let nonces = Nonces(random.fork())
        options.drawNonce = { nonces.next() }
    }

    private final class Nonces: @unchecked Sendable {
        private var random: SeededRandom
        init(_ random: SeededRandom) { self.random = random }
        func next() -> UInt64 { random.next() }
    }

    /// Does something to the log, or lets something happen to its machine.
    mutating func step() throws {
        guard log != nil else { return try reopen() }
        switch random.index(20) {
        case 0: crash()
        case 1: files.stop(afterOperations: random.index(12))
        case 2 where random.chance(300_000):
            files.failSync(random.element([.failed, .noRoom]), after: random.index(4))
        case 3 where random.chance(300_000): files.capacity = files.capacity == nil ? 60 << 10 : nil
        case 4...6: attempt { try $0.cutNow() }
        case 7: log?.settle()
        default: attempt { try $0.append() }
        }
        if files.isStopped { crash() }
    }

    /// Ends with a log that is open, whatever the machine was doing.
    mutating func finish() throws {
        files.capacity = nil
        files.mendSyncs()
        crash()
        try reopen()
    }

    // MARK: Living and dying

    private mutating func reopen() throws {
        lives += 1
        if random.chance(200_000) { files.stop(afterOperations: random.index(8)) }
        var found: [[UInt8]] = []
        do {
            let log = try WriteAheadLog.open("log", options: options) { found.append([UInt8]($0)) }
            try judge(found, from: log.recovery.segments.lowerBound)
            self.log = log
        } catch let error as Broken {
            throw error
        } catch let error as WriteAheadLogError where [.full, .failed].contains(error.code) {
            // The machine stopped or its disk failed while the log was read.
            unfinishedOpenings += 1
            files.capacity = nil
            crash()
        } catch {
            throw Broken(description: "\(error)")
        }
    }

    /// Kills the process, or takes the machine's power.
    private mutating func crash() {
        log = nil
        if random.coin() { files.endProcess() } else { _ = files.losePower() }
    }

    private mutating func judge(_ found: [[UInt8]], from segment: UInt64) throws {
        let kept = durable.filter { $0.segment >= segment }
        guard found.count >= kept.count, Array(found.prefix(kept.count)) == kept.map(\.record) else {
            let held = zip(found, kept).prefix { $0 == $1.record }.count
            throw Broken(
                description:
                    "life \(lives) finds \(found.count) records from segment \(segment), \(held) as they were; \(kept.count) are durable"
            )
        }
        let rest = Array(found.dropFirst(kept.count))
        let possible = pending + (cutting ?? [])
        guard rest == Array(possible.map(\.record).prefix(rest.count)), rest.count <= possible.count,
            rest.count <= pending.count || rest.count == possible.count
        else {
            throw Broken(
                description:
                    "life \(lives) finds \(rest.count) records behind the durable ones that nobody wrote")
        }
        // What was read once must be there from now on.
        durable += possible.prefix(rest.count)
        (pending, cutting) = ([], nil)
    }

    // MARK: Using it

    private mutating func attempt(_ body: (inout LogOnTrial) throws -> Void) {
        do {
            try body(&self)
        } catch let error as WriteAheadLogError where error.code == .full {
            // The log goes on with what it has.
            cutting = nil
        } catch {
            // The log takes nothing more, and its process ends; sooner or later.
            if random.coin() { crash() }
        }
    }

    private mutating func record() -> [UInt8] {
        numbers += 1
        // Some records are alike, so that what is left of one can be taken for another.
        let mark = random.coin() ? UInt8(truncatingIfNeeded: numbers) : 7
        let size = random.chance(30_000) ? 9_000 : random.chance(300_000) ? 700 : 40
        return [UInt8](repeating: mark, count: random.chance(500_000) ? size : random.index(size))
    }

    private mutating func append() throws {
        guard let log else { return }
        for _ in 0..<random.number(in: 1...4) {
            let record = record()
            let written = Written(segment: log.currentSegment, record: record)
            let hadFailed = log.hasFailed
            do {
                try log.append(record)
            } catch let error as WriteAheadLogError where error.code == .failed && !hadFailed {
                // It was taken, and what was queued with it may be on the disk.
                pending.append(written)
                throw error
            }
            pending.append(written)
        }
        guard random.chance(800_000) else { return }
        try log.synchronize()
        acknowledge()
        if random.chance(100_000) {
            log.close()
            crash()
        }
    }

    private mutating func acknowledge() {
        acknowledged += pending.count
        durable += pending
        pending = []
    }

    private mutating func cutNow() throws {
        guard let log, log.wantsCut, !log.hasFailed else { return }
        let preamble = (0..<random.index(4)).map { _ in record() }
        cutting = preamble.map { Written(segment: log.currentSegment + 1, record: $0) }
        let number = try log.cut(preamble: preamble)
        pending += cutting ?? []
        cutting = nil
        acknowledge()
        cuts += 1
        if random.chance(700_000) { try log.remove(before: number - UInt64(random.index(2))) }
        if random.coin() { log.settle() }
    }
}
