import Automata

/// A Lamport timestamp. The order on timestamps is total and contains happens-before: when one event
/// happens before another, its timestamp is smaller. The converse does not hold.
/// (Lamport, Time, Clocks, and the Ordering of Events in a Distributed System, CACM 1978.)
public struct LamportTimestamp: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let counter: UInt64
    /// Breaks ties between events with equal counters.
    public let process: ProcessID

    @inlinable public init(counter: UInt64, process: ProcessID) {
        self.counter = counter
        self.process = process
    }

    @inlinable public static func < (a: LamportTimestamp, b: LamportTimestamp) -> Bool {
        (a.counter, a.process) < (b.counter, b.process)
    }

    public var description: String { "\(counter).\(process)" }
}

/// The clock of one process.
public struct LamportClock: Hashable, Sendable {
    public let process: ProcessID
    public private(set) var counter: UInt64 = 0

    public init(process: ProcessID) { self.process = process }

    /// Stamps an internal event or a send; the stamp travels with the message.
    public mutating func tick() -> LamportTimestamp {
        counter += 1
        return LamportTimestamp(counter: counter, process: process)
    }

    /// Stamps the receipt of a message that carried `stamp`.
    public mutating func receive(_ stamp: LamportTimestamp) -> LamportTimestamp {
        counter = max(counter, stamp.counter) + 1
        return LamportTimestamp(counter: counter, process: process)
    }
}
