import Coordination

/// The rows of one table that are not in the data file yet: a skip list (Pugh, 1990) of their versions, by key and of
/// each key the newest first. One thread writes while any number read without waiting: they follow links that are set
/// last, and pass over what transactions wrote that they do not see. Nothing is freed before the whole layer is.
final class SkipList: @unchecked Sendable {
    private let arena: Arena
    private let head: RowNode

    // The writer's.
    /// The last version at each level, behind which an ascending key goes without a search.
    private var tails: [RowNode]
    private var before: [RowNode]
    private var random: UInt64 = 0x9E37_79B9_7F4A_7C15

    init(_ arena: Arena) {
        self.arena = arena
        let empty = UnsafeRawBufferPointer(start: nil, count: 0)
        head = RowNode(
            at: arena.allocate(RowNode.byteCount(height: RowNode.highest, key: 0, value: 0)),
            height: RowNode.highest, key: empty, value: empty, transaction: 0)
        tails = Array(repeating: head, count: RowNode.highest)
        before = tails
    }

    var isEmpty: Bool { first == nil }
    var first: RowNode? { head.next(at: 0) }

    // MARK: reading

    /// The first version whose key is not before `key` and that, where it is the same key, was not written after
    /// `transaction`.
    func firstNotBefore(_ key: UnsafeRawBufferPointer, at transaction: UInt64) -> RowNode? {
        var node = head
        var passed: RowNode?
        for level in (0..<RowNode.highest).reversed() {
            // What stood in the way a level above need not be compared again.
            while let next = node.next(at: level), next != passed {
                guard isBefore(next, key, transaction) else {
                    passed = next
                    break
                }
                node = next
            }
        }
        return node.next(at: 0)
    }

    /// The last version whose key is before `key`, which is the oldest of its row.
    func last(before key: UnsafeRawBufferPointer) -> RowNode? {
        lastNode { compareBytes($0.key, key) < 0 }
    }

    var last: RowNode? { lastNode { _ in true } }

    @inline(__always)
    private func lastNode(where isBefore: (RowNode) -> Bool) -> RowNode? {
        var node = head
        for level in (0..<RowNode.highest).reversed() {
            while let next = node.next(at: level), isBefore(next) { node = next }
        }
        return node == head ? nil : node
    }

    @inline(__always)
    private func isBefore(_ node: RowNode, _ key: UnsafeRawBufferPointer, _ transaction: UInt64) -> Bool {
        let order = compareBytes(node.key, key)
        return order < 0 || order == 0 && node.transaction > transaction
    }

    // MARK: writing

    /// Adds a version; nil as value removes the row. Nil is returned where a version of the same transaction took the
    /// new value.
    func insert(
        _ value: UnsafeRawBufferPointer?, for key: UnsafeRawBufferPointer, by transaction: UInt64,
        isLikelyLast: Bool
    ) -> RowNode? {
        if isLikelyLast, tails[0] == head || compareBytes(tails[0].key, key) < 0 {
            for level in 0..<RowNode.highest { before[level] = tails[level] }
        } else {
            findBefore(key, transaction)
            if let value, let present = before[0].next(at: 0), present.transaction == transaction,
                compareBytes(present.key, key) == 0, present.overwrite(value)
            {
                return nil
            }
        }
        let height = drawHeight()
        let bytes = RowNode.byteCount(height: height, key: key.count, value: value?.count ?? 0)
        let node = RowNode(
            at: arena.allocate(bytes), height: height, key: key, value: value, transaction: transaction)
        for level in 0..<height {
            let next = before[level].next(at: level)
            node.setNext(next, at: level)
            if next == nil { tails[level] = node }
        }
        for level in 0..<height { before[level].setNext(node, at: level) }
        return node
    }

    /// Takes back what `insert` returned last and has not taken back yet. Who stands on its way there goes on from it.
    func remove(_ node: RowNode) {
        findBefore(node.key, node.transaction)
        for level in 0..<node.height where before[level].next(at: level) == node {
            let next = node.next(at: level)
            before[level].setNext(next, at: level)
            if next == nil { tails[level] = before[level] }
        }
    }

    private func findBefore(_ key: UnsafeRawBufferPointer, _ transaction: UInt64) {
        var node = head
        var passed: RowNode?
        for level in (0..<RowNode.highest).reversed() {
            while let next = node.next(at: level), next != passed {
                guard isBefore(next, key, transaction) else {
                    passed = next
                    break
                }
                node = next
            }
            before[level] = node
        }
    }

    /// Each height a quarter as often as the one below.
    private func drawHeight() -> Int {
        random ^= random << 13
        random ^= random >> 7
        random ^= random << 17
        return min(1 + random.trailingZeroBitCount / 2, RowNode.highest)
    }
}
