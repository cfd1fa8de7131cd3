import Automata

/// The segment that is being written.
struct Segment {
    let file: LogFile
    let number: UInt64
    let layout: FrameLayout
    /// Offset behind the last frame that was handed to the file.
    var position: Int
    /// Index of the next frame.
    var frames: UInt32
    /// Index of the first frame that is not known to be durable.
    var batchStart: UInt32
    /// Check of the last frame.
    var check: UInt32
    var nextRecord: UInt64
    var isSealed: Bool

    /// Adds a frame to `buffer`.
    mutating func encode(
        _ kind: UInt8, byteCount: Int, into buffer: inout GrowingBuffer,
        fill: (UnsafeMutableRawBufferPointer) throws -> Void
    ) rethrows {
        let size = layout.size(ofPayload: byteCount)
        let base = buffer.room(for: size)
        try fill(UnsafeMutableRawBufferPointer(start: base + layout.headerBytes, count: byteCount))
        check = Frame.seal(
            base, kind: kind, payloadBytes: byteCount, index: frames, batchStart: batchStart, previous: check,
            layout: layout)
        buffer.count += size
        frames += 1
        isSealed = kind == Frame.Kind.seal
        if kind == Frame.Kind.record { nextRecord += 1 }
    }

    /// Makes the file of a segment. It gets its name when header and preamble are durable. Throws `.noRoom`
    /// only while the file has no name yet: whether a name stands that was not made durable, nobody knows.
    static func start(
        _ number: UInt64, firstRecord: UInt64, previousCheck: UInt32, preamble: [[UInt8]], spare: String?,
        in directory: String, options: WriteAheadLog.Options
    ) throws(FileError) -> Segment {
        let draft = "\(directory)/\(spare ?? LogFileName.segmentDraft)"
        let segment: Segment
        do {
            segment = try write(
                to: LogFile(draft, create: spare == nil, in: options.files), number, firstRecord: firstRecord,
                previousCheck: previousCheck, preamble: preamble, options: options)
            try segment.file.rename(to: "\(directory)/\(LogFileName.segment(number))", in: options.files)
        } catch {
            if spare == nil { try? options.files.remove(draft) }
            throw error
        }
        guard options.synchronises else { return segment }
        do {
            try options.files.synchronizeDirectory(directory)
        } catch {
            throw FileError(.failed, error.message)
        }
        return segment
    }

    /// Writes header and preamble, and makes them durable.
    private static func write(
        to file: LogFile, _ number: UInt64, firstRecord: UInt64, previousCheck: UInt32, preamble: [[UInt8]],
        options: WriteAheadLog.Options
    ) throws(FileError) -> Segment {
        var header = SegmentHeader(
            number: number, firstRecord: firstRecord, previousCheck: previousCheck,
            identity: options.identity, layout: .drawn(nonce: max(1, options.drawNonce())))
        var buffer = GrowingBuffer()
        header.encode(to: buffer.room(for: SegmentHeader.bytes))
        buffer.count = SegmentHeader.bytes
        var segment = Segment(
            file: file, number: number, layout: header.layout, position: 0, frames: 0, batchStart: 0,
            check: header.check, nextRecord: firstRecord, isSealed: false)
        for record in preamble {
            segment.encode(Frame.Kind.record, byteCount: record.count, into: &buffer) {
                $0.copyBytes(from: record)
            }
        }
        try reserve(file, atLeast: buffer.count, atBest: options.segmentBytes)
        try file.write(buffer.bytes, at: 0)
        if options.synchronises { try file.synchronize() }
        segment.position = buffer.count
        segment.batchStart = segment.frames
        return segment
    }

    /// Sets room aside: the whole segment if the disk has it, otherwise what it has.
    private static func reserve(_ file: LogFile, atLeast least: Int, atBest best: Int) throws(FileError) {
        var wanted = max(least, best)
        while true {
            do {
                return try file.reserve(upTo: wanted)
            } catch {
                guard error.code == .noRoom, wanted > least else { throw error }
                wanted = max(least, wanted / 2)
            }
        }
    }
}

/// Bytes that are collected and written together; the memory is kept for the next time.
struct GrowingBuffer: ~Copyable {
    private var memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 16 << 10, alignment: 16)
    var count = 0

    deinit { memory.deallocate() }

    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: memory[..<count]) }

    /// Where the next `size` bytes go; the caller adds to `count` what it has filled.
    mutating func room(for size: Int) -> UnsafeMutableRawPointer {
        if count + size > memory.count {
            let larger = UnsafeMutableRawBufferPointer.allocate(
                byteCount: max(memory.count * 2, count + size), alignment: 16)
            larger.copyMemory(from: bytes)
            memory.deallocate()
            memory = larger
        }
        return memory.baseAddress! + count
    }

    mutating func removeAll() {
        count = 0
        if memory.count > 1 << 20 {
            memory.deallocate()
            memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)
        }
    }
}
