import Automata

/// What opening a log found.
public struct Recovery: Hashable, Sendable {
    /// How many records were handed to `replay`.
    public var records: UInt64 = 0
    /// So many of them, from the first, are shown by a later write to have been durable before. Of the others a crash may
    /// have cut off more, and nobody can tell.
    public var provenRecords: UInt64 = 0
    public var segments: ClosedRange<UInt64> = 1...1
    /// Where an unfinished write was passed over, and within how many bytes it lies.
    public var unfinished: Unfinished?

    public struct Unfinished: Hashable, Sendable {
        public var file: String
        public var offset: Int
        public var bytes: Int
    }
}

extension WriteAheadLog {
    /// Opens the log in `directory`, making it when there is none, passes over a torn tail, and hands
    /// every record to `body` in order; the bytes are valid only during the call. Throws `WriteAheadLogError` when
    /// something in the middle is damaged or missing; records before it may have been handed over. When it
    /// returns everything that it has read is durable.
    public static func open(
        _ directory: String, options: Options, replay body: (UnsafeRawBufferPointer) throws -> Void
    ) throws -> WriteAheadLog {
        do {
            let files = options.files
            try files.makeDirectory(directory)
            let names = try files.names(in: directory)
            for name in names where name.hasSuffix(".tmp") { try files.remove("\(directory)/\(name)") }
            // A process before this one may have ended between giving a file its name and making that durable.
            if options.synchronises { try files.synchronizeDirectory(directory) }
            let numbers = names.compactMap(LogFileName.segmentNumber).sorted()
            guard let oldest = numbers.first else { return try create(directory, options: options, names) }

            let headers = try readHeaders(numbers, in: directory, options: options)
            var recovery = Recovery()
            recovery.segments = oldest...numbers[numbers.count - 1]
            var segment: Segment?
            for (position, header) in headers.enumerated() {
                let next = position + 1 < headers.count ? headers[position + 1] : nil
                segment = try replay(header, before: next, in: directory, options, &recovery, body)
            }
            return WriteAheadLog(
                directory: directory, options: options, supply: supply(directory, options, names),
                segment: segment!, oldest: oldest, recovery: recovery)
        } catch let error as FileError {
            throw error.asLogError
        }
    }

    private static func supply(_ directory: String, _ options: Options, _ names: [String]) -> SpareSupply {
        SpareSupply(
            directory: directory, options: options,
            spares: names.filter { LogFileName.spareNumber($0) != nil })
    }

    private static func create(
        _ directory: String, options: Options, _ names: [String]
    ) throws -> WriteAheadLog {
        let segment = try Segment.start(
            1, firstRecord: 1, previousCheck: 0, preamble: [], spare: nil, in: directory, options: options)
        return WriteAheadLog(
            directory: directory, options: options, supply: supply(directory, options, names),
            segment: segment, oldest: 1, recovery: Recovery())
    }

    private static func readHeaders(
        _ numbers: [UInt64], in directory: String, options: Options
    ) throws -> [SegmentHeader] {
        var headers: [SegmentHeader] = []
        for number in numbers {
            let path = "\(directory)/\(LogFileName.segment(number))"
            if let last = headers.last, number != last.number + 1 {
                throw WriteAheadLogError(
                    .missingSegment,
                    """
                    the log is damaged: segment \(LogFileName.segment(last.number + 1)) is missing from \
                    \(directory), though later ones are there. Put the file back; without it the member is lost, \
                    see "A lost disk" in docs/operations
                    """)
            }
            let block = try LogFile(path, in: options.files).contents(SegmentHeader.bytes)
            defer { block.deallocate() }
            let header = try SegmentHeader(UnsafeRawBufferPointer(block), file: path)
            guard header.identity == options.identity else {
                throw WriteAheadLogError(
                    .foreign, "\(path) belongs to the log of another member or cluster")
            }
            guard header.number == number else {
                throw WriteAheadLogError(
                    .foreign, "\(path) holds segment \(header.number): the file was renamed")
            }
            headers.append(header)
        }
        return headers
    }

    /// Hands over the records of one segment, and checks that it ends where the next one begins or, when it
    /// is the last, that nothing durable is missing at its end.
    private static func replay(
        _ header: SegmentHeader, before next: SegmentHeader?, in directory: String, _ options: Options,
        _ recovery: inout Recovery, _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws -> Segment {
        let path = "\(directory)/\(LogFileName.segment(header.number))"
        let file = try LogFile(path, in: options.files)
        let contents = try file.contents()
        defer { contents.deallocate() }
        var walk = SegmentWalk(UnsafeRawBufferPointer(contents), header: header, file: path)
        try walk.run(body)
        recovery.provenRecords = recovery.records + (next == nil ? walk.provenRecords : walk.records)
        recovery.records += walk.records
        var segment = Segment(
            file: file, number: header.number, layout: header.layout, position: walk.end, frames: walk.frames,
            batchStart: walk.batchStart, check: walk.check, nextRecord: header.firstRecord + walk.records,
            isSealed: walk.isSealed)
        if let next {
            guard walk.check == next.previousCheck, segment.nextRecord == next.firstRecord else {
                throw WriteAheadLogError.damaged(
                    path, at: walk.end, "record \(segment.nextRecord) cannot be read")
            }
            return segment
        }
        switch walk.tail {
        case .clean: break
        case .torn(let bytes):
            recovery.unfinished = Recovery.Unfinished(file: path, offset: walk.end, bytes: bytes)
        case .damaged(let proof):
            throw WriteAheadLogError.damaged(
                path, at: walk.end,
                "record \(segment.nextRecord), which byte \(proof) shows to have been durable, cannot be read"
            )
        }
        try segment.resume(behind: walk, options: options)
        return segment
    }
}

extension Segment {
    /// Makes durable what was read, and begins a life of the log.
    ///
    /// What was read may stand in the cache alone: a process may have died between a write and its sync. It is
    /// written once more, because a sync of the process before may have failed, after which the system takes
    /// for written what it has not written. What a later frame shows to have been durable needs neither.
    ///
    /// The frame behind it holds a number that was never drawn before. Whatever an unfinished write has left on
    /// the disk, in whole or in part, chains to other frames than those that follow now, and is never read again.
    fileprivate mutating func resume(
        behind walk: SegmentWalk, options: WriteAheadLog.Options
    ) throws(FileError) {
        var buffer = GrowingBuffer()
        let doubtful = walk.bytes[walk.doubtful..<walk.end]
        buffer.room(for: doubtful.count).copyMemory(
            from: UnsafeRawBufferPointer(rebasing: doubtful).baseAddress!, byteCount: doubtful.count)
        buffer.count = doubtful.count
        let before = self
        encode(Frame.Kind.resumption, byteCount: 8, into: &buffer) {
            $0.storeBytes(of: options.drawNonce(), as: UInt64.self)
        }
        do {
            try file.write(buffer.bytes, at: walk.doubtful)
            position = walk.doubtful + buffer.count
        } catch  where error.code == .noRoom {
            // A full disk does not keep the log from being read. Nothing stands behind its file's end.
            self = before
            try file.write(UnsafeRawBufferPointer(rebasing: doubtful), at: walk.doubtful)
            try file.zero(walk.end, max(0, file.size - walk.end))
        }
        if options.synchronises { try file.synchronize() }
        batchStart = frames
    }
}
