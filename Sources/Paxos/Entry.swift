import Automata

/// Names a proposal: the process at which it was made and a number that is unique there, also across
/// restarts.
public struct ProposalID: Hashable, Sendable, CustomStringConvertible {
    public let process: ProcessID
    public let number: UInt64

    @inlinable public init(process: ProcessID, number: UInt64) {
        self.process = process
        self.number = number
    }

    public var description: String { "\(process)#\(number)" }
}

/// The value of a slot.
public enum Entry: Hashable, Sendable {
    /// Fills a slot in which nothing was proposed.
    case noop
    case payload(ProposalID, Payload)
    case configuration(ProposalID, Configuration)
}
