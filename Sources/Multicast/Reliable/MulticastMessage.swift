import Automata

/// Names a multicast: the sender numbers its own from 1, without gaps.
public struct MulticastID: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let sender: ProcessID
    public let number: UInt64

    public init(sender: ProcessID, number: UInt64) {
        self.sender = sender
        self.number = number
    }

    public static func < (a: MulticastID, b: MulticastID) -> Bool {
        (a.sender, a.number) < (b.sender, b.number)
    }

    public var description: String { "\(sender).\(number)" }
}

/// What members of a group say to each other.
public enum MulticastMessage: Hashable, Sendable, CustomStringConvertible {
    /// From its sender, or from any member that still holds it.
    case data(MulticastID, Payload)
    /// How many of each member's multicasts the process has without a gap, in the order of the group.
    case digest([UInt64])
    /// Asks whoever holds them for the multicasts of that sender with these numbers.
    case missing(ProcessID, ClosedRange<UInt64>)

    public var description: String {
        switch self {
        case .data(let id, let payload): "data(\(id), \(payload))"
        case .digest(let counts): "digest(\(counts.map(String.init).joined(separator: " ")))"
        case .missing(let sender, let numbers):
            "missing(\(sender).\(numbers.lowerBound)-\(numbers.upperBound))"
        }
    }
}
