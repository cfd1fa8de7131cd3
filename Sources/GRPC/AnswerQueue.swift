/// What a call has to say and its client has not taken: bytes that were copied here, then whole pieces that
/// were handed over and are let go of one by one as they leave.
struct AnswerQueue: ~Copyable {
    private var bytes = ByteQueue()
    private var pieces: [[UInt8]] = []
    /// The first piece that has not left, and how much of it has.
    private var first = 0
    private var offset = 0
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }

    /// Adds `count` bytes that `fill` writes.
    mutating func append(byteCount: Int, _ fill: (UnsafeMutableRawBufferPointer) -> Void) {
        guard byteCount > 0 else { return }
        if first == pieces.count {
            fill(UnsafeMutableRawBufferPointer(start: bytes.extend(byteCount), count: byteCount))
        } else {
            pieces.append(
                [UInt8](unsafeUninitializedCapacity: byteCount) { memory, used in
                    fill(UnsafeMutableRawBufferPointer(memory))
                    used = byteCount
                })
        }
        count += byteCount
    }

    /// Adds bytes without copying them.
    mutating func append(_ piece: [UInt8]) {
        guard !piece.isEmpty else { return }
        pieces.append(piece)
        count += piece.count
    }

    /// Moves the first `count` bytes to `output`.
    mutating func move(_ count: Int, to output: inout ByteQueue) {
        precondition(count <= self.count)
        self.count -= count
        var rest = count
        let copied = min(rest, bytes.count)
        if copied > 0 {
            output.append(bytes.bytes.baseAddress, copied)
            bytes.removeFirst(copied)
            rest -= copied
        }
        while rest > 0 {
            let taken = min(rest, pieces[first].count - offset)
            pieces[first].withUnsafeBytes { output.append($0.baseAddress! + offset, taken) }
            offset += taken
            rest -= taken
            if offset == pieces[first].count { letGoOfFirstPiece() }
        }
    }

    private mutating func letGoOfFirstPiece() {
        pieces[first] = []
        first += 1
        offset = 0
        if first == pieces.count {
            pieces.removeAll(keepingCapacity: true)
            first = 0
        }
    }

    /// Gives back the memory of an empty queue when it has more than `limit` bytes of it.
    mutating func trim(keepingCapacity limit: Int) {
        if bytes.isEmpty { bytes.removeAll(keepingCapacity: limit) }
    }

    mutating func release() {
        bytes.release()
        pieces = []
        (first, offset, count) = (0, 0, 0)
    }
}
