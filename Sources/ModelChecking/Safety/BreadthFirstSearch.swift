/// Visits every reachable state level by level, on all workers, and finds a shortest counterexample.
///
/// A level is cut into batches, a batch into pieces. First the pieces are expanded, by any worker in any
/// order, while the shards are only read; then every shard takes what was found for it, in the order of the
/// pieces. So neither locks nor the number of workers decide anything: which state comes first, where it was
/// reached from, and which violation is reported are the same for one worker and for many.
@usableFromInline final class BreadthFirstSearch<M: Model> {
    @usableFromInline let model: M
    @usableFromInline let options: CheckOptions
    @usableFromInline let properties: [(number: Int, property: Property<M.State>)]
    @usableFromInline let shards: [Shard<M>]
    @usableFromInline let expansions: [Expansion<M>]
    @usableFromInline let pool: WorkerPool
    @usableFromInline var result = CheckResult<M>(.holds)
    /// By number of the property: where a `sometimes` holds on a shortest path.
    @usableFromInline var witnesses: [Candidate<M>?]
    @usableFromInline let memory: MemoryMeter

    @inlinable static var piecesPerBatch: Int { 32 }

    /// Where a piece begins and ends in the level of its shard.
    @usableFromInline struct Piece {
        @usableFromInline let shard: Int
        @usableFromInline let range: Range<Int>
        /// The number of the level's first state among those that the shard keeps.
        @usableFromInline let base: Int
        @inlinable init(shard: Int, range: Range<Int>, base: Int) {
            self.shard = shard
            self.range = range
            self.base = base
        }
    }

    @inlinable init(_ model: M, _ options: CheckOptions) {
        self.model = model
        self.options = options
        let properties = model.properties
        self.properties = properties.enumerated().filter { !$0.element.isLiveness }
            .map { ($0.offset, $0.element) }
        witnesses = Array(repeating: nil, count: properties.count)
        shards = (0..<Shard<M>.count).map { _ in
            Shard(keepsStates: options.keepsStates, properties: properties.count)
        }
        expansions = (0..<Self.piecesPerBatch).map { _ in Expansion(model) }
        pool = WorkerPool(workers: options.workers)
        memory = MemoryMeter(limit: options.memoryBytes, countsResident: !_isPOD(M.State.self))
    }

    @inlinable func run() -> CheckResult<M> {
        defer { pool.stop() }
        for state in model.initialStates() { expansions[0].add(state, link: noLink, shards) }
        var goesOn = takeIn(1)
        while goesOn {
            let found = beginLevel()
            guard found > 0 else { break }
            result.depth += 1
            if let limit = options.depthLimit, result.depth >= limit {
                result.verdict = .boundReached(.depth)
                break
            }
            let pieces = self.pieces()
            var next = 0
            while goesOn, next < pieces.count {
                let batch = pieces[next..<min(next + Self.piecesPerBatch, pieces.count)]
                next += batch.count
                expand(batch)
                goesOn = takeIn(batch.count)
                report(queued: pieces[next...].reduce(0) { $0 + $1.range.count })
                if goesOn, options.isInterrupted?() == true {
                    result.verdict = .boundReached(.interrupt)
                    goesOn = false
                }
            }
        }
        finish()
        return result
    }

    /// Turns what was found into the level to expand, and says how many states it has.
    @inlinable func beginLevel() -> Int {
        var count = 0
        for shard in shards {
            swap(&shard.level, &shard.nextLevel)
            shard.nextLevel.removeAll(keepingCapacity: true)
            count += shard.level.count
        }
        return count
    }

    @inlinable func pieces() -> [Piece] {
        var pieces: [Piece] = []
        for (index, shard) in shards.enumerated() {
            let count = shard.level.count
            let base = shard.kept.count - count
            for start in stride(from: 0, to: count, by: Expansion<M>.pieceSize) {
                let end = min(start + Expansion<M>.pieceSize, count)
                pieces.append(Piece(shard: index, range: start..<end, base: base))
            }
        }
        return pieces
    }

    @inlinable func expand(_ batch: ArraySlice<Piece>) {
        let (shards, expansions) = (shards, expansions)
        pool.run(batch.count) { index in
            let piece = batch[batch.startIndex + index]
            expansions[index].expand(piece.range, of: piece.shard, base: piece.base, shards)
        }
    }

    /// Gives every shard what the first `count` expansions found for it. False when the search is over.
    @inlinable func takeIn(_ count: Int) -> Bool {
        let (shards, expansions) = (shards, expansions)
        let capacities = plannedCapacities(count)
        let growth = zip(shards, capacities).reduce(0) { sum, pair in
            sum + max(0, pair.1 - pair.0.table.capacity) * pair.0.table.bytesPerSlot
        }
        let bytes = bytesNow + growth
        guard memory.allows(bytes) else {
            result.verdict = .boundReached(.memory)
            return false
        }
        result.bytes = max(result.bytes, memory.measured(bytes))
        let properties = properties
        pool.run(shards.count) { index in
            let shard = shards[index]
            shard.table.grow(to: capacities[index])
            for expansion in expansions.prefix(count) {
                let bucket = expansion.buckets[index]
                for candidate in bucket.candidates where shard.insert(candidate) {
                    Self.hold(properties, against: candidate, in: shard)
                }
                bucket.candidates.removeAll(keepingCapacity: true)
            }
        }
        for expansion in expansions.prefix(count) {
            result.transitions += expansion.transitions
            expansion.transitions = 0
        }
        result.distinctStates = shards.reduce(0) { $0 + $1.table.count }
        for number in witnesses.indices where witnesses[number] == nil {
            witnesses[number] = shards.lazy.compactMap { $0.witnesses[number] }.first
        }
        if shards.contains(where: { $0.violation != nil }) { return false }
        if let limit = options.statesLimit, result.distinctStates > limit {
            result.verdict = .boundReached(.states)
            return false
        }
        return true
    }

    @inlinable static func hold(
        _ properties: [(number: Int, property: Property<M.State>)], against candidate: Candidate<M>,
        in shard: Shard<M>
    ) {
        for (number, property) in properties {
            if property.kind == .always {
                if shard.violation == nil, !property.holds(candidate.state) {
                    shard.violation = (number, candidate)
                }
            } else if shard.witnesses[number] == nil, property.holds(candidate.state) {
                shard.witnesses[number] = candidate
            }
        }
    }

    /// Room for every candidate, as if all were new.
    @inlinable func plannedCapacities(_ count: Int) -> [Int] {
        shards.indices.map { index in
            let pending = expansions.prefix(count).reduce(0) { $0 + $1.buckets[index].candidates.count }
            let table = shards[index].table
            return max(table.capacity, FingerprintTable.capacity(for: table.count + pending))
        }
    }

    @inlinable var bytesNow: Int {
        shards.reduce(0) { $0 + $1.bytes } + expansions.reduce(0) { $0 + $1.bytes }
    }

    @usableFromInline func report(queued: Int) {
        guard let progress = options.progress else { return }
        progress(
            CheckProgress(
                distinctStates: result.distinctStates, transitions: result.transitions, depth: result.depth,
                queued: queued + shards.reduce(0) { $0 + $1.nextLevel.count }, bytes: bytesNow))
    }
}
