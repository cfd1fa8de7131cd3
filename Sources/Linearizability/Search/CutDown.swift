/// Makes a history that has no explanation smaller, so that a person sees why.
///
/// What is left out is such that the rest has no explanation only if the whole has none:
/// - everything after the event with which explanations end: what is invoked and not answered by then is open;
/// - observations, since an order that explains all explains fewer;
/// - what the object says can be left out by itself (`SequentialObject.separable`).
///
/// Each attempt is a search of its own with a small limit; there are at most `attemptLimit` of them, and one that
/// reaches its limit leaves the history as it was.
struct CutDown<Object: SequentialObject> {
    static var attemptLimit: Int { 3000 }
    static var configurationLimit: Int { 100_000 }

    private var operations: [Operation<Object>]
    /// The operations that are left, by index, in the order of invocation.
    private(set) var kept: [Int]
    private var attempts = 0

    /// `event`: the first event with which there is no explanation.
    init(_ operations: [Operation<Object>], event: Int) {
        self.operations = operations
        kept = operations.indices.sorted { operations[$0].invoked < operations[$1].invoked }
        truncate(after: event)
        while leaveOutObservations() || leaveOutSeparable() {}
    }

    /// Whether the operation is open where the cut-down history ends.
    func isOpen(_ index: Int) -> Bool { operations[index].returned == nil }

    private mutating func truncate(after event: Int) {
        for index in kept {
            guard let returned = operations[index].returned, returned > event else { continue }
            operations[index].returned = nil
            operations[index].answer = nil
        }
        kept.removeAll { index in
            let operation = operations[index]
            return operation.invoked > event
                || operation.returned == nil && Object.isObservation(operation.call)
        }
    }

    /// Whether there was any; many are tried at once first, half as many each time.
    private mutating func leaveOutObservations() -> Bool {
        var hasShrunk = false
        var width = max(1, kept.count / 2)
        while true {
            var start = 0
            while start < kept.count {
                let window = kept[start..<min(start + width, kept.count)]
                let observations = window.filter { Object.isObservation(operations[$0].call) }
                if !observations.isEmpty, leaveOut(observations) {
                    hasShrunk = true
                } else {
                    start += width
                }
            }
            if width == 1 { return hasShrunk }
            width /= 2
        }
    }

    /// One set at a time: leaving one out may make another separable, or no longer so.
    private mutating func leaveOutSeparable() -> Bool {
        var hasShrunk = false
        var isDone = false
        while !isDone {
            let sets = Object.separable(kept.map { operations[$0] })
            isDone = !sets.contains { set in leaveOut(set.map { kept[$0] }) }
            hasShrunk = hasShrunk || !isDone
        }
        return hasShrunk
    }

    private mutating func leaveOut(_ names: [Int]) -> Bool {
        guard attempts < Self.attemptLimit else { return false }
        attempts += 1
        let rest = kept.filter { !names.contains($0) }
        let search = LinearizabilitySearch<Object>(configurationLimit: Self.configurationLimit)
        guard case .violated(let event, _) = search.run(rest.map { operations[$0] }) else { return false }
        kept = rest
        truncate(after: event)
        return true
    }
}
