/// Walks the tree of one table as it was when the cursor last sought.
final class TreeCursor: OrderedCursor {
    /// The view outlives its cursors, and keeps the shared ones.
    private unowned let reader: MemoryReader
    private let table: StoreTable
    private var path: [(node: TreeNode, child: Int)] = []
    private var leaf: TreeNode?
    private var position = 0

    init(reader: MemoryReader, table: StoreTable) {
        self.reader = reader
        self.table = table
    }

    var key: UnsafeRawBufferPointer {
        guard let leaf else { preconditionFailure("the cursor stands nowhere") }
        return leaf.bytes(ofKey: position)
    }

    var value: UnsafeRawBufferPointer {
        guard let leaf else { preconditionFailure("the cursor stands nowhere") }
        return leaf.bytes(ofValue: position)
    }

    /// Stands nowhere and holds no node, so that the writer need not copy what only the cursor shares.
    func release() {
        path.removeAll(keepingCapacity: true)
        leaf = nil
    }

    func seek(atOrAfter key: UnsafeRawBufferPointer) throws -> Bool {
        let leaf = descend { $0.child(for: key) }
        position = leaf.lowerBound(key)
        return position < leaf.keys.count ? true : try toNextLeaf()
    }

    func seek(before key: UnsafeRawBufferPointer) throws -> Bool {
        let leaf = descend { $0.child(for: key) }
        position = leaf.lowerBound(key) - 1
        return position >= 0 ? true : try toPreviousLeaf()
    }

    func seekToFirst() throws -> Bool {
        let leaf = descend { _ in 0 }
        position = 0
        return leaf.keys.isEmpty ? end() : true
    }

    func seekToLast() throws -> Bool {
        let leaf = descend { $0.children.count - 1 }
        position = leaf.keys.count - 1
        return leaf.keys.isEmpty ? end() : true
    }

    func next() throws -> Bool {
        guard let leaf else { preconditionFailure("the cursor stands nowhere") }
        position += 1
        return position < leaf.keys.count ? true : try toNextLeaf()
    }

    func previous() throws -> Bool {
        guard leaf != nil else { preconditionFailure("the cursor stands nowhere") }
        position -= 1
        return position >= 0 ? true : try toPreviousLeaf()
    }

    @discardableResult
    private func descend(choosing child: (TreeNode) -> Int) -> TreeNode {
        path.removeAll(keepingCapacity: true)
        return descend(from: reader.trees[Int(table.rawValue)].root, choosing: child)
    }

    @discardableResult
    private func descend(from start: TreeNode, choosing child: (TreeNode) -> Int) -> TreeNode {
        var node = start
        while !node.isLeaf {
            let chosen = child(node)
            path.append((node, chosen))
            node = node.children[chosen]
        }
        leaf = node
        return node
    }

    private func toNextLeaf() throws -> Bool {
        while let (node, child) = path.popLast() {
            guard child + 1 < node.children.count else { continue }
            path.append((node, child + 1))
            descend(from: node.children[child + 1]) { _ in 0 }
            position = 0
            return true
        }
        return end()
    }

    private func toPreviousLeaf() throws -> Bool {
        while let (node, child) = path.popLast() {
            guard child > 0 else { continue }
            path.append((node, child - 1))
            let leaf = descend(from: node.children[child - 1]) { $0.children.count - 1 }
            position = leaf.keys.count - 1
            return true
        }
        return end()
    }

    private func end() -> Bool {
        release()
        return false
    }
}
