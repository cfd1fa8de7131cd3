/// One search, as far as it has come: it can be gone on with in pieces, so that several share the time.
struct SearchState<Object: SequentialObject> {
    private struct Step {
        let entry: Int
        let before: Object
        /// Taken at once: there is no other choice worth trying in its place.
        let isForced: Bool
    }

    struct Configuration: Hashable {
        fileprivate let linearized: LinearizedSet.Key
        fileprivate let object: Object
    }

    private let operations: [Operation<Object>]
    /// By entry, from 1: the operation, and whether the entry is its return. Entries are invocations and returns in
    /// the order of events; entry 0 is where the list begins and ends.
    private var operationAt: [Int] = [-1]
    private var isReturn = [false]
    private var eventAt = [-1]
    private var next: [Int] = []
    private var previous: [Int] = []
    private var returnEntry: [Int]
    private var place: [Int]

    private let observed: Object.Observed
    private var object = Object()
    private var linearized: LinearizedSet
    private var outlook: Outlook<Object>
    private var path: [Step] = []
    private var left = 0
    /// The entry to try next; nil before the first.
    private var cursor: Int?
    /// What the configurations that were seen take, in those of the smallest size.
    private(set) var remembered = 0
    /// The operations before the event that was the first in the way of the path that came furthest.
    private var furthest = (event: -1, order: [Int]())
    /// So many steps of the path are those of `furthest`.
    private var stepsInCommon = 0

    init(_ operations: [Operation<Object>]) {
        self.operations = operations
        returnEntry = Array(repeating: 0, count: operations.count)
        place = Array(repeating: 0, count: operations.count)
        linearized = LinearizedSet(count: operations.count)
        outlook = Outlook(operations)
        observed = Object.observed(by: operations)
        var entries: [(event: Int, operation: Int, isReturn: Bool)] = []
        for (index, operation) in operations.enumerated() {
            // What nobody saw and changes nothing says nothing.
            if operation.returned == nil, Object.isObservation(operation.call) { continue }
            entries.append((operation.invoked, index, false))
            if let returned = operation.returned {
                entries.append((returned, index, true))
                left += 1
            }
        }
        entries.sort { $0.event < $1.event }
        var invocations = 0
        for entry in entries {
            operationAt.append(entry.operation)
            isReturn.append(entry.isReturn)
            eventAt.append(entry.event)
            if entry.isReturn {
                returnEntry[entry.operation] = operationAt.count - 1
            } else {
                place[entry.operation] = invocations
                invocations += 1
            }
        }
        let count = operationAt.count
        next = (0..<count).map { ($0 + 1) % count }
        previous = (0..<count).map { ($0 + count - 1) % count }
    }

    /// The events before this one have an explanation.
    var explainedEvents: Int { max(furthest.event, 0) }

    /// Goes on for at most so many steps, and until it remembers more than `limit`. Nil: it has not ended. Of a history
    /// without an explanation it is not said which is the first event that nothing explains.
    ///
    /// `seen` is what it remembers, the same each time; it is asked only whether it holds a configuration, never for
    /// its order.
    mutating func run(steps: Int, rememberingAtMost limit: Int, in seen: inout Set<Configuration>)
        -> SearchResult?
    {
        var entry = cursor ?? chooseFirst()
        defer { cursor = entry }
        var steps = steps
        while left > 0 {
            guard steps > 0, remembered <= limit else { return nil }
            steps -= 1
            if entry != 0, !isReturn[entry] {
                entry = take(entry, unlessIn: &seen) ? chooseFirst() : next[entry]
                continue
            }
            noteBlocked(at: entry)
            guard let resumed = giveUp() else {
                return .violated(event: furthest.event, order: furthest.order)
            }
            entry = resumed
        }
        return .linearizable(order: path.map { operationAt[$0.entry] })
    }

    /// Takes every observation that is right now, and returns the first entry that is left.
    private mutating func chooseFirst() -> Int {
        var entry = next[0]
        while entry != 0, !isReturn[entry] {
            if Object.isObservation(operations[operationAt[entry]].call), let after = effect(of: entry) {
                take(entry, after, isForced: true)
                entry = next[0]
            } else {
                entry = next[entry]
            }
        }
        return next[0]
    }

    /// The object after the operation; nil when its answer is not what was observed.
    private func effect(of entry: Int) -> Object? {
        let operation = operations[operationAt[entry]]
        var after = object
        let answer = after.apply(operation.call)
        if let given = operation.answer, given != answer { return nil }
        return Object.isObservation(operation.call) ? object : Object.simplified(after, for: observed)
    }

    /// Lets the operation take effect, if its answer is right and that leads to a new configuration from which all
    /// answers that come next can still be given.
    private mutating func take(_ entry: Int, unlessIn seen: inout Set<Configuration>) -> Bool {
        let index = operationAt[entry]
        guard let after = effect(of: entry), !outlook.isHopeless(after, having: index, operations) else {
            return false
        }
        linearized.insert(place[index])
        let isNew = seen.insert(Configuration(linearized: linearized.key, object: after)).inserted
        linearized.remove(place[index])
        guard isNew else { return false }
        remembered += 1 + after.storedBytes / HistoryLimits.bytesOfConfiguration
        take(entry, after, isForced: false)
        return true
    }

    private mutating func take(_ entry: Int, _ after: Object, isForced: Bool) {
        let index = operationAt[entry]
        linearized.insert(place[index])
        path.append(Step(entry: entry, before: object, isForced: isForced))
        object = after
        outlook.take(index)
        unlink(entry)
        if operations[index].returned != nil {
            unlink(returnEntry[index])
            left -= 1
        }
    }

    /// Takes back the last choice; returns the entry to try instead, or nil when no choice is left.
    private mutating func giveUp() -> Int? {
        while let step = path.popLast() {
            let index = operationAt[step.entry]
            linearized.remove(place[index])
            object = step.before
            outlook.takeBack(index)
            stepsInCommon = min(stepsInCommon, path.count)
            if operations[index].returned != nil {
                relink(returnEntry[index])
                left += 1
            }
            relink(step.entry)
            if !step.isForced { return next[step.entry] }
        }
        return nil
    }

    /// A return whose operation has not taken effect ends what this configuration can explain.
    private mutating func noteBlocked(at entry: Int) {
        let event = eventAt[entry]
        guard event > furthest.event else { return }
        furthest.event = event
        furthest.order.removeSubrange(stepsInCommon...)
        furthest.order += path[stepsInCommon...].map { operationAt[$0.entry] }
        stepsInCommon = path.count
    }

    private mutating func unlink(_ entry: Int) {
        next[previous[entry]] = next[entry]
        previous[next[entry]] = previous[entry]
    }

    private mutating func relink(_ entry: Int) {
        next[previous[entry]] = entry
        previous[next[entry]] = entry
    }
}
