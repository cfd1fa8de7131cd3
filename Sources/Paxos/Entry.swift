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
public enum Entry: Hashable, Sendable, CustomStringConvertible {
    /// Fills a slot in which nothing was proposed.
    case noop
    case payload(ProposalID, Payload)
    indirect case configuration(ProposalID, Configuration)

    /// A rough size in memory and on the wire, bytes.
    @inlinable public var sizeHint: Int {
        switch self {
        case .noop: 8
        case .payload(_, let payload): 32 + payload.count
        case .configuration(_, let configuration):
            64 + 32 * (configuration.voters.count + configuration.learners.count)
        }
    }

    @inlinable public var isConfiguration: Bool {
        if case .configuration = self { true } else { false }
    }

    public var description: String {
        switch self {
        case .noop: "noop"
        case .payload(_, let payload): "\"\(payload)\""
        case .configuration(_, let configuration):
            "configuration \(configuration.epoch): \(configuration.voters)"
                + (configuration.learners.isEmpty ? "" : " learners \(configuration.learners)")
        }
    }
}
