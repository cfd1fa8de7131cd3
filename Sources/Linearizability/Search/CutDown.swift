/// Makes a history that has no explanation smaller, so that a person sees why.
///
/// What is left out is such that the rest has no explanation only if the whole has none:
/// - everything after the event with which explanations end: what is invoked and not answered by then is open;
/// - observations, since an order that explains all explains fewer;
/// - what the object says can be left out by itself (`SequentialObject.separable`).
///
/// Each attempt is a search of its own with a small limit, and one that reaches it leaves the history as it was. When
/// the deadline is over there are no more attempts: what is left then has no explanation either.
struct CutDown<Object: SequentialObject> {
    static var configurationLimit: Int { 100_000 }

    private var operations: [Operation<Object>]
    /// The operations that are left, by index, in the order of invocation.
    private(set) var kept: [Int]
    private let deadline: Deadline?

    /// `event`: the first event with which there is no explanation; nil when that is not known.
    init(_ operations: [Operation<Object>], event: Int?, until deadline: Deadline?) {
        self.operations = operations
        self.deadline = deadline
        kept = operations.indices.sorted { operations[$0].invoked < operations[$1].invoked }
        if let event { truncate(after: event) }
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
        guard deadline?.isOver != true else { return false }
        let names = Set(names)
        let rest = kept.filter { !names.contains($0) }
        let search = LinearizabilitySearch<Object>(configurationLimit: Self.configurationLimit)
        let left = rest.map { operations[$0] }
        guard case .violated = search.verdict(left, until: deadline) else { return false }
        kept = rest
        return true
    }
}
