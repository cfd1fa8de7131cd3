/// What one worker needs to expand one piece of a level: the successors that were not known, sorted by
/// shard.
@usableFromInline final class Expansion<M: Model>: @unchecked Sendable {
    /// A list of its own for each shard, because another worker empties each.
    @usableFromInline final class Bucket: @unchecked Sendable {
        @usableFromInline var candidates: ContiguousArray<Candidate<M>> = []
        @inlinable init() {}
    }

    @usableFromInline let model: M
    @usableFromInline let buckets: [Bucket]
    @usableFromInline var actions: [M.Action] = []
    @usableFromInline var transitions = 0
    /// States of a level that are expanded in one piece; like the number of shards, a part of the order.
    @inlinable static var pieceSize: Int { 512 }

    @usableFromInline init(_ model: M) {
        self.model = model
        buckets = (0..<Shard<M>.count).map { _ in Bucket() }
    }

    /// Expands the states `range` of the level of `shards[index]`. `base` is the number of the first state
    /// of that level among those that its shard keeps.
    @inlinable func expand(_ range: Range<Int>, of index: Int, base: Int, _ shards: [Shard<M>]) {
        let source = shards[index]
        for position in range {
            let state = source.level[position].state
            let link =
                source.keepsStates
                ? UInt64(index) << 32 | UInt64(base + position)
                : FingerprintTable.key(source.level[position].fingerprint).low
            actions.removeAll(keepingCapacity: true)
            model.addActions(in: state, to: &actions)
            for action in actions {
                guard let next = model.successor(of: state, by: action) else { continue }
                add(next, link: link, shards)
            }
        }
    }

    @inlinable func add(_ state: M.State, link: UInt64, _ shards: [Shard<M>]) {
        guard model.isWithinBoundary(state) else { return }
        transitions &+= 1
        let state = model.canonical(state)
        let fingerprint = model.fingerprint(of: state)
        let index = Shard<M>.index(of: fingerprint)
        guard !shards[index].contains(state, fingerprint) else { return }
        buckets[index].candidates.append(Candidate(state: state, fingerprint: fingerprint, link: link))
    }

    @inlinable var bytes: Int {
        var count = 0
        for bucket in buckets { count += bucket.candidates.capacity }
        return count * MemoryLayout<Candidate<M>>.stride
    }
}
