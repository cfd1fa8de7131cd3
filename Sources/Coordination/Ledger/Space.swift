/// Names a family of state on the ledger, in the log and in the store.
public struct SpaceID: RawRepresentable, Hashable, Sendable {
    public let rawValue: UInt8
    @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }
}

/// One family's state machine on the `Ledger`: what its commands do to the store, within what all families share.
///
/// Deterministic: the same commands in the same order give every member the same store, outcomes and consequences.
/// The value itself is small and restored from the store.
public protocol Space: Sendable {
    associatedtype Command: SpaceCommand
    associatedtype Outcome: SpaceOutcome

    static var id: SpaceID { get }
    /// Counters of what its commands did: every `SpaceOutcome.operation`.
    static var operations: [String] { get }
    /// How its tables are laid out: 1 unless it says otherwise. A checkpoint names it, so that a program that knows
    /// only earlier ones does not take the rows for something else.
    static var tablesVersion: UInt8 { get }

    init(from reader: any OrderedReader) throws

    /// Makes what the store lacks because an earlier version of the program has written it. Called once,
    /// before the first command; most spaces have nothing to do.
    mutating func settle(in turn: inout Turn) throws

    /// Executes one command. A refusal is an outcome, and nothing may have been written then. Throws only what the
    /// store throws, and `WorkAllowance.Spent`; the transaction is then to be rolled back and the ledger must be the
    /// copy from before.
    mutating func apply(_ command: Command, in turn: inout Turn) throws -> Outcome

    /// Executes a command as it stands in the log, unless an alarm forbids it. Every space has it as given below; it
    /// stands here so that it is compiled for each of them.
    mutating func execute(
        _ payload: UnsafeRawBufferPointer, version: UInt8, in turn: inout Turn
    ) throws -> any SpaceOutcome

    /// A lease is at its end; what is attached to it goes, in one revision.
    mutating func ended(_ lease: LeaseID, in turn: inout Turn) throws

    /// Physically removes up to `limit` records that nothing can read since the space was compacted at `revision`,
    /// and adds to `removed` how many have gone; false when none is left. Resumable at any point, and after a
    /// restart.
    mutating func removeCompacted(
        at revision: Int64, limit: Int, in transaction: any OrderedTransaction, removed: inout Int
    ) throws -> Bool
}

extension Space {
    public static var tablesVersion: UInt8 { 1 }
}

/// A command of one family, as it stands in the log.
public protocol SpaceCommand: Hashable, Sendable {
    static var space: SpaceID { get }
    /// The version that `encoded` writes.
    static var currentVersion: UInt8 { get }

    /// Throws `CommandDecodingError`.
    init(decoding payload: UnsafeRawBufferPointer, version: UInt8) throws
    func encoded() -> [UInt8]

    /// Whether it may make the store grow, so that it is refused while there is no room.
    var takesRoom: Bool { get }
}

extension SpaceCommand {
    /// As it goes into the log.
    public var command: Command {
        Command(space: Self.space, version: Self.currentVersion, payload: encoded())
    }

    /// Throws `CommandDecodingError`.
    public init(decoding payload: [UInt8], version: UInt8) throws {
        self = try payload.withUnsafeBytes { try Self(decoding: $0, version: version) }
    }
}

/// What a command did, or why it did nothing.
public protocol SpaceOutcome: Sendable {
    init(refused refusal: LedgerRefusal, revision: Int64)
    /// Which of `Space.operations` counts it; nil where none does.
    var operation: String? { get }
}

/// A command as it stands in the log: its space says which state machine it is for, its version how the
/// payload is encoded. A process that meets a version it does not know stops rather than guess.
public struct Command: Hashable, Sendable {
    public var space: SpaceID
    public var version: UInt8
    public var payload: [UInt8]

    public init(space: SpaceID, version: UInt8, payload: [UInt8]) {
        self.space = space
        self.version = version
        self.payload = payload
    }
}

/// A command for a space, or in a version, that this program does not know: it must stop rather than guess what the
/// other members have done.
public struct UnknownCommand: Error, Hashable, Sendable, CustomStringConvertible {
    public var space: SpaceID
    public var version: UInt8

    public init(space: SpaceID, version: UInt8) {
        self.space = space
        self.version = version
    }

    public var description: String {
        "the log holds a command of space \(space.rawValue), version \(version), which this program does not know; "
            + "it was written by a later version: upgrade this member"
    }
}
