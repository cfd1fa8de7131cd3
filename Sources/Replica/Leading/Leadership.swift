import Automata
import Paxos

/// What a leader knows beyond what every process does.
struct Leadership: Hashable, Sendable {
    let ballot: Ballot
    var tally: AcceptanceTally
    /// Everybody else that receives entries, in ascending order.
    var peers: [Peer] = []
    /// What this process has accepted and not yet made durable, in order.
    var ownAcceptances: [OwnAcceptance] = []
    /// Of the entries that are proposed and not chosen.
    var bytesInFlight = 0

    /// The slot of a proposed configuration that is not chosen yet: nothing is proposed after it.
    var barrier: Slot?
    /// The first slot that this leader proposed in after its last phase 1, in the configuration in force.
    /// Before it is chosen, others may have chosen something that this leader does not know of.
    var readyFrom: Slot?
    /// What clients want to be chosen while nothing can be proposed, in order.
    var held: [HeldProposal] = []
    var heldBytes = 0
    var forwards: [ForwardWindow] = []
    var transfer: Transfer?

    /// Heartbeat rounds begun, counted from 1.
    var round: UInt64 = 0
    /// When the rounds that a quorum has not answered were begun, ascending.
    var openRounds: [Round] = []
    /// A phase-2 quorum has answered this round or a later one.
    var confirmedRound: UInt64 = 0
    /// When `confirmedRound` was begun, unless the configuration changed since.
    var confirmedAt: Instant?
    /// The round under way when the leader last checked that it has a quorum.
    var checkedRound: UInt64 = 0
    /// A transfer was begun: its target may be promised to at any time, so there is no lease any more.
    var hasForfeitedLease = false
    var reads: [WaitingRead] = []

    /// Somebody's knowledge that does not fit this leadership, as long as it may still be explained by a
    /// higher ballot.
    var doubt: Doubt?
    /// Whose contradiction was reported.
    var contradicted: [ProcessID] = []

    struct Doubt: Hashable, Sendable {
        let process: ProcessID
        let slot: Slot
        /// The round under way when it was heard.
        let round: UInt64
        let epoch: UInt64
    }

    struct OwnAcceptance: Hashable, Sendable {
        let record: RecordNumber
        let upTo: Slot
    }

    struct Round: Hashable, Sendable {
        let number: UInt64
        let begunAt: Instant
    }

    struct HeldProposal: Hashable, Sendable {
        let proposal: Proposal
        let origin: Origin
    }

    struct WaitingRead: Hashable, Sendable {
        enum Reader: Hashable, Sendable {
            case here(ReadID)
            case there(ProcessID, ReplicaMessage.ReadRequest)
        }
        let reader: Reader
        /// The first round that was begun after the read came.
        let round: UInt64
    }

    struct Transfer: Hashable, Sendable {
        let target: ProcessID
        /// Heartbeats until it is given up.
        var pulsesLeft: UInt64
        var isTold = false
    }

    func peer(_ process: ProcessID) -> Int? { peers.firstIndex { $0.process == process } }
}

/// The process, and the start of it, at which something was proposed.
struct Origin: Hashable, Sendable {
    let process: ProcessID
    let incarnation: UInt64
    /// Of the message that brought it here; zero at home.
    var sequence: UInt64 = 0
}

/// What a process that has led remembers of it, so that what others still forward to it is refused in words
/// that they can rely on.
struct PastLeadership: Hashable, Sendable {
    let ballot: Ballot
    var forwards: [ForwardWindow]
}

/// How far a leader is with one of the processes that receive its entries.
struct Peer: Hashable, Sendable {
    let process: ProcessID
    /// The next slot to send.
    var next: Slot
    /// Messages that are sent and not answered, in ascending order of slots.
    var unanswered: [Sent] = []
    /// Of these messages, together.
    var unansweredBytes = 0
    var pace: Pace
    /// Heartbeats since it became a peer.
    var pulses: UInt64 = 0
    /// One message at a time until it is answered: it is not known what the process has.
    var isProbing: Bool
    /// The highest chosen slot that it was told of.
    var told: Slot = .zero
    /// Something that its clients proposed was chosen since.
    var isWaiting = false
    /// What it said last that it has accepted at this ballot, perhaps not durably; `nil` before it spoke.
    var accepted: Slot?
    var chosenUpTo: Slot = .zero
    var answeredRound: UInt64 = 0
    /// What it said last about itself; `nil` before it spoke.
    var standing: ReplicaMessage.Standing?
    /// What it has accepted without its acceptances counting.
    var followedUpTo: Slot = .zero
    /// What it had reached at the last heartbeat.
    var reachedAtPulse: Slot?
    /// A checkpoint is not sent because of what it said in answer to rounds up to this one.
    var checkpointRound: UInt64 = 0
    /// No member any more; it is told so for a while.
    var pulsesUntilGone: UInt64?

    struct Sent: Hashable, Sendable {
        /// The last slot of the message.
        let last: Slot
        let bytes: Int
        /// The heartbeat at which it left.
        let pulse: UInt64
    }

    init(_ process: ProcessID, next: Slot, isProbing: Bool, pace: Pace) {
        self.process = process
        self.next = next
        self.isProbing = isProbing
        self.pace = pace
    }

    mutating func rewind(to slot: Slot) {
        next = slot
        unanswered.removeAll(keepingCapacity: true)
        unansweredBytes = 0
        isProbing = true
    }
}
