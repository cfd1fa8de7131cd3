import Glibc

/// Bytes that wait between what fills them and what takes them, in one allocation that grows.
struct Buffer: ~Copyable {
    private var base: UnsafeMutableRawPointer
    private var capacity: Int
    private var first = 0
    private var end = 0

    init(capacity: Int) {
        self.capacity = capacity
        base = .allocate(byteCount: capacity, alignment: 16)
    }

    deinit { base.deallocate() }

    var count: Int { end - first }
    var isEmpty: Bool { first == end }

    /// Valid until the buffer changes.
    var bytes: UnsafeRawBufferPointer { .init(start: base + first, count: end - first) }

    mutating func drop(_ count: Int) {
        first += count
        if first == end { (first, end) = (0, 0) }
    }

    /// Makes room for so many more bytes and says where they go; `fill` says how many came.
    mutating func room(_ count: Int) -> UnsafeMutableRawPointer {
        if end + count > capacity {
            if self.count + count > capacity {
                capacity = max(capacity * 2, self.count + count)
                let larger = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 16)
                larger.copyMemory(from: base + first, byteCount: self.count)
                base.deallocate()
                base = larger
            } else {
                memmove(base, base + first, self.count)
            }
            (first, end) = (0, self.count)
        }
        return base + end
    }

    mutating func fill(_ count: Int) { end += count }

    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress else { return }
        room(bytes.count).copyMemory(from: start, byteCount: bytes.count)
        fill(bytes.count)
    }
}

extension UnsafeRawBufferPointer {
    /// The four bytes at an offset, highest first, as frames have them.
    func word(_ offset: Int) -> UInt32 {
        UInt32(bigEndian: loadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }

    func part(_ offset: Int, _ count: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: self[offset..<offset + count])
    }
}
