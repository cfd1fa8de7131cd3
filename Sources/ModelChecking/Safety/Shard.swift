/// The states whose fingerprints end alike. Only one worker at a time adds to a shard; while states are
/// expanded, all may read it.
@usableFromInline final class Shard<M: Model>: @unchecked Sendable {
    /// A power of two, and the same for every number of workers, because it decides the order of states.
    @inlinable static var count: Int { 32 }
    @inlinable static func index(of fingerprint: Fingerprint) -> Int {
        Int(truncatingIfNeeded: fingerprint.low) & (count - 1)
    }

    @usableFromInline var table: FingerprintTable
    /// All states in the order in which they came, when the search keeps them.
    @usableFromInline var kept: ContiguousArray<M.State> = []
    /// For each kept state, where it was reached from.
    @usableFromInline var keptLinks: ContiguousArray<UInt64> = []
    /// What is expanded now, and what was found for the next level.
    @usableFromInline var level: ContiguousArray<Candidate<M>> = []
    @usableFromInline var nextLevel: ContiguousArray<Candidate<M>> = []

    /// The first of the new states to break an `always`, with the number of the property.
    @usableFromInline var violation: (property: Int, candidate: Candidate<M>)?
    /// By number of the property: the first state in which a `sometimes` holds.
    @usableFromInline var witnesses: [Candidate<M>?]

    @usableFromInline init(keepsStates: Bool, properties: Int) {
        table = FingerprintTable(keepsNumbers: keepsStates)
        witnesses = Array(repeating: nil, count: properties)
    }

    deinit { table.deallocate() }

    @inlinable var keepsStates: Bool { table.numbers != nil }

    @inlinable func contains(_ state: M.State, _ fingerprint: Fingerprint) -> Bool {
        table.contains(fingerprint) { kept[Int($0)] == state }
    }

    /// Whether the candidate is a new state, which then belongs to the next level.
    @inlinable func insert(_ candidate: Candidate<M>) -> Bool {
        let isNew = table.insert(
            candidate.fingerprint, link: candidate.link, number: UInt32(truncatingIfNeeded: kept.count)
        ) { kept[Int($0)] == candidate.state }
        guard isNew else { return false }
        if keepsStates {
            kept.append(candidate.state)
            keptLinks.append(candidate.link)
        }
        nextLevel.append(candidate)
        return true
    }

    @inlinable var bytes: Int {
        let candidate = MemoryLayout<Candidate<M>>.stride
        let states = kept.capacity * MemoryLayout<M.State>.stride + keptLinks.capacity * 8
        return table.bytes + states + (level.capacity + nextLevel.capacity) * candidate
    }
}

/// A state that an action led to.
@usableFromInline struct Candidate<M: Model> {
    @usableFromInline let state: M.State
    @usableFromInline let fingerprint: Fingerprint
    /// Names the state that it was reached from: by the low word of its fingerprint, or where states are
    /// kept by shard and place there.
    @usableFromInline let link: UInt64

    @inlinable init(state: M.State, fingerprint: Fingerprint, link: UInt64) {
        self.state = state
        self.fingerprint = fingerprint
        self.link = link
    }
}

/// The link of an initial state. No shard has as many states, and the low word of a fingerprint that
/// happens to be it is as rare as two equal fingerprints.
@usableFromInline let noLink = UInt64.max
