/// Which watchers a key of a family concerns.
///
/// A treap over the distinct ranges, by family, first key and then end, each node of which knows the furthest end
/// below it: an interval tree that stays balanced in expectation. A look-up takes time logarithmic in the
/// number of ranges for each that it finds. The nodes live in one array, so that the value is copyable and
/// free of references.
public struct WatcherIndex: Sendable {
    /// The host's number of a watcher; any number, unique in the index.
    public typealias Handle = UInt64

    private struct Node: Sendable {
        var range: Interval
        /// Ascending.
        var watchers: [Handle]
        /// Never below that of a child.
        var priority: UInt64
        var left = WatcherIndex.none
        var right = WatcherIndex.none
        /// Of this node and all below it.
        var furthestEnd: IntervalEnd

        func place(of watcher: Handle) -> Int {
            var low = 0
            var high = watchers.count
            while low < high {
                let middle = (low + high) / 2
                if watchers[middle] < watcher { low = middle + 1 } else { high = middle }
            }
            return low
        }
    }

    private static let none = -1

    private var nodes: [Node] = []
    private var free: [Int] = []
    private var root = none
    private var added: UInt64 = 0

    public private(set) var count = 0

    public init() {}

    public mutating func add(_ watcher: Handle, range: KeyRange, of space: SpaceID = .keyValue) {
        root = insert(watcher, range: Interval(range, of: space), below: root)
    }

    /// Whether the watcher was there.
    @discardableResult
    public mutating func remove(_ watcher: Handle, range: KeyRange, of space: SpaceID = .keyValue) -> Bool {
        let before = count
        root = remove(watcher, range: Interval(range, of: space), below: root)
        return count < before
    }

    /// Appends the watchers whose range holds `key`, each once, in the order of their ranges and then of
    /// their handles.
    public func match(_ key: [UInt8], of space: SpaceID = .keyValue, into watchers: inout [Handle]) {
        key.withUnsafeBytes { match($0, of: space, into: &watchers) }
    }

    public func match(
        _ key: UnsafeRawBufferPointer, of space: SpaceID = .keyValue, into watchers: inout [Handle]
    ) {
        match(key, space, below: root, into: &watchers)
    }

    private func match(
        _ key: UnsafeRawBufferPointer, _ space: SpaceID, below node: Int, into watchers: inout [Handle]
    ) {
        guard node != Self.none, nodes[node].furthestEnd.isAfter(key, of: space) else { return }
        match(key, space, below: nodes[node].left, into: &watchers)
        guard nodes[node].range.starts(atOrBefore: key, of: space) else { return }
        if nodes[node].range.end.isAfter(key, of: space) {
            watchers.append(contentsOf: nodes[node].watchers)
        }
        match(key, space, below: nodes[node].right, into: &watchers)
    }

    private mutating func insert(_ watcher: Handle, range: Interval, below node: Int) -> Int {
        guard node != Self.none else { return newNode(watcher, range: range) }
        let order = range.compare(to: nodes[node].range)
        if order == 0 {
            let place = nodes[node].place(of: watcher)
            if place < nodes[node].watchers.count, nodes[node].watchers[place] == watcher { return node }
            nodes[node].watchers.insert(watcher, at: place)
            count += 1
            return node
        }
        var top = node
        if order < 0 {
            let child = insert(watcher, range: range, below: nodes[node].left)
            nodes[node].left = child
            if nodes[child].priority > nodes[node].priority {
                nodes[node].left = nodes[child].right
                nodes[child].right = node
                top = child
            }
        } else {
            let child = insert(watcher, range: range, below: nodes[node].right)
            nodes[node].right = child
            if nodes[child].priority > nodes[node].priority {
                nodes[node].right = nodes[child].left
                nodes[child].left = node
                top = child
            }
        }
        updateEnd(node)
        if top != node { updateEnd(top) }
        return top
    }

