import Automata

/// A log of opaque records in numbered segments, which survives crashes and loss of power.
///
/// What was appended before a `synchronize` that returned is there after every crash, in order and without
/// gaps. What was appended later is there up to some record, or not at all. Bytes that changed on the disk
/// are noticed and refused; only in the last batch that was synchronised before a crash they cannot be told
/// from a write that the crash cut short (Alagappan et al., "Protocol-Aware Recovery for Consensus-Based
/// Storage", FAST 2018, section 2).
///
/// One thread appends, synchronises and cuts. A thread of its own prepares and deletes files.
public final class WriteAheadLog: @unchecked Sendable {
    public struct Options: Sendable {
        /// When a segment holds so many bytes the log wants to be cut. Larger records are taken all the same.
        public var segmentBytes = 64 << 20
        /// Off only for tests and `--unsafe-no-fsync`.
        public var synchronises = true
        /// Names the log, at most 64 bytes; a segment with another identity is refused as foreign.
        public var identity: [UInt8] = []
        /// A number that nobody can foresee, for each use of a segment.
        public var drawNonce: @Sendable () -> UInt64 = { .random(in: .min ... .max) }
        public var files: any FileSystem = SystemFiles.shared
        /// Off where there are no threads: files are then prepared and removed by `settle`.
        public var preparesInBackground = true
        /// Frames wait in memory up to this size; then they are written without being synced.
        var pendingBytes = 4 << 20
        public init() {}
    }

    let directory: String
    let options: Options
    let supply: SpareSupply
    var segment: Segment
    /// The lowest segment that was not removed.
    var oldest: UInt64
    /// What opening found.
    public let recovery: Recovery

    /// Frames that are not written yet; they belong at `segment.position`.
    private var pending = GrowingBuffer()
    private var hasUnsynchronisedWrites = false
    private var askedForSpare = false
    private var failure: WriteAheadLogError?
    /// Whether the log takes nothing more.
    var hasFailed: Bool { failure != nil }

    /// How far ahead of the last frame a young segment is filled with zeros.
    private static let zeroAheadBytes = 512 << 10

    init(
        directory: String, options: Options, supply: SpareSupply, segment: Segment, oldest: UInt64,
        recovery: Recovery
    ) {
        self.directory = directory
        self.options = options
        self.supply = supply
        self.segment = segment
        self.oldest = oldest
        self.recovery = recovery
    }

    deinit { supply.close() }

    // MARK: Appending

    /// Queues a record; it reaches the file at the latest with the next `synchronize`. Throws `.full`, and
    /// has not taken the record, when the disk has no room for it.
    public func append(_ record: [UInt8]) throws { try record.withUnsafeBytes { try append($0) } }

    public func append(_ record: UnsafeRawBufferPointer) throws {
        try append(byteCount: record.count) { if record.count > 0 { $0.copyMemory(from: record) } }
    }

    /// Queues a record of `byteCount` bytes that `fill` writes in place.
    public func append(byteCount: Int, fill: (UnsafeMutableRawBufferPointer) throws -> Void) throws {
        if let failure { throw failure }
        precondition(byteCount <= Frame.maximumPayloadBytes, "a record of \(byteCount) bytes")
        try claimRoom(segment.layout.size(ofPayload: byteCount))
        try segment.encode(Frame.Kind.record, byteCount: byteCount, into: &pending, fill: fill)
        if pending.count >= options.pendingBytes { try writePending() }
    }

    /// Writes and syncs everything appended so far. After it has thrown the log takes nothing more.
    public func synchronize() throws {
        if let failure { throw failure }
        guard hasUnsynchronisedWrites || pending.count > 0 else { return }
        if options.synchronises, !hasUnsynchronisedWrites, segmentBytesUsed < segment.file.size {
            try writePendingDurably()
        } else {
            try writePending()
            try failing { () throws(FileError) in
                if options.synchronises { try segment.file.synchronize() }
            }
            hasUnsynchronisedWrites = false
        }
        segment.batchStart = segment.frames
        keepReserve()
    }

    /// Records appended since the log began, whether or not they are durable.
    public var recordCount: UInt64 { segment.nextRecord - 1 }
    public var currentSegment: UInt64 { segment.number }
    /// Bytes that the current segment holds, with what is queued.
    public var segmentBytesUsed: Int { segment.position + pending.count }
    /// Whether the current segment has reached its size, or is of an older format: the caller should `cut`.
    public var wantsCut: Bool {
        if case .numbered = segment.layout { return true }
        return segmentBytesUsed >= options.segmentBytes
    }

