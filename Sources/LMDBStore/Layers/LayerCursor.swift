import Coordination

/// Walks the rows of one table in one layer as one transaction left them, removed ones included.
struct LayerCursor {
    /// The view holds the layer.
    private let list: Unmanaged<SkipList>
    private let transaction: UInt64
    private(set) var node: RowNode?

    private static let stepsBeforeSeek = 8

    init(_ list: SkipList, at transaction: UInt64) {
        self.list = .passUnretained(list)
        self.transaction = transaction
    }

    @inline(__always) private var rows: SkipList { list._withUnsafeGuaranteedRef { $0 } }

    mutating func seek(atOrAfter key: UnsafeRawBufferPointer) {
        node = firstSeen(from: rows.firstNotBefore(key, at: transaction))
    }

    mutating func seekToFirst() { node = firstSeen(from: rows.first) }

    mutating func seek(before key: UnsafeRawBufferPointer) { node = lastSeen(from: rows.last(before: key)) }

    mutating func seekToLast() { node = lastSeen(from: rows.last) }

    mutating func next() {
        guard let present = node else { return }
        var steps = 0
        var candidate = present.next(at: 0)
        while let version = candidate, compareBytes(version.key, present.key) == 0 {
            steps += 1
            guard steps < Self.stepsBeforeSeek else {
                candidate = rows.firstNotBefore(present.key, at: 0)
                break
            }
            candidate = version.next(at: 0)
        }
        node = firstSeen(from: candidate)
    }

    mutating func previous() {
        guard let present = node else { return }
        seek(before: present.key)
    }

    /// The first version from here that the transaction sees, which is the newest of its row.
    private func firstSeen(from start: RowNode?) -> RowNode? {
        var candidate = start
        while let version = candidate, version.transaction > transaction { candidate = version.next(at: 0) }
        return candidate
    }

    /// Of the row that `start` is of, or the nearest before it, the newest version that the transaction sees.
    private func lastSeen(from start: RowNode?) -> RowNode? {
        var candidate = start
        while let version = candidate {
            if let seen = rows.firstNotBefore(version.key, at: transaction),
                compareBytes(seen.key, version.key) == 0
            {
                return seen
            }
            candidate = rows.last(before: version.key)
        }
        return nil
    }
}

/// Walks the rows of one table in all layers: of each the version of the newest layer, removed ones included.
struct LayersCursor {
    /// Newest first.
    private var cursors: [LayerCursor] = []
    private(set) var node: RowNode?
    private var isForward = true

    var isEmpty: Bool { cursors.isEmpty }

    /// Walks other layers, newest first, from now on; it stands nowhere.
    mutating func enter(_ layers: [MemoryLayer], _ table: StoreTable, at transaction: UInt64) {
        cursors.removeAll(keepingCapacity: true)
        node = nil
        for layer in layers {
            let list = layer.list(of: table)
            if !list.isEmpty { cursors.append(LayerCursor(list, at: transaction)) }
        }
    }

    mutating func seek(atOrAfter key: UnsafeRawBufferPointer) {
        for index in cursors.indices { cursors[index].seek(atOrAfter: key) }
        settle(forward: true)
    }

    mutating func seek(before key: UnsafeRawBufferPointer) {
        for index in cursors.indices { cursors[index].seek(before: key) }
        settle(forward: false)
    }

    mutating func seekToFirst() {
        for index in cursors.indices { cursors[index].seekToFirst() }
        settle(forward: true)
    }

    mutating func seekToLast() {
        for index in cursors.indices { cursors[index].seekToLast() }
        settle(forward: false)
    }

    mutating func next() {
        guard let present = node else { return }
        for index in cursors.indices {
            if !isForward { cursors[index].seek(atOrAfter: present.key) }
            if let other = cursors[index].node, compareBytes(other.key, present.key) == 0 {
                cursors[index].next()
            }
        }
        settle(forward: true)
    }

    mutating func previous() {
        guard let present = node else { return }
        for index in cursors.indices {
            if isForward {
                cursors[index].seek(before: present.key)
            } else if let other = cursors[index].node, compareBytes(other.key, present.key) == 0 {
                cursors[index].previous()
            }
        }
        settle(forward: false)
    }

    /// Stands on the nearest row; of a row in several layers on the newest.
    private mutating func settle(forward: Bool) {
        isForward = forward
        node = nil
        for cursor in cursors {
            guard let candidate = cursor.node else { continue }
            guard let nearest = node else {
                node = candidate
                continue
            }
            let order = compareBytes(candidate.key, nearest.key)
            if forward ? order < 0 : order > 0 { node = candidate }
        }
    }
}
