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
        while let frame = Frame(at: end, in: bytes, segment: header.number), frame.index == frames,
            frame.previous == check
        {
            guard frame.version == Frame.version else {
                throw WriteAheadLogError(
                    .foreign, "\(file) was written by a newer version (frame version \(frame.version))")
            }
            switch frame.kind {
            case Frame.Kind.record:
                records += 1
                try body(frame.payload)
            case Frame.Kind.seal: break
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
        case clean
        /// A write that a crash cut short, or that reached the disk in part and out of order. Nothing in it
        /// was ever said to be durable. `bytes` is up to where something other than zeros stands.
        case torn(bytes: Int)
        /// The frame at `offset` was written after the missing one had become durable.
        case damaged(provedAt: Int)
    }

    var tail: Tail {
        var lastByte = end
        var offset = end
        while offset < bytes.count {
            let block = min(512, bytes.count - offset)
            guard !isZero(offset, block) else {
                offset += block
                continue
            }
            for start in stride(from: offset, to: offset + block, by: 8) {
                if let later = Frame(at: start, in: bytes, segment: header.number), later.batchStart > frames
                {
                    return .damaged(provedAt: start)
                }
            }
            lastByte = offset + block
            offset += block
        }
        return lastByte == end ? .clean : .torn(bytes: lastByte - end)
    }

    private func isZero(_ offset: Int, _ count: Int) -> Bool {
        // A range is all zeros when it begins with a zero and equals itself moved by one.
        guard let base = bytes.baseAddress, bytes[offset] == 0 else { return false }
        return count == 1 || memcmp(base + offset, base + offset + 1, count - 1) == 0
    }
}
