import Coordination
import Synchronization

/// What transactions have written since the layer was begun, in memory. The one in use takes what is written; a sealed
/// one is on its way to the data file and does not change.
final class MemoryLayer: @unchecked Sendable {
    private let arena = Arena()
    private let lists: [SkipList]

    // The writer's, while the layer is in use.
    /// Versions that were written, and the bytes of their keys and values.
    private(set) var versions = 0
    private(set) var contentBytes = 0
    private let publishedSize = Atomic<Int>(0)

    init() {
        lists = StoreTable.allCases.map { [arena] _ in SkipList(arena) }
    }

    /// About what it takes in memory, without what has room for more; any thread.
    var size: Int { publishedSize.load(ordering: .relaxed) }

    func publishSize() {
        publishedSize.store(contentBytes + versions * RowNode.overhead, ordering: .relaxed)
    }

    var isEmpty: Bool { versions == 0 }

    @inline(__always)
    func list(of table: StoreTable) -> SkipList { lists[Int(table.rawValue)] }

    /// As `SkipList.insert`.
    func insert(
        _ value: UnsafeRawBufferPointer?, for key: UnsafeRawBufferPointer, in table: StoreTable,
        by transaction: UInt64, isLikelyLast: Bool = false
    ) -> RowNode? {
        let node = list(of: table).insert(value, for: key, by: transaction, isLikelyLast: isLikelyLast)
        if node != nil {
            versions += 1
            contentBytes += key.count + (value?.count ?? 0)
        }
        return node
    }

    func remove(_ node: RowNode, in table: StoreTable) {
        list(of: table).remove(node)
        versions -= 1
        contentBytes -= node.key.count + node.value.count
    }
}
