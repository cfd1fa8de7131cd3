import Automata

/// Names a message of the application within a run.
public struct MessageID: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let channel: ChannelID
    /// Counts what was sent through the channel.
    public let number: UInt64

    @inlinable public init(channel: ChannelID, number: UInt64) {
        self.channel = channel
        self.number = number
    }

    @inlinable public static func < (a: MessageID, b: MessageID) -> Bool {
        (a.channel, a.number) < (b.channel, b.number)
    }

    public var description: String { "message \(number) of \(channel)" }
}

/// One event of a run: what a process did, in the order in which things happened. Markers and reports are
/// the algorithm's and are no events of the run.
public struct RunEvent: Hashable, Sendable, CustomStringConvertible {
    public enum Kind: Hashable, Sendable {
        /// The application changed its state by itself.
        case changed(Payload)
        case sent(MessageID, Payload)
        case received(MessageID, Payload)
        /// The process recorded its state for that snapshot; nothing changed.
        case recorded(SnapshotID)
    }

    public let process: ProcessID
    public let kind: Kind

    @inlinable public init(_ process: ProcessID, _ kind: Kind) {
        self.process = process
        self.kind = kind
    }

    public var description: String {
        switch kind {
        case .changed(let payload): "\(process) changes by \(payload)"
        case .sent(let message, _): "\(process) sends \(message)"
        case .received(let message, _): "\(process) receives \(message)"
        case .recorded(let id): "\(process) records for \(id)"
        }
    }
}

/// Whether a channel hands messages over in the order in which they were sent.
public enum ChannelOrder: Hashable, Sendable {
    case fifo, any

    /// Two contents of a channel as far as they can be told apart.
    func isSame(_ a: [Payload], _ b: [Payload]) -> Bool {
        self == .fifo ? a == b : Self.sorted(a) == Self.sorted(b)
    }

    private static func sorted(_ payloads: [Payload]) -> [Payload] {
        payloads.sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
    }
}

/// What is wrong with a snapshot, or with the run that it was taken from.
public struct SnapshotViolation: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Code: Hashable, Sendable {
        /// A process of the snapshot recorded never, or more than once.
        case recordings
        /// Something that was received before the cut was sent after it.
        case inconsistentCut
        /// A channel holds other messages than were sent and not received before the cut.
        case channelState
        /// A process was in another state when the run passed through the cut.
        case processState
        /// An event could not have happened where it stands.
        case impossibleEvent
        /// Two neighbours of the run that the algorithm promises can be swapped cannot.
        case swap
    }

    public let code: Code
    public let message: String

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }
}
