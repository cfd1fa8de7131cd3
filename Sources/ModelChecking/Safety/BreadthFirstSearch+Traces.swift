extension BreadthFirstSearch {
    /// Turns what the shards noticed into traces and a verdict.
    @usableFromInline func finish() {
        if let (number, candidate) = shards.lazy.compactMap(\.violation).first {
            let property = properties.first { $0.number == number }!.property
            let trace = trace(to: candidate)
            result.verdict = .violated
            result.depth = trace.steps.count
            result.counterexample = .init(property: property.name, kind: property.kind, trace: trace)
            return
        }
        for (number, property) in properties where property.kind == .sometimes {
            if let witness = witnesses[number] {
                let trace = trace(to: witness)
                result.witnesses.append(.init(property: property.name, kind: .sometimes, trace: trace))
            } else if result.verdict == .holds {
                result.verdict = .violated
                result.counterexample = .init(property: property.name, kind: .sometimes, trace: Trace())
            }
        }
    }

    /// The path on which the search came to `candidate`.
    private func trace(to candidate: Candidate<M>) -> Trace<M> {
        options.keepsStates ? traceByStates(to: candidate) : traceByFingerprints(to: candidate)
    }

    private func traceByFingerprints(to candidate: Candidate<M>) -> Trace<M> {
        var path = [FingerprintTable.key(candidate.fingerprint).low]
        var link = candidate.link
        while link != noLink {
            path.append(link)
            let shard = shards[Int(truncatingIfNeeded: link) & (Shard<M>.count - 1)]
            guard let slot = shard.table.slot(low: link) else {
                preconditionFailure("no state has the fingerprint \(link) that a state was reached from")
            }
            link = slot.link
        }
        return TraceReplay(model).replay(path.reversed()) { state, low in
            FingerprintTable.key(model.fingerprint(of: state)).low == low
        }
    }

    private func traceByStates(to candidate: Candidate<M>) -> Trace<M> {
        var path = [candidate.state]
        var link = candidate.link
        while link != noLink {
            let (shard, number) = (shards[Int(link >> 32)], Int(link & 0xFFFF_FFFF))
            path.append(shard.kept[number])
            link = shard.keptLinks[number]
        }
        return TraceReplay(model).replay(path.reversed(), where: ==)
    }
}
