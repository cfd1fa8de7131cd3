import Coordination

/// A snapshot of the store as the file that etcd would have made of it, produced piece by piece from one view:
/// `etcdctl snapshot status` and `snapshot restore` take it, and an etcd can be started from it.
///
/// The view is walked twice: once for the plan of the pages, whose end must be known first, and once for the
/// bytes. What follows on the wire is the SHA-256 of all that.
///
/// Used by one thread at a time.
final class SnapshotSource: @unchecked Sendable {
    private let view: any OrderedView
    private let buckets: [SnapshotBucket]
    private var trees: [BoltTree] = []
    private let rootPage: UInt64
    /// Of the whole stream.
    let totalBytes: Int

    private enum Stage {
        case front
        case leaf(bucket: Int, leaf: Int)
        case root
        case ended
    }
    private var stage = Stage.front
    private var walk: (any SnapshotWalk)?
    private let hash = StreamDigest()

    init(view: any OrderedView) throws {
        self.view = view
        buckets = try SnapshotBucket.all(of: view)
        var page: UInt64 = 3
        for bucket in buckets {
            var tree = BoltTree()
            let walk = try bucket.walk()
            while let entry = try walk.next() { tree.add(key: entry.key, valueBytes: entry.value.count) }
            page = tree.place(at: page)
            trees.append(tree)
        }
        rootPage = page
        let root = BoltPage.leaf(id: page, Self.rootElements(buckets, trees))
        totalBytes = Int(page) * BoltPage.size + root.count
    }

    /// The next bytes of the stream, at least `count` but for the last ones; empty at the end.
    func next(_ count: Int) throws -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count + 4 * BoltPage.size)
        while bytes.count < count, try appendPages(to: &bytes) {}
        hash.update(bytes)
        return bytes
    }

    /// The SHA-256 of the whole stream, once it has been produced.
    func digest() -> [UInt8] { hash.finalize() }

    func close() { view.close() }

    /// False when there is nothing more.
    private func appendPages(to bytes: inout [UInt8]) throws -> Bool {
        switch stage {
        case .front:
            bytes += BoltPage.front(root: rootPage, end: UInt64(totalBytes / BoltPage.size))
            stage = .leaf(bucket: 0, leaf: 0)
        case .leaf(let bucket, let leaf):
            let planned = trees[bucket].leaves[leaf]
            let walk = try walk ?? buckets[bucket].walk()
            self.walk = walk
            var elements: [BoltPage.Element] = []
            while elements.count < planned.entries, let entry = try walk.next() { elements.append(entry) }
            bytes += BoltPage.leaf(id: planned.page, elements)
            if leaf + 1 < trees[bucket].leaves.count {
                stage = .leaf(bucket: bucket, leaf: leaf + 1)
                break
            }
            self.walk = nil
            for branch in trees[bucket].branches { bytes += branch }
            stage = bucket + 1 < buckets.count ? .leaf(bucket: bucket + 1, leaf: 0) : .root
        case .root:
            bytes += BoltPage.leaf(id: rootPage, Self.rootElements(buckets, trees))
            stage = .ended
        case .ended: return false
        }
        return true
    }

    private static func rootElements(_ buckets: [SnapshotBucket], _ trees: [BoltTree]) -> [BoltPage.Element] {
        zip(buckets, trees).map {
            BoltPage.Element(key: Array($0.name.utf8), value: BoltPage.bucket(root: $1.root), isBucket: true)
        }
    }
}
