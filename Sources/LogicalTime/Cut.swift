import Automata

/// What happened in one run: for every process its events in order, each with its vector timestamp.
public struct Computation: Hashable, Sendable {
    struct History: Hashable, Sendable {
        let process: ProcessID
        var stamps: [VectorTimestamp] = []
    }

    /// In ascending order of process.
    private(set) var histories: [History] = []

    public init() {}

    public var processes: [ProcessID] { histories.map(\.process) }

    /// Appends the next event of `process`. The stamp's own component must count that event.
    public mutating func append(_ stamp: VectorTimestamp, at process: ProcessID) {
        let index = histories.firstIndex { $0.process >= process } ?? histories.count
        if index == histories.count || histories[index].process != process {
            histories.insert(History(process: process), at: index)
        }
        precondition(
            stamp[process] == UInt64(histories[index].stamps.count) + 1,
            "event \(histories[index].stamps.count + 1) of \(process) is stamped \(stamp)")
        histories[index].stamps.append(stamp)
    }

    /// The stamp of the `number`-th event of `process`, counted from 1.
    public func stamp(of number: UInt64, at process: ProcessID) -> VectorTimestamp? {
        guard let history = histories.first(where: { $0.process == process }), number >= 1,
            number <= UInt64(history.stamps.count)
        else { return nil }
        return history.stamps[Int(number) - 1]
    }

    public func eventCount(of process: ProcessID) -> UInt64 {
        UInt64(histories.first { $0.process == process }?.stamps.count ?? 0)
    }
}

/// A cut: for every process, how many of its first events are included.
public struct Cut: Hashable, Sendable, CustomStringConvertible {
    public var included: VectorTimestamp

    public init(_ included: VectorTimestamp) { self.included = included }
    public init(_ counts: [(ProcessID, UInt64)]) { included = VectorTimestamp(counts) }

    /// A cause that is outside the cut although its effect is inside.
    public struct Violation: Hashable, Sendable, CustomStringConvertible {
        public let effect: (process: ProcessID, number: UInt64)
        public let cause: (process: ProcessID, number: UInt64)

        public static func == (a: Self, b: Self) -> Bool { a.effect == b.effect && a.cause == b.cause }
        public func hash(into hasher: inout Hasher) {
            hasher.combine(effect.process)
            hasher.combine(effect.number)
            hasher.combine(cause.process)
            hasher.combine(cause.number)
        }
        public var description: String {
            "event \(effect.number) of \(effect.process) is included and its cause, event \(cause.number) of "
                + "\(cause.process), is not"
        }
    }

    /// A cut is consistent when it is closed under happens-before: with every event it includes all that
    /// happened before it. (Chandy, Lamport, TOCS 1985; Mattern 1989.) Looking at the last included event
    /// of every process suffices, because vectors grow along a process.
    public func violation(in computation: Computation) -> Violation? {
        for component in included.components {
            let process = component.process
            let last = min(component.count, computation.eventCount(of: process))
            guard let stamp = computation.stamp(of: last, at: process) else { continue }
            for needed in stamp.components where needed.count > included[needed.process] {
                return Violation(effect: (process, last), cause: (needed.process, needed.count))
            }
        }
        return nil
    }

    public func isConsistent(in computation: Computation) -> Bool { violation(in: computation) == nil }

    /// Consistent cuts form a lattice: union and intersection of two are consistent again.
    public func union(_ other: Cut) -> Cut {
        var merged = included
        merged.merge(other.included)
        return Cut(merged)
    }

    public func intersection(_ other: Cut) -> Cut {
        var smallest = VectorTimestamp()
        for component in included.components {
            smallest[component.process] = min(component.count, other.included[component.process])
        }
        return Cut(smallest)
    }

    public var description: String { "cut\(included)" }
}
