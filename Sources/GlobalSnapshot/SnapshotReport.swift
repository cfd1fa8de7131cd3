import Automata

/// A message that was recorded as part of a channel, in the order of its receipt.
public struct RecordedMessage: Hashable, Sendable {
    public let channel: ChannelID
    public let payload: Payload

    @inlinable public init(channel: ChannelID, payload: Payload) {
        self.channel = channel
        self.payload = payload
    }
}

/// How many messages were on their way through a channel's end.
public struct ChannelCount: Hashable, Sendable {
    public let channel: ChannelID
    public var count: UInt64

    @inlinable public init(channel: ChannelID, count: UInt64) {
        self.channel = channel
        self.count = count
    }
}

/// What one process contributes to a snapshot.
public struct SnapshotPiece: Hashable, Sendable {
    public let process: ProcessID
    /// Recorded because it was asked for, not because of what another process sent.
    public var isInitiator: Bool
    public var state: Payload
    /// Whose channels to this process the piece covers, in ascending order.
    public var sources: [ProcessID]
    /// Over all channels to the process, in the order of their receipt.
    public var messages: [RecordedMessage] = []
    /// Lai and Yang: the white messages that had been sent, by channel from this process.
    public var whiteSent: [ChannelCount] = []
    /// Lai and Yang: the white messages that had been received, by channel to this process.
    public var whiteReceived: [ChannelCount] = []

    public init(process: ProcessID, isInitiator: Bool, state: Payload, sources: [ProcessID]) {
        self.process = process
        self.isInitiator = isInitiator
        self.state = state
        self.sources = sources
    }
}

/// A white message that arrived after its receiver had recorded: it was in the channel.
public struct LateMessage: Hashable, Sendable {
    public let message: RecordedMessage
    /// Counts what the receiver has received, from 1; no two late messages of one receiver share it.
    public let receipt: UInt64

    public init(message: RecordedMessage, receipt: UInt64) {
        self.message = message
        self.receipt = receipt
    }
}

/// Something that whoever asked for a snapshot must learn.
public struct SnapshotReport: Hashable, Sendable {
    public enum Content: Hashable, Sendable {
        case piece(SnapshotPiece)
        case late(LateMessage)
        case aborted(SnapshotAbortion)
    }

    public let id: SnapshotID
    public var content: Content

    @inlinable public init(id: SnapshotID, _ content: Content) {
        self.id = id
        self.content = content
    }
}

/// Why a snapshot that had begun will never be complete.
public enum SnapshotAbortion: Error, Hashable, Sendable, CustomStringConvertible {
    /// The process left or crashed before every piece was in.
    case departed(ProcessID)
    /// The process takes part in as many snapshots as its limit allows.
    case tooManySnapshots(at: ProcessID)
    /// More was on its way in the channel than its receiver may record.
    case channelTooLong(ChannelID)
    /// The process recorded with other channels than whoever asked knows of.
    case topologyDiffers(at: ProcessID)
    /// The host of the process gave up.
    case cancelled(by: ProcessID)

    public var description: String {
        switch self {
        case .departed(let process): "\(process) departed"
        case .tooManySnapshots(let process): "\(process) takes part in too many snapshots"
        case .channelTooLong(let channel): "more is in \(channel) than may be recorded"
        case .topologyDiffers(let process): "\(process) recorded other channels"
        case .cancelled(let process): "\(process) gave up"
        }
    }
}

/// Why a snapshot was not begun, or its result will not be told here.
public enum SnapshotRefusal: Hashable, Sendable {
    case tooManySnapshots
    /// Some process could not be reached, or could not say what it recorded.
    case notStronglyConnected
    /// A snapshot of that name has ended; its pieces are gone.
    case ended
}
