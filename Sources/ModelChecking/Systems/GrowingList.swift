/// A list that is only appended to, and read without a lock: what is in it never moves.
///
/// Appending is for one thread at a time. Whoever reads an index must have learnt it in an order with its
/// append, as through a lock or the barrier between two levels of a search.
@usableFromInline final class GrowingList<Element>: @unchecked Sendable {
    private(set) var count = 0
    @usableFromInline let chunks: UnsafeMutablePointer<UnsafeMutablePointer<Element>>
    private var chunkCount = 0

    /// The first chunk has this many places, each later one twice as many as the one before.
    @inlinable static var firstBits: Int { 8 }
    private static var mostChunks: Int { 24 }

    init() { chunks = .allocate(capacity: Self.mostChunks) }

    deinit {
        var left = count
        for chunk in 0..<chunkCount {
            let filled = min(left, 1 << (chunk + Self.firstBits))
            chunks[chunk].deinitialize(count: filled)
            chunks[chunk].deallocate()
            left -= filled
        }
        chunks.deallocate()
    }

    @inlinable static func place(_ index: Int) -> (chunk: Int, offset: Int) {
        let number = index &+ 1 << firstBits
        let chunk = Int.bitWidth &- 1 &- firstBits &- number.leadingZeroBitCount
        return (chunk, number &- 1 << (chunk &+ firstBits))
    }

    @inlinable subscript(index: UInt32) -> Element {
        @inline(__always) get {
            let (chunk, offset) = Self.place(Int(index))
            return chunks[chunk][offset]
        }
    }

    /// Where an element is, and stays, for as long as the list does.
    @inlinable @inline(__always) func pointer(_ index: UInt32) -> UnsafePointer<Element> {
        let (chunk, offset) = Self.place(Int(index))
        return UnsafePointer(chunks[chunk] + offset)
    }

    /// The index of the element.
    func append(_ element: Element) -> UInt32 {
        let (chunk, offset) = Self.place(count)
        if chunk == chunkCount {
            precondition(chunk < Self.mostChunks, "more than \(count) elements in a list")
            chunks[chunk] = .allocate(capacity: 1 << (chunk + Self.firstBits))
            chunkCount += 1
        }
        (chunks[chunk] + offset).initialize(to: element)
        count += 1
        return UInt32(count - 1)
    }
}

/// Words by words: open addressing with linear probing. A key may be there more than once; whoever looks for
/// it says which is meant.
struct WordTable: Sendable {
    private var keys: [UInt64] = Array(repeating: 0, count: 64)
    /// One more than the value; 0 for an empty place.
    private var values: [UInt32] = Array(repeating: 0, count: 64)
    private var count = 0

    private static func mixed(_ key: UInt64) -> UInt64 {
        let z = (key ^ (key >> 32)) &* 0x9E37_79B9_7F4A_7C15
        return z ^ (z >> 29)
    }

    func value(of key: UInt64, where isMeant: (UInt32) -> Bool = { _ in true }) -> UInt32? {
        let mask = keys.count &- 1
        var place = Int(truncatingIfNeeded: Self.mixed(key)) & mask
        while values[place] != 0 {
            if keys[place] == key, isMeant(values[place] &- 1) { return values[place] &- 1 }
            place = (place &+ 1) & mask
        }
        return nil
    }

    mutating func insert(_ key: UInt64, _ value: UInt32) {
        if (count + 1) * 4 > keys.count * 3 { grow() }
        put(key, value + 1)
        count += 1
    }

    private mutating func put(_ key: UInt64, _ value: UInt32) {
        let mask = keys.count - 1
        var place = Int(truncatingIfNeeded: Self.mixed(key)) & mask
        while values[place] != 0 { place = (place + 1) & mask }
        keys[place] = key
        values[place] = value
    }

    private mutating func grow() {
        let (oldKeys, oldValues) = (keys, values)
        keys = Array(repeating: 0, count: oldKeys.count * 2)
        values = Array(repeating: 0, count: oldKeys.count * 2)
        for (key, value) in zip(oldKeys, oldValues) where value != 0 { put(key, value) }
    }
}
