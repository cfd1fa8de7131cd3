/// Follows one path as far as it leads before it turns to another. It keeps that path and the fingerprints of
/// all states, so it needs less memory than a breadth-first search of a wide graph, and its counterexamples
/// are long.
@usableFromInline struct DepthFirstSearch<M: Model> {
    private let model: M
    private let options: CheckOptions
    private let properties: [Property<M.State>]
    private var shard: Shard<M>
    private var path: [Frame] = []
    private var result = CheckResult<M>(.holds)
    private let memory: MemoryMeter

    private struct Frame {
        let state: M.State
        let action: M.Action?
        let actions: [M.Action]
        var next = 0
    }

    @usableFromInline init(_ model: M, _ options: CheckOptions) {
        self.model = model
        self.options = options
        properties = model.properties
        shard = Shard(keepsStates: options.keepsStates, properties: properties.count)
        memory = MemoryMeter(limit: options.memoryBytes, countsResident: !_isPOD(M.State.self))
    }

    @usableFromInline mutating func run() -> CheckResult<M> {
        for state in model.initialStates() {
            guard visit(state, by: nil), follow() else { return result }
        }
        for property in properties where property.kind == .sometimes && result.verdict == .holds {
            guard !result.witnesses.contains(where: { $0.property == property.name }) else { continue }
            result.verdict = .violated
            result.counterexample = .init(property: property.name, kind: .sometimes, trace: Trace())
        }
        return result
    }

    /// Until the path is empty. False when the search is over before.
    private mutating func follow() -> Bool {
        while let last = path.indices.last {
            guard path[last].next < path[last].actions.count else {
                path.removeLast()
                continue
            }
            let action = path[last].actions[path[last].next]
            path[last].next += 1
            guard let state = model.successor(of: path[last].state, by: action) else { continue }
            guard visit(state, by: action) else { return false }
        }
        return true
    }

    /// Puts a new state on the path. False when the search is over.
    private mutating func visit(_ state: M.State, by action: M.Action?) -> Bool {
        guard model.isWithinBoundary(state) else { return true }
        result.transitions += 1
        guard makeRoom() else { return false }
        guard isNew(state) else { return true }
        var actions: [M.Action] = []
        model.addActions(in: state, to: &actions)
        path.append(Frame(state: state, action: action, actions: actions))
        result.distinctStates += 1
        result.depth = max(result.depth, path.count)
        guard hold(state) else { return false }
        if let limit = options.depthLimit, path.count >= limit, !actions.isEmpty {
            // Other paths go on; what lies behind this state may be missed.
            result.verdict = .boundReached(.depth)
            path.removeLast()
        }
        if let limit = options.statesLimit, result.distinctStates > limit {
            result.verdict = .boundReached(.states)
            return false
        }
        report()
        if options.isInterrupted?() == true {
            result.verdict = .boundReached(.interrupt)
            return false
        }
        return true
    }

    /// Whether there is, or can be, memory for one more state.
    private mutating func makeRoom() -> Bool {
        let needed = max(shard.table.capacity, FingerprintTable.capacity(for: shard.table.count + 1))
        let isGrowing = needed > shard.table.capacity
        guard isGrowing || result.distinctStates & 0xFFFF == 0 else { return true }
        let growth = (needed - shard.table.capacity) * shard.table.bytesPerSlot
        let bytes = shard.bytes + growth + path.capacity * MemoryLayout<Frame>.stride
        guard memory.allows(bytes) else {
            result.verdict = .boundReached(.memory)
            return false
        }
        result.bytes = max(result.bytes, memory.measured(bytes))
        shard.table.grow(to: needed)
        return true
    }

    /// Remembers the state, and says whether it was not known.
    private mutating func isNew(_ state: M.State) -> Bool {
        let canonical = model.canonical(state)
        let candidate = Candidate<M>(
            state: canonical, fingerprint: model.fingerprint(of: canonical), link: noLink)
        shard.nextLevel.removeAll(keepingCapacity: true)
        return shard.insert(candidate)
    }

    private mutating func hold(_ state: M.State) -> Bool {
        for property in properties {
            if property.kind == .always, !property.holds(state) {
                result.verdict = .violated
                result.depth = path.count
                result.counterexample = .init(property: property.name, kind: .always, trace: trace)
                return false
            }
            if property.kind == .sometimes, property.holds(state),
                !result.witnesses.contains(where: { $0.property == property.name })
            {
                result.witnesses.append(.init(property: property.name, kind: .sometimes, trace: trace))
            }
        }
        return true
    }

    private var trace: Trace<M> { Trace(path.map { .init(action: $0.action, state: $0.state) }) }

    private func report() {
        guard let progress = options.progress, result.distinctStates & 0xFFF == 0 else { return }
        progress(
            CheckProgress(
                distinctStates: result.distinctStates, transitions: result.transitions, depth: result.depth,
                queued: path.count, bytes: result.bytes))
    }
}