    private mutating func newNode(_ watcher: Handle, range: Interval) -> Int {
        count += 1
        added += 1
        let node = Node(
            range: range, watchers: [watcher], priority: Self.scattered(added), furthestEnd: range.end)
        guard let place = free.popLast() else {
            nodes.append(node)
            return nodes.count - 1
        }
        nodes[place] = node
        return place
    }

    private mutating func remove(_ watcher: Handle, range: Interval, below node: Int) -> Int {
        guard node != Self.none else { return node }
        let order = range.compare(to: nodes[node].range)
        if order < 0 {
            nodes[node].left = remove(watcher, range: range, below: nodes[node].left)
        } else if order > 0 {
            nodes[node].right = remove(watcher, range: range, below: nodes[node].right)
        } else {
            let place = nodes[node].place(of: watcher)
            guard place < nodes[node].watchers.count, nodes[node].watchers[place] == watcher else {
                return node
            }
            count -= 1
            nodes[node].watchers.remove(at: place)
            if nodes[node].watchers.isEmpty {
                let rest = merge(nodes[node].left, nodes[node].right)
                nodes[node] = Node(range: .empty, watchers: [], priority: 0, furthestEnd: Interval.empty.end)
                free.append(node)
                return rest
            }
            return node
        }
        updateEnd(node)
        return node
    }

    /// One tree of two, of which all of the first come before the second.
    private mutating func merge(_ first: Int, _ second: Int) -> Int {
        if first == Self.none { return second }
        if second == Self.none { return first }
        if nodes[first].priority >= nodes[second].priority {
            nodes[first].right = merge(nodes[first].right, second)
            updateEnd(first)
            return first
        }
        nodes[second].left = merge(first, nodes[second].left)
        updateEnd(second)
        return second
    }

    private mutating func updateEnd(_ node: Int) {
        var furthest = nodes[node].range.end
        for child in [nodes[node].left, nodes[node].right] where child != Self.none {
            if furthest.compare(to: nodes[child].furthestEnd) < 0 { furthest = nodes[child].furthestEnd }
        }
        nodes[node].furthestEnd = furthest
    }

    /// Numbers in sequence scattered over the whole range, as priorities must be (the finaliser of SplitMix64).
    private static func scattered(_ number: UInt64) -> UInt64 {
        var z = number &* 0x9E37_79B9_7F4A_7C15
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

/// The end of an interval, not part of it; what is of another family comes before or after all of this one.
private struct IntervalEnd: Sendable {
    var space: UInt8
    /// Nil: after all keys.
    var key: [UInt8]?

    func isAfter(_ other: UnsafeRawBufferPointer, of family: SpaceID) -> Bool {
        guard space == family.rawValue else { return space > family.rawValue }
        return key?.withUnsafeBytes { compareBytes(other, $0) < 0 } ?? true
    }

    func compare(to other: IntervalEnd) -> Int {
        guard space == other.space else { return space < other.space ? -1 : 1 }
        return switch (key, other.key) {
        case (let a?, let b?): compareBytes(a, b)
        case (_?, nil): -1
        case (nil, _?): 1
        case (nil, nil): 0
        }
    }
}

private struct Interval: Sendable {
    var start: [UInt8]
    /// Has the family of both.
    var end: IntervalEnd

    static let empty = Interval(KeyRange(key: [], end: [0]), of: .keyValue)

    init(_ range: KeyRange, of space: SpaceID) {
        start = range.key
        let end: [UInt8]? =
            switch range.end {
            case nil: range.key + [0]
            case let key?: key.isEmpty ? nil : key
            }
        self.end = IntervalEnd(space: space.rawValue, key: end)
    }

    /// Whether it starts at the key or before it.
    func starts(atOrBefore key: UnsafeRawBufferPointer, of space: SpaceID) -> Bool {
        guard end.space == space.rawValue else { return end.space < space.rawValue }
        return start.withUnsafeBytes { compareBytes($0, key) } <= 0
    }

    func compare(to other: Interval) -> Int {
        guard end.space == other.end.space else { return end.space < other.end.space ? -1 : 1 }
        let order = compareBytes(start, other.start)
        return order != 0 ? order : end.compare(to: other.end)
    }
}
