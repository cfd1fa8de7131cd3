import Automata

/// The pieces of one snapshot, put together by whoever asked for it.
///
/// It is complete when every process of the topology has said what it recorded and, where white messages
/// are counted, as many late ones are in as were sent and not received before the cut. Reports may come in
/// any order and more than once.
public struct SnapshotAssembly: Hashable, Sendable {
    public let id: SnapshotID
    let topology: SnapshotTopology
    let limits: SnapshotLimits
    /// In ascending order of process.
    private var pieces: [SnapshotPiece] = []
    /// In ascending order of receiver and receipt.
    private var late: [LateMessage] = []
    /// Set once: whatever comes after it changes nothing.
    public private(set) var abortion: SnapshotAbortion?
    /// Whether this process wants to be told.
    var isAskedFor = false

    public init(_ id: SnapshotID, topology: SnapshotTopology, limits: SnapshotLimits = SnapshotLimits()) {
        self.id = id
        self.topology = topology
        self.limits = limits
    }

    /// Returns false when the report was known, or belongs to another snapshot.
    public mutating func take(_ report: SnapshotReport) -> Bool {
        guard report.id == id, abortion == nil else { return false }
        switch report.content {
        case .piece(let piece): return takePiece(piece)
        case .late(let message): return takeLate(message)
        case .aborted(let reason):
            abortion = reason
            return true
        }
    }

    private mutating func takePiece(_ piece: SnapshotPiece) -> Bool {
        let index = pieces.firstIndex { $0.process >= piece.process } ?? pieces.count
        guard index == pieces.count || pieces[index].process != piece.process else { return false }
        pieces.insert(piece, at: index)
        // A piece that leaves out a channel would silently lose what was in it.
        let expected = topology.sources(of: piece.process)
        if !topology.contains(piece.process) {
            abortion = .departed(piece.process)
        } else if piece.sources != expected {
            abortion = Self.departed(expected, piece.sources) ?? .topologyDiffers(at: piece.process)
        }
        return true
    }

    /// One of two processes has heard earlier than the other that a third, which only one of them names as a
    /// source, departed.
    private static func departed(_ a: [ProcessID], _ b: [ProcessID]) -> SnapshotAbortion? {
        let gone = a.filter { !b.contains($0) } + b.filter { !a.contains($0) }
        return gone.count == 1 ? .departed(gone[0]) : nil
    }

    private mutating func takeLate(_ message: LateMessage) -> Bool {
        let receiver = message.message.channel.to
        func key(_ it: LateMessage) -> (ProcessID, UInt64) { (it.message.channel.to, it.receipt) }
        let index = late.firstIndex { key($0) >= (receiver, message.receipt) } ?? late.count
        guard index == late.count || key(late[index]) != (receiver, message.receipt) else { return false }
        late.insert(message, at: index)
        let channel = message.message.channel
        let bytes = late.reduce(0) {
            $1.message.channel == channel ? $0 + SnapshotLimits.bytes($1.message.payload) : $0
        }
        if bytes > limits.recordedBytesPerChannel { abortion = .channelTooLong(channel) }
        return true
    }

    public var isComplete: Bool {
        abortion == nil && pieces.count == topology.processes.count && missingMessages == 0
    }

    /// White messages that were sent before the cut and are neither received before it nor known to be late.
    private var missingMessages: Int {
        var missing = -late.count
        for piece in pieces {
            missing += piece.whiteSent.reduce(0) { $0 + Int($1.count) }
            missing -= piece.whiteReceived.reduce(0) { $0 + Int($1.count) }
        }
        return missing
    }

    /// The snapshot, once it is complete.
    public func snapshot(completedAt now: Instant) -> RecordedSnapshot? {
        guard isComplete else { return nil }
        var messages: [RecordedMessage] = []
        for piece in pieces {
            messages += piece.messages
            messages += late.filter { $0.message.channel.to == piece.process }.map(\.message)
        }
        return RecordedSnapshot(
            id: id, initiators: pieces.filter(\.isInitiator).map(\.process),
            states: pieces.map { .init(process: $0.process, state: $0.state) }, messages: messages,
            completedAt: now)
    }
}
