import Automata

/// How two events stand to each other under happens-before.
public enum CausalOrder: Hashable, Sendable {
    case before, after, equal, concurrent
}

/// A vector timestamp: for every process, how many of its events are in the causal past. One event happens
/// before another exactly when its vector is smaller. (Fidge 1988; Mattern, Virtual Time and Global States
/// of Distributed Systems, 1989.)
///
/// Processes need not be known in advance: one that is missing counts zero.
public struct VectorTimestamp: Hashable, Sendable, CustomStringConvertible {
    public struct Component: Hashable, Sendable {
        public let process: ProcessID
        public var count: UInt64

        public init(process: ProcessID, count: UInt64) {
            self.process = process
            self.count = count
        }
    }

    /// In ascending order of process, without zero counts, so that equal vectors are equal values.
    public private(set) var components: [Component] = []

    public init() {}

    public init(_ counts: [(ProcessID, UInt64)]) {
        for (process, count) in counts { self[process] = count }
    }

    public subscript(process: ProcessID) -> UInt64 {
        get {
            for component in components where component.process == process { return component.count }
            return 0
        }
        set {
            let index = components.firstIndex { $0.process >= process } ?? components.count
            if index < components.count, components[index].process == process {
                if newValue == 0 { components.remove(at: index) } else { components[index].count = newValue }
            } else if newValue > 0 {
                components.insert(Component(process: process, count: newValue), at: index)
            }
        }
    }

    /// The smallest vector that is at least both.
    public mutating func merge(_ other: VectorTimestamp) {
        for component in other.components where component.count > self[component.process] {
            self[component.process] = component.count
        }
    }

    /// Whether every count is at most the other's.
    public func isAtMost(_ other: VectorTimestamp) -> Bool {
        components.allSatisfy { $0.count <= other[$0.process] }
    }

    public func order(to other: VectorTimestamp) -> CausalOrder {
        switch (isAtMost(other), other.isAtMost(self)) {
        case (true, true): return .equal
        case (true, false): return .before
        case (false, true): return .after
        case (false, false): return .concurrent
        }
    }

    public func happensBefore(_ other: VectorTimestamp) -> Bool { order(to: other) == .before }

    public var description: String {
        "[" + components.map { "\($0.process):\($0.count)" }.joined(separator: " ") + "]"
    }
}

/// The vector clock of one process.
public struct VectorClock: Hashable, Sendable {
    public let process: ProcessID
    public private(set) var timestamp = VectorTimestamp()

    public init(process: ProcessID) { self.process = process }

    /// Stamps an internal event or a send; the stamp travels with the message.
    public mutating func tick() -> VectorTimestamp {
        timestamp[process] += 1
        return timestamp
    }

    /// Stamps the receipt of a message that carried `stamp`.
    public mutating func receive(_ stamp: VectorTimestamp) -> VectorTimestamp {
        timestamp.merge(stamp)
        return tick()
    }
}
