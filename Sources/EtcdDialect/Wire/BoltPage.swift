/// Pages of the file format of bbolt, in which etcd keeps its store and hands out snapshots: bbolt's `page.go`,
/// `meta.go` and `bucket.go`, format version 2. Integers are little-endian.
///
/// A page is {id 8, flags 2, count 2, overflow 4}, then its elements of 16 bytes each, then the keys and values
/// of the elements one after another. A page that needs more room goes on in the `overflow` pages after it.
enum BoltPage {
    static let size = 4096
    static let headerBytes = 16
    static let elementBytes = 16

    enum Kind: UInt16 {
        case branch = 0x01
        case leaf = 0x02
        case meta = 0x04
        case freelist = 0x10
    }

    struct Element {
        var key: [UInt8]
        var value: [UInt8]
        /// The value is the root of another tree.
        var isBucket = false
    }

    /// How many pages hold so many elements with so many bytes of keys and values.
    static func count(elements: Int, bytes: Int) -> Int {
        (headerBytes + elements * elementBytes + bytes + size - 1) / size
    }

    /// The first pages of a file: two that name the root, and the list of free pages, of which there are none.
    static func front(root: UInt64, end: UInt64) -> [UInt8] {
        var bytes: [UInt8] = []
        for id in 0..<2 as Range<UInt64> {
            appendHeader(id: id, .meta, count: 0, pages: 1, to: &bytes)
            var meta: [UInt8] = []
            append(0xED0C_DAED as UInt32, to: &meta)
            append(2 as UInt32, to: &meta)
            append(UInt32(size), to: &meta)
            append(0 as UInt32, to: &meta)
            append(root, to: &meta)
            append(0 as UInt64, to: &meta)
            append(2 as UInt64, to: &meta)
            append(end, to: &meta)
            // The one with the higher number of a transaction counts.
            append(id, to: &meta)
            append(fnv1a(meta), to: &meta)
            bytes += meta
            pad(&bytes)
        }
        appendHeader(id: 2, .freelist, count: 0, pages: 1, to: &bytes)
        pad(&bytes)
        return bytes
    }

    static func leaf(id: UInt64, _ elements: [Element]) -> [UInt8] {
        let dataBytes = elements.reduce(0) { $0 + $1.key.count + $1.value.count }
        var bytes: [UInt8] = []
        let pages = count(elements: elements.count, bytes: dataBytes)
        bytes.reserveCapacity(pages * size)
        appendHeader(id: id, .leaf, count: elements.count, pages: pages, to: &bytes)
        var position = elements.count * elementBytes
        for element in elements {
            append(element.isBucket ? 1 : 0 as UInt32, to: &bytes)
            append(UInt32(position), to: &bytes)
            append(UInt32(element.key.count), to: &bytes)
            append(UInt32(element.value.count), to: &bytes)
            position += element.key.count + element.value.count - elementBytes
        }
        for element in elements { bytes += element.key + element.value }
        pad(&bytes)
        return bytes
    }

    static func branch(id: UInt64, _ children: [(key: [UInt8], page: UInt64)]) -> [UInt8] {
        var bytes: [UInt8] = []
        let pages = count(elements: children.count, bytes: children.reduce(0) { $0 + $1.key.count })
        appendHeader(id: id, .branch, count: children.count, pages: pages, to: &bytes)
        var position = children.count * elementBytes
        for child in children {
            append(UInt32(position), to: &bytes)
            append(UInt32(child.key.count), to: &bytes)
            append(child.page, to: &bytes)
            position += child.key.count - elementBytes
        }
        for child in children { bytes += child.key }
        pad(&bytes)
        return bytes
    }

    /// What stands in the root for a bucket.
    static func bucket(root: UInt64) -> [UInt8] {
        var bytes: [UInt8] = []
        append(root, to: &bytes)
        append(0 as UInt64, to: &bytes)
        return bytes
    }

    private static func appendHeader(
        id: UInt64, _ kind: Kind, count: Int, pages: Int, to bytes: inout [UInt8]
    ) {
        append(id, to: &bytes)
        append(kind.rawValue, to: &bytes)
        append(UInt16(count), to: &bytes)
        append(UInt32(pages - 1), to: &bytes)
    }

    private static func append(_ value: some FixedWidthInteger, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    private static func pad(_ bytes: inout [UInt8]) {
        let rest = bytes.count % size
        if rest > 0 { bytes.append(contentsOf: repeatElement(0, count: size - rest)) }
    }

    private static func fnv1a(_ bytes: [UInt8]) -> UInt64 {
        bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }
}
