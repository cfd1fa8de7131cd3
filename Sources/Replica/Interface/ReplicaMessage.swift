import Automata
import Paxos

/// What replicas tell each other. A replica makes them and `init(decoding:)` reads them; nobody else builds one.
///
/// ```
///  candidate           voters            leader               members            follower        leader
///     │ canvass ─────────▶│                 │ accept ───────────▶│                  │ forward ─────▶│
///     │◀────── canvassed  │                 │◀─ accepted/missing │                  │◀─ forwardRefused
///     │ prepare ─────────▶│                 │ chosen ───────────▶│                  │ readRequest ─▶│
///     │◀── promise chunk  │                 │ heartbeat ────────▶│                  │◀─── readAnswer
///     │ prepare (next) ──▶│                 │◀─ heartbeatAnswer  │
///     │◀── last chunk     │                 │ takeOver ─────────▶│ (transfer)
///     │ checkpointWanted ▶│ (trimmed)     nack answers whatever came with too low a ballot
/// ```
public enum ReplicaMessage: Hashable, Sendable {
    case canvass(Canvass)
    case canvassed(Canvassed)
    case prepare(Prepare)
    case promise(Promise)
    case nack(Nack)
    case dismissed(epoch: UInt64)
    case accept(Accept)
    case accepted(Accepted)
    case missing(Missing)
    case chosen(Chosen)
    case heartbeat(Heartbeat)
    case heartbeatAnswer(HeartbeatAnswer)
    case checkpointWanted(behind: Slot)
    case takeOver(ballot: Ballot)
    case forward(Forward)
    case forwardRefused(ForwardRefused)
    case readRequest(ReadRequest)
    case readAnswer(ReadAnswer)

    /// "Would you promise this ballot?" Binds nobody; it keeps a process without a quorum from deposing a
    /// leader that has one. (Ongaro, Consensus: Bridging Theory and Practice, 2014, section 9.6.)
    public struct Canvass: Hashable, Sendable {
        public var ballot: Ballot
        /// Of the configuration in which the candidate stands.
        public var epoch: UInt64
        /// The disk that this configuration names for the receiver: no other answers.
        public var disk: DiskID? = nil
    }

    public struct Canvassed: Hashable, Sendable {
        public var ballot: Ballot
        public var granted: Bool
        /// What the answering acceptor has promised; the candidate stands above it.
        public var promised: Ballot
    }

    /// Phase 1a for every slot from `from` on.
    public struct Prepare: Hashable, Sendable {
        public var ballot: Ballot
        public var epoch: UInt64
        public var from: Slot
        /// The leader of this ballot asked the sender to take over, so its lease does not stand in the way.
        public var successorOf: Ballot?
        /// Grows whenever the candidate has got further with phase 1, with whomever. Acceptors leave a
        /// candidate alone that gets further.
        public var progress: UInt64
        /// The disk that the sender's configuration names for the receiver: no other answers.
        public var disk: DiskID? = nil
    }

    /// Whether what a process says counts towards a quorum.
    public struct Standing: Hashable, Sendable {
        /// The sender is a voter with the disk that its configuration names.
        public var isVote: Bool
        public var disk: DiskID?

        public init(isVote: Bool = true, disk: DiskID? = nil) {
            self.isVote = isVote
            self.disk = disk
        }
    }

    /// Phase 1b, one chunk: the acceptor promises the ballot and says what it has accepted.
    public struct Promise: Hashable, Sendable {
        public var ballot: Ballot
        /// Of the prepare that is answered.
        public var epoch: UInt64
        /// Entries of the chunk up to this slot are chosen.
        public var chosenUpTo: Slot
        /// The acceptor has trimmed up to here.
        public var floor: Slot
        /// The last slot in which the acceptor has accepted anything.
        public var last: Slot
        public var chunk: AcceptedChunk
    }

    public struct Nack: Hashable, Sendable {
        public var refused: Ballot
        public var promised: Ballot
    }

    /// Phase 2a for consecutive slots, and catch-up: entries up to `chosenUpTo` are known to be chosen.
    public struct Accept: Hashable, Sendable {
        public var ballot: Ballot
        /// Of the configuration that governs the entries after `chosenUpTo`.
        public var epoch: UInt64
        public var first: Slot
        public var entries: [Entry]
        public var chosenUpTo: Slot
    }

    /// Phase 2b: up to `upTo` everything is durably accepted at this ballot, or known to be chosen.
    public struct Accepted: Hashable, Sendable {
        public var ballot: Ballot
        public var upTo: Slot
        public var standing = Standing()
    }

    /// The sender cannot accept what it got before it has the entries from `from` on.
    public struct Missing: Hashable, Sendable {
        public var ballot: Ballot
        public var from: Slot
    }

    /// Up to here everything is chosen; goes alone only when no phase 2a message is there to carry it.
    public struct Chosen: Hashable, Sendable {
        public var ballot: Ballot
        public var upTo: Slot
    }

    public struct Heartbeat: Hashable, Sendable {
        public var ballot: Ballot
        /// Counts the rounds of one ballot. An answer confirms this round and those before it.
        public var round: UInt64
        public var chosenUpTo: Slot
        /// Whether this is the leader's pulse, and not a round that only reads wait for.
        public var isPulse: Bool
    }

    public struct HeartbeatAnswer: Hashable, Sendable {
        public var ballot: Ballot
        public var round: UInt64
        /// What the sender has accepted at this ballot without a hole, perhaps not durably yet.
        public var acceptedUpTo: Slot
        public var chosenUpTo: Slot
        public var standing = Standing()
    }

    /// What clients of a follower ask of the leader. Numbered, so that a copy made by the network is noticed.
    public struct Forward: Hashable, Sendable {
        /// Of the leader that is meant. Any other drops the message, as it may be a copy.
        public var ballot: Ballot
        public var incarnation: UInt64
        public var sequence: UInt64
        public var request: Request

        public enum Request: Hashable, Sendable {
            case proposals([Proposal])
            case reconfiguration(ProposalID, ConfigurationChange)
        }
    }

    public struct ForwardRefused: Hashable, Sendable {
        public var incarnation: UInt64
        /// Of the `Forward` that is refused.
        public var sequence: UInt64
        public var proposals: [ProposalID]
        public var refusal: Refusal
    }

    public struct ReadRequest: Hashable, Sendable {
        public var incarnation: UInt64
        public var number: UInt64
    }

    public struct ReadAnswer: Hashable, Sendable {
        public var incarnation: UInt64
        public var number: UInt64
        public var ballot: Ballot
        /// `nil` when the sender does not lead.
        public var at: Slot?
    }

    /// Whether it may be large, or says nothing before what is large has come. A host sends such messages on a way of
    /// their own, so that the pulse, elections and answers do not wait behind them; the protocol does not need the
    /// order of the two.
    public var isBulk: Bool {
        switch self {
        // What is chosen is told by the pulse as well.
        case .accept, .forward, .chosen: true
        case .promise(let promise): !promise.chunk.entries.isEmpty
        default: false
        }
    }

    /// A rough size on the wire, bytes.
    public var sizeHint: Int {
        switch self {
        case .accept(let accept): accept.entries.reduce(64) { $0 + $1.sizeHint }
        case .promise(let promise): promise.chunk.entries.reduce(96) { $0 + $1.sizeHint }
        case .forward(let forward):
            switch forward.request {
            case .proposals(let proposals): proposals.reduce(64) { $0 + 32 + $1.payload.count }
            case .reconfiguration: 256
            }
        case .forwardRefused(let refused): 40 + 16 * refused.proposals.count
        default: 48
        }
    }
}
