/// An ordered map of byte strings as a copy-on-write B+ tree: copying the value keeps the old state for as
/// long as the copy lives, and a write copies only the path that it changes.
///
/// Nodes are split when full and dropped when empty; sparse neighbours are not merged.
struct OrderedTree: Sendable {
    private(set) var root = TreeNode()
    /// Of all keys and values.
    private(set) var bytes = 0
    private(set) var count = 0

    func value(of key: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        var node = root
        while !node.isLeaf { node = node.children[node.child(for: key)] }
        let position = node.lowerBound(key)
        guard position < node.keys.count, compareBytes(node.bytes(ofKey: position), key) == 0 else {
            return nil
        }
        return node.bytes(ofValue: position)
    }

    mutating func put(_ value: UnsafeRawBufferPointer, for key: UnsafeRawBufferPointer) {
        let insertion = TreeNode.insert([UInt8](value), for: key, into: &root)
        if let replaced = insertion.replaced {
            bytes += value.count - replaced
        } else {
            bytes += key.count + value.count
            count += 1
        }
        if let sibling = insertion.sibling {
            root = TreeNode(keys: [root.keys[0], sibling.keys[0]], children: [root, sibling])
        }
    }

    mutating func remove(_ key: UnsafeRawBufferPointer) -> Bool {
        guard let removed = TreeNode.remove(key, from: &root) else { return false }
        bytes -= key.count + removed
        count -= 1
        while !root.isLeaf, root.children.count <= 1 { root = root.children.first ?? TreeNode() }
        return true
    }
}

/// Nodes that can be reached from two trees never change, which makes them safe to share between threads.
final class TreeNode: @unchecked Sendable {
    static let capacity = 32

    /// In a leaf the keys of its values; otherwise a lower bound for each child.
    fileprivate(set) var keys: [[UInt8]]
    fileprivate(set) var values: [[UInt8]]
    fileprivate(set) var children: [TreeNode]

    init(keys: [[UInt8]] = [], values: [[UInt8]] = [], children: [TreeNode] = []) {
        self.keys = keys
        self.values = values
        self.children = children
    }

    var isLeaf: Bool { children.isEmpty }

    // The bytes of an array stay where they are while the array is referenced and not changed: a node that a
    // cursor or a view holds is never changed.
    func bytes(ofKey position: Int) -> UnsafeRawBufferPointer { keys[position].withUnsafeBytes { $0 } }
    func bytes(ofValue position: Int) -> UnsafeRawBufferPointer { values[position].withUnsafeBytes { $0 } }

    /// The position of the first key that is not before `key`.
    func lowerBound(_ key: UnsafeRawBufferPointer) -> Int {
        var low = 0
        var high = keys.count
        while low < high {
            let middle = (low + high) / 2
            if compareBytes(bytes(ofKey: middle), key) < 0 { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// The child in whose reach `key` is.
    func child(for key: UnsafeRawBufferPointer) -> Int {
        let position = lowerBound(key)
        if position < keys.count, compareBytes(bytes(ofKey: position), key) == 0 { return position }
        return max(position - 1, 0)
    }

    struct Insertion {
        /// The length of the value that was there before.
        var replaced: Int?
        /// The new right half of a node that was full.
        var sibling: TreeNode?
    }

    fileprivate static func insert(
        _ value: [UInt8], for key: UnsafeRawBufferPointer, into node: inout TreeNode
    ) -> Insertion {
        own(&node)
        guard !node.isLeaf else { return node.insertHere(value, for: key) }
        let child = node.child(for: key)
        // The bound of the first child follows the least key, or a half of that child could come before it.
        if compareBytes(key, node.bytes(ofKey: child)) < 0 { node.keys[child] = [UInt8](key) }
        var insertion = insert(value, for: key, into: &node.children[child])
        if let sibling = insertion.sibling {
            node.keys.insert(sibling.keys[0], at: child + 1)
            node.children.insert(sibling, at: child + 1)
            insertion.sibling = node.splitIfFull(appended: child + 2 == node.keys.count)
        }
        return insertion
    }

    private func insertHere(_ value: [UInt8], for key: UnsafeRawBufferPointer) -> Insertion {
        let position = lowerBound(key)
        if position < keys.count, compareBytes(bytes(ofKey: position), key) == 0 {
            let replaced = values[position].count
            values[position] = value
            return Insertion(replaced: replaced)
        }
        keys.insert([UInt8](key), at: position)
        values.insert(value, at: position)
        return Insertion(sibling: splitIfFull(appended: position + 1 == keys.count))
    }

    /// Ascending insertion leaves full nodes behind; any other leaves two halves.
    private func splitIfFull(appended: Bool) -> TreeNode? {
        guard keys.count > Self.capacity else { return nil }
        let cut = appended ? keys.count - 1 : keys.count / 2
        let sibling = TreeNode(keys: Array(keys[cut...]))
        keys.removeSubrange(cut...)
        if isLeaf {
            sibling.values = Array(values[cut...])
            values.removeSubrange(cut...)
        } else {
            sibling.children = Array(children[cut...])
            children.removeSubrange(cut...)
        }
        return sibling
    }

    /// The length of the removed value; nil when there was none.
    fileprivate static func remove(_ key: UnsafeRawBufferPointer, from node: inout TreeNode) -> Int? {
        if node.isLeaf {
            let position = node.lowerBound(key)
            guard position < node.keys.count, compareBytes(node.bytes(ofKey: position), key) == 0 else {
                return nil
            }
            own(&node)
            node.keys.remove(at: position)
            return node.values.remove(at: position).count
        }
        own(&node)
        let child = node.child(for: key)
        let removed = remove(key, from: &node.children[child])
        if node.children[child].keys.isEmpty {
            node.children.remove(at: child)
            node.keys.remove(at: child)
        }
        return removed
    }

    private static func own(_ node: inout TreeNode) {
        if !isKnownUniquelyReferenced(&node) {
            node = TreeNode(keys: node.keys, values: node.values, children: node.children)
        }
    }
}
