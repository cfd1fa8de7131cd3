/// The plan of one bucket: how its entries, which come in ascending order of key, share leaves, and which branches
/// lead to them. Made from the sizes alone, so that the tree can be written front to back without being held.
struct BoltTree {
    struct Leaf {
        var firstKey: [UInt8]
        var entries = 0
        var bytes = 0
        var page: UInt64 = 0
    }

    /// A leaf takes entries up to about this size; one that is larger has a leaf of its own. Larger leaves than a
    /// page's make less of a plan, and bbolt takes them.
    private static let leafBytes = 4 * BoltPage.size
    private static let leafEntries = 4096

    private(set) var leaves: [Leaf] = []
    private(set) var branches: [[UInt8]] = []
    private(set) var root: UInt64 = 0

    mutating func add(key: [UInt8], valueBytes: Int) {
        let bytes = key.count + valueBytes + BoltPage.elementBytes
        if let last = leaves.last, last.bytes + bytes <= Self.leafBytes, last.entries < Self.leafEntries {
            leaves[leaves.count - 1].entries += 1
            leaves[leaves.count - 1].bytes += bytes
        } else {
            leaves.append(Leaf(firstKey: key, entries: 1, bytes: bytes))
        }
    }

    /// Gives all pages their numbers, beginning with `page`; returns the first number that is free.
    mutating func place(at page: UInt64) -> UInt64 {
        var next = page
        // A bucket without entries has one leaf without any.
        if leaves.isEmpty { leaves.append(Leaf(firstKey: [])) }
        for index in leaves.indices {
            leaves[index].page = next
            next += UInt64(BoltPage.count(elements: 0, bytes: leaves[index].bytes))
        }
        var level = leaves.map { (key: $0.firstKey, page: $0.page) }
        while level.count > 1 {
            var above: [(key: [UInt8], page: UInt64)] = []
            var start = 0
            while start < level.count {
                var end = start
                var bytes = 0
                while end < level.count,
                    end < start + 2
                        || bytes + level[end].key.count + BoltPage.elementBytes
                            <= BoltPage.size - BoltPage.headerBytes
                {
                    bytes += level[end].key.count + BoltPage.elementBytes
                    end += 1
                }
                let children = Array(level[start..<end])
                let branch = BoltPage.branch(id: next, children)
                above.append((children[0].key, next))
                branches.append(branch)
                next += UInt64(branch.count / BoltPage.size)
                start = end
            }
            level = above
        }
        root = level[0].page
        return next
    }
}
