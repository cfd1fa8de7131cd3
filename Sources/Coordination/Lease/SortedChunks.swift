/// A map sorted by key, as an array of short sorted arrays: what changes it moves only a few hundred entries,
/// however many there are.
package struct SortedChunks<Key: Comparable & Sendable, Value: Sendable>: Sendable {
    private static var capacity: Int { 256 }

    private struct Chunk: Sendable {
        var keys: [Key]
        var values: [Value]
    }

    /// None is empty.
    private var chunks: [Chunk] = []
    package private(set) var count = 0

    package init() {}

    package var first: (key: Key, value: Value)? { chunks.first.map { ($0.keys[0], $0.values[0]) } }

    package subscript(key: Key) -> Value? {
        get {
            guard let (chunk, place) = find(key) else { return nil }
            return chunks[chunk].values[place]
        }
        set {
            if let newValue { set(newValue, for: key) } else { remove(key) }
        }
    }

    /// In the order of the keys.
    package func visit(_ body: (Key, Value) -> Void) {
        for chunk in chunks { for (key, value) in zip(chunk.keys, chunk.values) { body(key, value) } }
    }

    private mutating func set(_ value: Value, for key: Key) {
        guard !chunks.isEmpty else {
            chunks = [Chunk(keys: [key], values: [value])]
            count = 1
            return
        }
        let chunk = chunk(for: key)
        let place = Self.lowerBound(chunks[chunk].keys, key)
        if place < chunks[chunk].keys.count, chunks[chunk].keys[place] == key {
            chunks[chunk].values[place] = value
            return
        }
        count += 1
        chunks[chunk].keys.insert(key, at: place)
        chunks[chunk].values.insert(value, at: place)
        guard chunks[chunk].keys.count > Self.capacity else { return }
        let half = chunks[chunk].keys.count / 2
        let upper = Chunk(
            keys: Array(chunks[chunk].keys[half...]), values: Array(chunks[chunk].values[half...]))
        chunks[chunk].keys.removeSubrange(half...)
        chunks[chunk].values.removeSubrange(half...)
        chunks.insert(upper, at: chunk + 1)
    }

    @discardableResult
    package mutating func remove(_ key: Key) -> Value? {
        guard let (chunk, place) = find(key) else { return nil }
        count -= 1
        chunks[chunk].keys.remove(at: place)
        let value = chunks[chunk].values.remove(at: place)
        if chunks[chunk].keys.isEmpty { chunks.remove(at: chunk) }
        return value
    }

    private func find(_ key: Key) -> (chunk: Int, place: Int)? {
        guard !chunks.isEmpty else { return nil }
        let chunk = chunk(for: key)
        let place = Self.lowerBound(chunks[chunk].keys, key)
        guard place < chunks[chunk].keys.count, chunks[chunk].keys[place] == key else { return nil }
        return (chunk, place)
    }

    /// The last chunk that does not begin after `key`, or the first.
    private func chunk(for key: Key) -> Int {
        var low = 0
        var high = chunks.count
        while low < high {
            let middle = (low + high) / 2
            if chunks[middle].keys[0] <= key { low = middle + 1 } else { high = middle }
        }
        return max(low - 1, 0)
    }

    private static func lowerBound(_ keys: [Key], _ key: Key) -> Int {
        var low = 0
        var high = keys.count
        while low < high {
            let middle = (low + high) / 2
            if keys[middle] < key { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
