import Automata
import Paxos
import Replica
import Synchronization
import WriteAheadLog

/// What the replica thread asks of the log thread, in order.
enum LogWork: Sendable {
    case record(ReplicaRecord)
    /// Leaves once every record before it is durable.
    case send(ReplicaMessage, to: ProcessID)
    /// Begin a segment whose first records are these.
    case cut(preamble: [ReplicaRecord])
    case remove(before: UInt64)
    case stop
}

/// The log thread: writes what is queued, syncs once for all of it, then lets go the messages that promise it
/// and tells the replica thread.
///
/// When the disk is full nothing is lost: the thread keeps what is not written, tries again every half second
/// and says so. Any other failure ends the server, because after a failed sync nobody knows what
/// the disk holds.
///
/// A process alone in its cluster waits for nothing but the disk when it has one record in hand. It then writes
/// that record on the replica thread, which saves two wake-ups, as long as the log thread has nothing to do and
/// the disk is quick.
final class LogThread {
    private static let retryInterval = TimeSpan.milliseconds(500)
    /// A sync that took longer is not waited for on the replica thread, where it would hold up reads.
    private static let quickSync = TimeSpan.milliseconds(1)

    private let mailbox = Mailbox<LogWork>(capacity: .max)
    /// How much work was handed over, which the replica thread alone counts, and how much was carried out.
    /// While they are equal the log thread waits, and everything below is the replica thread's to use.
    private var handedOver: UInt64 = 0
    private let carriedOut = Atomic<UInt64>(0)
    private let log: WriteAheadLog
    private let host: Mailbox<HostInput>
    private let network: PeerNetwork
    private let instruments: Instruments

    private var outbox: Outbox
    private var written: UInt64 = 0
    private var reported: UInt64 = 0
    private var lastSync = TimeSpan.zero
    private var isFull = false
    private var isSpaceLow = false
    private var hasAskedForCut = false
    private let isStopping = Atomic<Bool>(false)
    private var isStopped = false
    private var bytes: [UInt8] = []

    init(log: WriteAheadLog, host: Mailbox<HostInput>, network: PeerNetwork, instruments: Instruments) {
        self.log = log
        self.host = host
        self.network = network
        self.instruments = instruments
        outbox = Outbox(network)
    }

    // MARK: the replica thread's side

    /// Queues work for the log thread.
    func handOver(_ works: [LogWork]) {
        handedOver += UInt64(works.count)
        mailbox.send(contentsOf: works)
    }

    /// What came of trying to write on the caller's thread.
    enum WritingHere {
        /// Nothing was done.
        case left
        case durable(upTo: RecordNumber)
        /// The replica thread hears of it by its inbox.
        case failed
    }

    /// Writes the one record of `works` on the caller's thread, where that is quick.
    func writeHere(_ works: [LogWork]) -> WritingHere {
        guard works.count == 1, case .record(let record) = works[0],
            carriedOut.load(ordering: .acquiring) == handedOver, lastSync < LogThread.quickSync
        else { return .left }
        bytes.removeAll(keepingCapacity: true)
        record.encode(into: &bytes)
        do {
            try log.append(bytes)
        } catch {
            // The log thread fails in the same way, and knows what to do about it.
            return .left
        }
        instruments.walBytes.add(bytes.count)
        written += 1
        do {
            _ = try synchronize()
        } catch {
            onFailure(error)
            return .failed
        }
        noteSpace()
        return .durable(upTo: RecordNumber(written))
    }

    /// Lets the thread finish what is queued and end. What has no room then was promised to nobody.
    func stop() {
        isStopping.store(true, ordering: .relaxed)
        mailbox.send(.stop)
    }

    // MARK: the log thread's side

    /// The body of the log thread.
    func run() {
        var works: [LogWork] = []
        do {
            while !isStopped {
                mailbox.take(into: &works, until: nil)
                try carryOut(works)
                carriedOut.add(UInt64(works.count), ordering: .releasing)
            }
        } catch {
            onFailure(error)
        }
        log.close()
    }

    private func onFailure(_ error: any Error) {
        guard !isStopping.load(ordering: .relaxed) else { return }
        host.send(.failed("the log cannot be written: \(error)"))
    }

    private func carryOut(_ works: [LogWork]) throws {
        var hasSends = false
        for work in works {
            switch work {
            case .record(let record):
                bytes.removeAll(keepingCapacity: true)
                record.encode(into: &bytes)
                try append()
                written += 1
            case .send: hasSends = true
            case .cut(let preamble): try cut(preamble)
            case .remove(let segment): try log.remove(before: segment)
            case .stop: isStopped = true
            }
        }
        let isDurable = try synchronize()
        if hasSends {
            for case .send(let message, let receiver) in works { outbox.send(message, to: receiver) }
            outbox.flush()
        }
        if isDurable { host.send(.durable(upTo: RecordNumber(written))) }
        noteSpace()
    }

    /// Whether there was anything to make durable.
    private func synchronize() throws -> Bool {
        guard reported < written else { return false }
        let begun = MonotonicClock.now()
        try log.synchronize()
        lastSync = MonotonicClock.now().since(begun)
        instruments.walSync.record(lastSync)
        reported = written
        return true
    }

    /// Appends the record in `bytes`, as soon as there is room. What came before it need not wait.
    private func append() throws {
        while true {
            do {
                try log.append(bytes)
                instruments.walBytes.add(bytes.count)
                if isFull {
                    isFull = false
                    host.send(.logFull(false))
                }
                return
            } catch let error as WriteAheadLogError where error.code == .full {
                if try synchronize() { host.send(.durable(upTo: RecordNumber(written))) }
                if !isFull {
                    isFull = true
                    host.send(.logFull(true))
                }
                if isStopping.load(ordering: .relaxed) { throw error }
                pause(LogThread.retryInterval)
            }
        }
    }

    /// Without room for a segment the log goes on in the one that it has, and asks again later.
    private func cut(_ preamble: [ReplicaRecord]) throws {
        hasAskedForCut = false
        do {
            let segment = try log.cut(
                preamble: preamble.map { record in
                    var bytes: [UInt8] = []
                    record.encode(into: &bytes)
                    return bytes
                })
            host.send(.segmentCut(segment))
        } catch let error as WriteAheadLogError where error.code == .full {
            host.send(.segmentCut(nil))
        }
    }

    private func noteSpace() {
        if log.wantsCut, !hasAskedForCut {
            hasAskedForCut = true
            host.send(.segmentFull)
        }
        if log.isSpaceLow != isSpaceLow {
            isSpaceLow.toggle()
            host.send(.logSpaceLow(isSpaceLow))
        }
    }
}
