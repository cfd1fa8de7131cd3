import Automata

/// How the frames of one segment are told from all other bytes.
enum FrameLayout: Hashable {
    /// The layout of frames up to version 1: without a nonce, 24 bytes before the payload, the check seeded
    /// with the segment's number. It is read, and written to the end of the segment that has it; the next
    /// segment has the newer one.
    case numbered(UInt64)
    case drawn(nonce: UInt64)

    var version: UInt8 {
        switch self {
        case .numbered: 1
        case .drawn: 2
        }
    }

    var headerBytes: Int {
        switch self {
        case .numbered: 24
        case .drawn: 32
        }
    }

    func size(ofPayload count: Int) -> Int { (headerBytes + count + 7) & ~7 }

    /// What the header at `offset` says, when it can be one of this segment: for a look at every place, which
    /// must cost little where there is none.
    func plausibleHeader(
        at offset: Int, in bytes: UnsafeRawBufferPointer
    ) -> (length: Int, index: UInt32, distance: UInt32)? {
        guard offset >= 0, offset <= bytes.count - headerBytes else { return nil }
        if case .drawn(let nonce) = self, bytes.littleEndian(UInt64.self, at: offset + 24) != nonce {
            return nil
        }
        guard bytes[offset + 4] != 0, bytes[offset + 5] != 0, bytes[offset + 6] == 0, bytes[offset + 7] == 0
        else { return nil }
        let length = Int(bytes.littleEndian(UInt32.self, at: offset))
        guard length <= Frame.maximumPayloadBytes, size(ofPayload: length) <= bytes.count - offset else {
            return nil
        }
        let index = bytes.littleEndian(UInt32.self, at: offset + 8)
        let distance = bytes.littleEndian(UInt32.self, at: offset + 12)
        guard distance <= index else { return nil }
        return (length, index, distance)
    }

    /// The check of a whole frame.
    func check(_ frame: UnsafeRawBufferPointer) -> UInt32 {
        var check = CRC32C()
        if case .numbered(let segment) = self {
            check = CRC32C(continuing: UInt32(truncatingIfNeeded: segment))
        }
        check.update(UnsafeRawBufferPointer(rebasing: frame[..<20]))
        check.update(UnsafeRawBufferPointer(rebasing: frame[24...]))
        return check.value
    }
}
