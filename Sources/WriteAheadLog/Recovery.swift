import Glibc

/// What opening a log found.
public struct Recovery: Hashable, Sendable {
    /// How many records were handed to `replay`.
    public var records: UInt64 = 0
    public var segments: ClosedRange<UInt64> = 1...1
    /// Where bytes of an unfinished write were erased, and how many.
    public var repair: Repair?

    public struct Repair: Hashable, Sendable {
        public var file: String
        public var offset: Int
        public var bytes: Int
    }
}

extension WriteAheadLog {
    /// Opens the log in `directory`, making it when there is none, erases a torn tail, and hands every
    /// record to `body` in order; the bytes are valid only during the call. Throws `WriteAheadLogError` when
    /// something in the middle is damaged or missing; records before it may have been handed over.
    public static func open(
        _ directory: String, options: Options, replay body: (UnsafeRawBufferPointer) throws -> Void
    ) throws -> WriteAheadLog {
        do {
            try Folder.create(directory)
            let names = try Folder.names(in: directory)
            for name in names where name.hasSuffix(".tmp") { unlink("\(directory)/\(name)") }
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
        } catch let error as SystemError {
            throw error.asLogError
        }
    }

    private static func supply(_ directory: String, _ options: Options, _ names: [String]) -> SpareSupply {
        SpareSupply(
            directory: directory, segmentBytes: options.segmentBytes, synchronises: options.synchronises,
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
                    \(directory), though later ones are there. Put the file back, or remove the member's \
                    data directory and let it join again as a new member.
                    """)
            }
            let block = try LogFile(path, create: false).head(SegmentHeader.bytes)
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
        let file = try LogFile(path, create: false)
        let contents = try file.contents()
        defer { contents.deallocate() }
        var walk = SegmentWalk(UnsafeRawBufferPointer(contents), header: header, file: path)
        try walk.run(body)
        recovery.records += walk.records
        if let next {
            guard walk.check == next.previousCheck, header.firstRecord + walk.records == next.firstRecord
            else {
                throw WriteAheadLogError.damaged(
                    path, at: walk.end, "record \(header.firstRecord + walk.records) cannot be read")
            }
        } else {
            switch walk.tail {
            case .clean: break
            case .damaged(let proof):
                throw WriteAheadLogError.damaged(
                    path, at: walk.end,
                    "record \(header.firstRecord + walk.records), which byte \(proof) shows to have been "
                        + "durable, cannot be read")
            case .torn(let bytes):
                try file.zero(walk.end, bytes)
                if options.synchronises { try file.synchronize() }
                recovery.repair = Recovery.Repair(file: path, offset: walk.end, bytes: bytes)
            }
        }
        return Segment(
            file: file, number: header.number, layout: header.layout, position: walk.end, frames: walk.frames,
            batchStart: walk.frames, check: walk.check, nextRecord: header.firstRecord + walk.records,
            isSealed: walk.isSealed)
    }
}

extension LogFile {
    /// The first `count` bytes, fewer when the file is shorter.
    func head(_ count: Int) throws(SystemError) -> UnsafeMutableRawBufferPointer {
        let block = UnsafeMutableRawBufferPointer.allocate(byteCount: min(count, size), alignment: 16)
        guard pread(descriptor, block.baseAddress, block.count, 0) == block.count else {
            block.deallocate()
            throw SystemError("read", path)
        }
        return block
    }
}
