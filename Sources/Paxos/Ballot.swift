import Automata

/// A ballot is owned by the process that leads it; ballots are ordered by round, then by owner.
/// (Lamport, The Part-Time Parliament, TOCS 1998, section 2.2.)
public struct Ballot: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let round: UInt64
    public let process: ProcessID

    @inlinable public init(round: UInt64, process: ProcessID) {
        self.round = round
        self.process = process
    }

    /// Lower than every ballot that a process owns.
    public static let none = Ballot(round: 0, process: ProcessID(0))

    @inlinable public static func < (a: Ballot, b: Ballot) -> Bool {
        (a.round, a.process.rawValue) < (b.round, b.process.rawValue)
    }

    public var description: String { "\(round).\(process)" }
}

/// A position in the replicated log, counted from 1. `Slot(0)` stands for "before the first".
public struct Slot: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let rawValue: UInt64

    @inlinable public init(_ rawValue: UInt64) { self.rawValue = rawValue }
    public static let zero = Slot(0)

    @inlinable public static func < (a: Slot, b: Slot) -> Bool { a.rawValue < b.rawValue }
    @inlinable public var next: Slot { Slot(rawValue + 1) }
    @inlinable public func advanced(by count: Int) -> Slot { Slot(rawValue + UInt64(count)) }

    public var description: String { "s\(rawValue)" }
}
