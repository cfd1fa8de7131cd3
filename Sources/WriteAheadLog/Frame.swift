import Automata

/// How one record lies in a segment. All numbers are little-endian.
///
///     0   4  length of the payload in bytes
///     4   1  kind
///     5   1  version of this layout
///     6   2  zero
///     8   4  index of the frame in its segment, from 0
///     12  4  how many frames before this one were written since the sync before it
///     16  4  check of the frame before, or of the segment's header
///     20  4  check of bytes 0..<20, of the nonce, the payload and its padding
///     24  8  nonce of this use of the segment
///     32     payload, padded with zeros to a multiple of 8
///
/// A file that is used anew keeps bytes of its past behind the end of the log, and payloads hold what clients
/// send. The nonce, which is drawn for each use and leaves the machine nowhere, keeps both from ever reading
/// as frames. The check of the frame before chains all frames of a log. The distance at 12 says which frames
/// were durable when this one was written: a frame that cannot be read was lost in a crash when no later frame
/// says that it had been durable, and is damage when one does.
struct Frame {
    enum Kind {
        static let record: UInt8 = 1
        /// The last frame of a log that was closed: everything before it was durable.
        static let seal: UInt8 = 2
        /// The first frame of a process that goes on with the segment; holds a random number.
        static let resumption: UInt8 = 3
    }

    /// Frames with a longer payload are neither written nor believed.
    static let maximumPayloadBytes = 1 << 30

    var kind: UInt8
    var version: UInt8
    var index: UInt32
    /// The index of the first frame that was written since the sync before this one.
    var batchStart: UInt32
    var previous: UInt32
    var check: UInt32
    var payload: UnsafeRawBufferPointer
    /// Offset behind the padding.
    var end: Int

    /// Completes the frame at `base`, whose payload is in place already, and returns its check.
    static func seal(
        _ base: UnsafeMutableRawPointer, kind: UInt8, payloadBytes: Int, index: UInt32, batchStart: UInt32,
        previous: UInt32, layout: FrameLayout
    ) -> UInt32 {
        let size = layout.size(ofPayload: payloadBytes)
        for offset in layout.headerBytes + payloadBytes..<size {
            base.storeBytes(of: 0, toByteOffset: offset, as: UInt8.self)
        }
        base.storeBytes(of: UInt32(payloadBytes).littleEndian, toByteOffset: 0, as: UInt32.self)
        base.storeBytes(of: kind, toByteOffset: 4, as: UInt8.self)
        base.storeBytes(of: layout.version, toByteOffset: 5, as: UInt8.self)
        base.storeBytes(of: 0, toByteOffset: 6, as: UInt16.self)
        base.storeBytes(of: index.littleEndian, toByteOffset: 8, as: UInt32.self)
        base.storeBytes(of: (index - batchStart).littleEndian, toByteOffset: 12, as: UInt32.self)
        base.storeBytes(of: previous.littleEndian, toByteOffset: 16, as: UInt32.self)
        if case .drawn(let nonce) = layout {
            base.storeBytes(of: nonce.littleEndian, toByteOffset: 24, as: UInt64.self)
        }
        let check = layout.check(UnsafeRawBufferPointer(start: base, count: size))
        base.storeBytes(of: check.littleEndian, toByteOffset: 20, as: UInt32.self)
        return check
    }

    /// The frame at `offset`, when its bytes are those that were written in this use of the segment.
    init?(at offset: Int, in bytes: UnsafeRawBufferPointer, layout: FrameLayout) {
        guard let (length, index, distance) = layout.plausibleHeader(at: offset, in: bytes) else {
            return nil
        }
        let size = layout.size(ofPayload: length)
        kind = bytes[offset + 4]
        version = bytes[offset + 5]
        self.index = index
        batchStart = index - distance
        previous = bytes.littleEndian(UInt32.self, at: offset + 16)
        check = bytes.littleEndian(UInt32.self, at: offset + 20)
        guard layout.check(UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + size])) == check else {
            return nil
        }
        let start = offset + layout.headerBytes
        payload = UnsafeRawBufferPointer(rebasing: bytes[start..<start + length])
        end = offset + size
    }
}
