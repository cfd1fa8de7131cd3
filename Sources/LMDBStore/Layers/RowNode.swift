import Synchronization

/// A version of a row in memory, as it lies in its layer:
///
///     0    8    number of the transaction that wrote it
///     8    4    bytes of the key
///     12   4    bytes of the value; all ones where the row is removed
///     16   4    height: how many links follow
///     20   4    unused
///     24   8    each link: the next version at this level, or 0
///     …         key, value
///
/// Everything but the links is written once, before a link leads here, or by the transaction that nobody else sees yet.
struct RowNode: Equatable {
    static let highest = 12
    /// About what a version takes beside its key and value.
    static let overhead = linksOffset + 11 + 4
    private static let linksOffset = 24
    private static let removedMark = UInt32.max

    let address: UnsafeMutableRawPointer

    static func byteCount(height: Int, key: Int, value: Int) -> Int { linksOffset + height * 8 + key + value }

    init(address: UnsafeMutableRawPointer) { self.address = address }

    /// Writes a version without links to others into memory of `byteCount`; nil as value: the row is removed.
    init(
        at address: UnsafeMutableRawPointer, height: Int, key: UnsafeRawBufferPointer,
        value: UnsafeRawBufferPointer?, transaction: UInt64
    ) {
        self.address = address
        address.storeBytes(of: transaction, as: UInt64.self)
        address.storeBytes(of: UInt32(key.count), toByteOffset: 8, as: UInt32.self)
        address.storeBytes(
            of: value.map { UInt32($0.count) } ?? Self.removedMark, toByteOffset: 12, as: UInt32.self)
        address.storeBytes(of: UInt32(height), toByteOffset: 16, as: UInt32.self)
        for level in 0..<height { (links + level).initialize(to: Atomic(0)) }
        let content = address + (Self.linksOffset + height * 8)
        if let start = key.baseAddress { content.copyMemory(from: start, byteCount: key.count) }
        if let value, let start = value.baseAddress {
            (content + key.count).copyMemory(from: start, byteCount: value.count)
        }
    }

    @inline(__always) var transaction: UInt64 { address.load(as: UInt64.self) }
    @inline(__always) var height: Int { Int(address.load(fromByteOffset: 16, as: UInt32.self)) }
    @inline(__always) var isRemoval: Bool {
        address.load(fromByteOffset: 12, as: UInt32.self) == Self.removedMark
    }

    @inline(__always) private var content: UnsafeMutableRawPointer {
        address + (Self.linksOffset + height * 8)
    }
    @inline(__always) private var keyCount: Int { Int(address.load(fromByteOffset: 8, as: UInt32.self)) }

    @inline(__always) var key: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: content, count: keyCount)
    }

    /// Empty where the row is removed.
    @inline(__always) var value: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: content + keyCount, count: valueCount)
    }

    private var valueCount: Int {
        isRemoval ? 0 : Int(address.load(fromByteOffset: 12, as: UInt32.self))
    }

    /// Takes another value of the same length, while nobody but the transaction that wrote the version sees it.
    func overwrite(_ value: UnsafeRawBufferPointer) -> Bool {
        guard !isRemoval, value.count == valueCount else { return false }
        if let start = value.baseAddress {
            (content + keyCount).copyMemory(from: start, byteCount: value.count)
        }
        return true
    }

    // MARK: links

    @inline(__always) private var links: UnsafeMutablePointer<Atomic<UInt>> {
        (address + Self.linksOffset).assumingMemoryBound(to: Atomic<UInt>.self)
    }

    @inline(__always) func next(at level: Int) -> RowNode? {
        UnsafeMutableRawPointer(bitPattern: links[level].load(ordering: .acquiring)).map(
            RowNode.init(address:))
    }

    /// Whoever follows the link sees the version that it leads to as it was written.
    @inline(__always) func setNext(_ node: RowNode?, at level: Int) {
        links[level].store(node.map { UInt(bitPattern: $0.address) } ?? 0, ordering: .releasing)
    }
}

/// Memory that is given out in pieces and taken back all at once.
final class Arena {
    private var chunks: [UnsafeMutableRawPointer] = []
    private var free = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    private var chunkBytes = 4 << 10

    private static let largestChunk = 1 << 20

    deinit { for chunk in chunks { chunk.deallocate() } }

    /// `count` bytes at an address that 8 divides.
    func allocate(_ count: Int) -> UnsafeMutableRawPointer {
        let rounded = (count + 7) & ~7
        if rounded > free.count {
            if rounded > chunkBytes / 4, !chunks.isEmpty || rounded > chunkBytes {
                return allocateChunk(rounded)
            }
            free = UnsafeMutableRawBufferPointer(start: allocateChunk(chunkBytes), count: chunkBytes)
            chunkBytes = min(chunkBytes * 2, Arena.largestChunk)
        }
        let piece = free.baseAddress!
        free = UnsafeMutableRawBufferPointer(rebasing: free[rounded...])
        return piece
    }

    private func allocateChunk(_ count: Int) -> UnsafeMutableRawPointer {
        let chunk = UnsafeMutableRawPointer.allocate(byteCount: count, alignment: 16)
        chunks.append(chunk)
        return chunk
    }
}
