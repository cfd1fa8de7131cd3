/// A growing piece of raw memory that is filled at the end and emptied at the front.
struct ByteQueue: ~Copyable {
    private var base: UnsafeMutableRawPointer?
    private var capacity = 0
    private var head = 0
    private var tail = 0

    init() {}
    deinit { base?.deallocate() }

    var count: Int { tail - head }
    var isEmpty: Bool { head == tail }

    /// What is queued; valid until the next change.
    var bytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: base.map { UnsafeRawPointer($0 + head) }, count: tail - head)
    }

    mutating func append(_ source: UnsafeRawBufferPointer) {
        append(source.baseAddress, source.count)
    }

    mutating func append(_ source: UnsafeRawPointer?, _ count: Int) {
        guard count > 0, let source else { return }
        reserve(count).copyMemory(from: source, byteCount: count)
        tail += count
    }

    /// Adds `count` bytes that the caller fills in through the returned pointer before anything else.
    mutating func extend(_ count: Int) -> UnsafeMutableRawPointer {
        let start = reserve(count)
        tail += count
        return start
    }

    mutating func removeFirst(_ count: Int) {
        precondition(count <= self.count)
        head += count
        if head == tail {
            head = 0
            tail = 0
        }
    }

    /// Forgets the bytes, and the memory too when there is much of it.
    mutating func removeAll(keepingCapacity limit: Int) {
        head = 0
        tail = 0
        if capacity > limit { release() }
    }

    mutating func release() {
        base?.deallocate()
        base = nil
        capacity = 0
        head = 0
        tail = 0
    }

    /// Room for `count` more bytes at the end; what is queued moves to the front when that is enough.
    private mutating func reserve(_ more: Int) -> UnsafeMutableRawPointer {
        if let base, tail + more <= capacity { return base + tail }
        let count = tail - head
        if let base, count + more <= capacity, head >= capacity / 2 {
            base.copyMemory(from: base + head, byteCount: count)
        } else {
            let grown = max(count + more, min(capacity * 2, capacity + (16 << 20)), 64)
            let memory = UnsafeMutableRawPointer.allocate(byteCount: grown, alignment: 16)
            if let base {
                memory.copyMemory(from: base + head, byteCount: count)
                base.deallocate()
            }
            base = memory
            capacity = grown
        }
        head = 0
        tail = count
        return base! + count
    }
}
