import Glibc

/// Reads the frames of one segment in order, up to the first that is not there, and judges what follows.
struct SegmentWalk {
    let bytes: UnsafeRawBufferPointer
    let header: SegmentHeader
    let file: String

    /// Offset behind the last good frame.
    private(set) var end = SegmentHeader.bytes
    /// How many frames there are.
    private(set) var frames: UInt32 = 0
    /// How many of them are records.
    private(set) var records: UInt64 = 0
    /// How many of those a later frame shows to have been durable.
    private(set) var provenRecords: UInt64 = 0
    /// Index of the first frame that no good frame shows to have been durable.
    private(set) var batchStart: UInt32 = 0
    /// Offset of the first byte of which that is so: of this frame or, with the first, of the header.
    private(set) var doubtful = 0
    /// The check of the last good frame.
    private(set) var check: UInt32
    /// Whether the last good frame is a seal.
    private(set) var isSealed = false

    init(_ bytes: UnsafeRawBufferPointer, header: SegmentHeader, file: String) {
        self.bytes = bytes
        self.header = header
        self.file = file
        check = header.check
    }

    mutating func run(_ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        while let frame = Frame(at: end, in: bytes, layout: header.layout), frame.index == frames,
            frame.previous == check
        {
            guard frame.version == header.layout.version else {
                throw WriteAheadLogError(
                    .foreign, "\(file) was written by a newer version (frame version \(frame.version))")
            }
            if frame.batchStart == frames, frames > 0 {
                (batchStart, doubtful) = (frames, end)
                provenRecords = records
            }
            switch frame.kind {
            case Frame.Kind.record:
                records += 1
                try body(frame.payload)
            case Frame.Kind.seal, Frame.Kind.resumption: break
            default:
                throw WriteAheadLogError(
                    .foreign, "\(file) was written by a newer version (frame kind \(frame.kind))")
            }
            isSealed = frame.kind == Frame.Kind.seal
            frames += 1
            check = frame.check
            end = frame.end
        }
    }

    /// What lies behind the last good frame of the log's last segment.
    enum Tail: Equatable {
        /// Nothing of this use of the segment; what an earlier use left behind may stand there.
        case clean
        /// A write that a crash cut short, or that reached the disk in part and out of order. Nothing in it
        /// was ever said to be durable. It lies within the next `bytes`.
        case torn(bytes: Int)
        /// The frame at `offset` was written after the missing one had become durable.
        case damaged(provedAt: Int)
    }

    /// Looks at every place behind the end once. What it reads of frames is bounded by what was written as
    /// frames, because nothing else has the nonce.
    var tail: Tail {
        var lastByte = end
        var offset = end
        var bytesToCheck = Self.checkedTimes * bytes.count
        while offset < bytes.count {
            let block = min(512, bytes.count - offset)
            guard !isZero(offset, block) else {
                offset += block
                continue
            }
            // Without a nonce nobody can say of bytes that are no whole frame that they were never to be one.
            if case .numbered = header.layout { lastByte = offset + block }
            for start in stride(from: offset, to: offset + block, by: 8) {
                guard let (length, index, distance) = header.layout.plausibleHeader(at: start, in: bytes)
                else {
                    continue
                }
                if case .numbered = header.layout {
                    guard isWithinReach(index, at: start), index - distance > frames else { continue }
                    bytesToCheck -= length
                    guard bytesToCheck > 0 else { return .damaged(provedAt: start) }
                }
                lastByte = offset + block
                if index - distance > frames, Frame(at: start, in: bytes, layout: header.layout) != nil {
                    return .damaged(provedAt: start)
                }
            }
            offset += block
        }
        return lastByte == end ? .clean : .torn(bytes: lastByte - end)
    }

    /// A segment without a nonce can hold very much that looks like the beginning of a frame. More than so many
    /// times its own size is not checked for its sake; it is not opened then.
    private static let checkedTimes = 16

    /// Whether so many frames fit between the last good one and `start`.
    private func isWithinReach(_ index: UInt32, at start: Int) -> Bool {
        index > frames && Int(index - frames) <= (start - end) / header.layout.headerBytes
    }

    private func isZero(_ offset: Int, _ count: Int) -> Bool {
        // A range is all zeros when it begins with a zero and equals itself moved by one.
        guard let base = bytes.baseAddress, bytes[offset] == 0 else { return false }
        return count == 1 || memcmp(base + offset, base + offset + 1, count - 1) == 0
    }
}