    /// How many files of segments that were removed have been kept since the log was opened, to be used anew.
    public var filesKept: Int { supply.filesKept }

    /// Whether there is room set aside for at least a quarter of a segment.
    public var hasReserve: Bool {
        segment.file.reserved - segmentBytesUsed >= options.segmentBytes / 4 || supply.hasSpare
    }
    /// Whether the disk refused room that the log wanted to set aside. The caller should refuse what makes
    /// the store grow, and go on with what makes it shrink; it ends by itself when there is room again.
    public var isSpaceLow: Bool {
        segment.file.reserved < options.segmentBytes || supply.foundNoRoomForSpare
    }

    // MARK: Segments

    /// Synchronises, and starts a new segment whose first records are `preamble`; returns its number. The
    /// segment exists with its whole preamble, durable, or not at all. Throws `.full` when there is neither
    /// a spare nor room; the log then goes on in the segment that it has.
    public func cut(preamble: [[UInt8]]) throws -> UInt64 {
        try synchronize()
        let spare = supply.take()
        do {
            segment = try Segment.start(
                segment.number + 1, firstRecord: segment.nextRecord, previousCheck: segment.check,
                preamble: preamble, spare: spare, in: directory, options: options)
        } catch {
            if let spare { supply.retire([spare]) }
            if error.code != .noRoom { failure = error.asLogError }
            throw error.asLogError
        }
        askedForSpare = false
        if spare == nil { supply.tryAgain() }
        return segment.number
    }

    /// Removes the segments before this one; their files become spares or are deleted soon afterwards.
    public func remove(before number: UInt64) throws {
        let end = min(number, segment.number)
        guard oldest < end else { return }
        supply.retire((oldest..<end).map(LogFileName.segment))
        oldest = end
    }

    /// Synchronises, marks the log as closed, and stops.
    public func close() {
        // The seal proves only what was durable when it was written.
        if (try? synchronize()) != nil, !segment.isSealed, (try? claimRoom(segment.layout.headerBytes)) != nil
        {
            segment.encode(Frame.Kind.seal, byteCount: 0, into: &pending) { _ in }
            try? synchronize()
        }
        supply.close()
        failure = WriteAheadLogError(.failed, "the log is closed")
    }

    /// Waits until files asked for are prepared and files not needed are gone, as far as there is room; does
    /// both when nothing happens in the background.
    public func settle() { supply.settle() }

    // MARK: Writing

    private func claimRoom(_ count: Int) throws {
        let end = segmentBytesUsed + count
        guard end > segment.file.reserved else { return }
        do {
            try segment.file.reserve(upTo: end)
        } catch {
            if error.code != .noRoom { failure = error.asLogError }
            throw error.asLogError
        }
    }

    private func writePending() throws {
        guard pending.count > 0 else { return }
        let file = segment.file
        let end = segment.position + pending.count
        try failing { () throws(FileError) in try file.write(pending.bytes, at: segment.position) }
        if end >= file.size, end < options.segmentBytes {
            // The write has just made the file longer: have the next ones land in bytes that exist.
            try? file.writeZeros(upTo: min(end + Self.zeroAheadBytes, options.segmentBytes))
        }
        segment.position = end
        pending.removeAll()
        hasUnsynchronisedWrites = true
    }

    /// The usual case, where all that is queued lands in bytes that exist.
    private func writePendingDurably() throws {
        try failing { () throws(FileError) in
            try segment.file.writeDurably(pending.bytes, at: segment.position)
        }
        segment.position += pending.count
        pending.removeAll()
    }

    private func keepReserve() {
        if segment.file.reserved < options.segmentBytes {
            try? segment.file.reserve(upTo: options.segmentBytes)
        }
        // A young log that may never need a second segment does not pay for one.
        if !askedForSpare, segment.position >= options.segmentBytes / 4 {
            askedForSpare = true
            supply.prepare()
        }
    }

    private func failing(_ body: () throws(FileError) -> Void) throws {
        do {
            try body()
        } catch {
            let failed = WriteAheadLogError(.failed, error.message)
            failure = failed
            throw failed
        }
    }
}
