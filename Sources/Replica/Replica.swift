import Automata
import Paxos

/// Multi-Paxos with everything that a replicated log needs around it: election, replication, catch-up,
/// linearizable reads, and membership that changes through the log itself.
///
/// What it guarantees, whatever the network and crashes do:
/// - every process hands up a prefix of the same sequence of entries, each slot once and in order;
/// - a promise or an accepted entry is durable before anybody hears of it;
/// - a read that is answered at a slot sees every entry whose proposer was told of it before the read came.
///
/// ```
///   follower ──election timer──▶ canvassing ──phase-1 and phase-2 quorum would follow──▶ preparing
///      ▲                                                                                     │
///      └── higher ballot, or no quorum for an election timeout ── leading ◀── phase-1 quorum ┘
/// ```
///
/// (Lamport, The Part-Time Parliament, 1998; van Renesse and Altinbuken, Paxos Made Moderately Complex,
/// 2015.) Every slot is governed by one configuration: a leader that proposes a new one in slot s proposes
/// nothing after s before s is chosen, then runs phase 1 at its ballot among the new configuration for the
/// slots after s. This is stop-and-go by one slot, where Part-Time Parliament waits for alpha slots.
public struct Replica: Automaton, Hashable, Sendable {
    public let settings: Settings
    /// How often this process has started, this time included; no two starts of a process that had any
    /// effect on others have the same number. A host can build proposal ids on it.
    public let incarnation: UInt64

    // MARK: What is durable, or on its way there

    var acceptor: Acceptor
    /// Records handed over.
    var lastRecord: RecordNumber = .none
    var durableUpTo: RecordNumber = .none
    /// The highest slot that some record says is chosen.
    var hintedUpTo: Slot

    // MARK: What is known

    /// Up to here everything is chosen and known here.
    public internal(set) var chosenUpTo: Slot
    /// From `chosenUpTo` on without a hole, what is accepted at the promised ballot. For a leader: the last
    /// slot that it has proposed in.
    var acceptedUpTo: Slot
    /// Handed to the host to be applied.
    var deliveredUpTo: Slot
    public internal(set) var appliedUpTo: Slot
    var storedUpTo: Slot
    /// In force after `chosenUpTo`.
    public internal(set) var configuration: Configuration
    /// The slot of the entry that brought `configuration`; zero when that is not known.
    var configurationSlot: Slot = .zero
    /// The epoch for which this process has done what its role asks when the configuration changes.
    var epochInUse: UInt64
    var wasMember: Bool
    var isRetired = false

    // MARK: Who leads

    var following: Following
    /// The highest round that this process has seen anywhere.
    var highestRound: UInt64
    // The other roles are changed where they are: in an enumeration each would be moved out and back for that.
    // A process that canvasses does nothing else; one that prepares may lead, while it enters a configuration.
    var canvassing: Canvassing?
    var preparing: Preparing?
    var leadership: Leadership?
    /// The one that ended last.
    var pastLeadership: PastLeadership?
    /// Whom the leader that this process was until now told to take over.
    var successor: ProcessID?
    var announced: Announcement?

    // MARK: What is under way for clients and others

    var outstanding = OutstandingProposals()
    var doubtful = DoubtfulProposals()
    var forwardSequence: UInt64 = 0
    var forwardedReads = ForwardedReads()
    var isResendArmed = false
    var resendCount: UInt64 = 0
    /// To whom a checkpoint is being sent, in ascending order.
    var checkpointReceivers: [ProcessID] = []

    /// The instant of the step under way.
    var now: Instant = .zero

    struct Announcement: Hashable {
        var leader: ProcessID?
        var ballot: Ballot
    }

    public init(settings: Settings, recovered: ReplicaDurableState) {
        self.settings = settings
        following = Following(patience: settings.electionTimeout)
        incarnation = (recovered.incarnation > 0 ? recovered.incarnation : settings.incarnationFloor) + 1
        acceptor = recovered.recoveredAcceptor
        storedUpTo = recovered.storedUpTo
        hintedUpTo = recovered.chosenUpTo
        chosenUpTo = recovered.storedUpTo
        deliveredUpTo = recovered.storedUpTo
        appliedUpTo = recovered.storedUpTo
        acceptedUpTo = recovered.storedUpTo
        configuration = recovered.configuration
        epochInUse = recovered.configuration.epoch
        wasMember = recovered.isMember || recovered.configuration.isMember(settings.process)
        highestRound = recovered.acceptor.promised.round
        acceptedUpTo = acceptor.accepted.end(of: acceptor.promised, after: chosenUpTo)
    }

    public mutating func step(_ input: ReplicaInput, at now: Instant, into outputs: inout [ReplicaOutput]) {
        self.now = now
        switch input {
        case .start: onStart(&outputs)
        case .received(let message, let sender):
            if sender != settings.process, !isRetired { onMessage(message, from: sender, &outputs) }
        case .timerFired(.election): if !isRetired { onElectionTimer(&outputs) }
        case .timerFired(.heartbeat): onHeartbeatTimer(&outputs)
        case .timerFired(.resend): onResendTimer(&outputs)
        case .durable(let record): onDurable(upTo: record, &outputs)
        case .proposed(let proposals): onProposed(proposals, &outputs)
        case .readRequested(let id): onReadRequested(id, &outputs)
        case .transferRequested(let target): onTransferRequested(to: target, &outputs)
        case .reconfigurationRequested(let id, let change):
            onReconfigurationRequested(id, change, &outputs)
        case .applied(let slot): appliedUpTo = max(appliedUpTo, slot)
        case .stored(let slot): onStored(upTo: slot, &outputs)
        case .checkpointInstalled(let slot, let configuration):
            onCheckpointInstalled(upTo: slot, configuration, &outputs)
        case .checkpointSent(let receiver): onCheckpointSent(to: receiver)
        case .checkpointFailed(let other): onCheckpointFailed(other)
        case .formed(let configuration): onFormed(configuration, &outputs)
        }
        conclude(&outputs)
    }

    private mutating func onMessage(
        _ message: ReplicaMessage, from sender: ProcessID, _ outputs: inout [ReplicaOutput]
    ) {
        switch message {
        case .canvass(let it): onCanvass(it, from: sender, &outputs)
        case .canvassed(let it): onCanvassed(it, from: sender, &outputs)
        case .prepare(let it): onPrepare(it, from: sender, &outputs)
        case .promise(let it): onPromise(it, from: sender, &outputs)
        case .nack(let it): onNack(it, from: sender, &outputs)
        case .dismissed(let epoch): onDismissed(epoch: epoch, from: sender, &outputs)
        case .accept(let it): onAccept(it, from: sender, &outputs)
        case .accepted(let it): onAccepted(it, from: sender, &outputs)
        case .missing(let it): onMissing(it, from: sender, &outputs)
        case .chosen(let it): onChosen(it, from: sender, &outputs)
        case .heartbeat(let it): onHeartbeat(it, from: sender, &outputs)
        case .heartbeatAnswer(let it): onHeartbeatAnswer(it, from: sender, &outputs)
        case .checkpointWanted(let slot): onCheckpointWanted(behind: slot, from: sender, &outputs)
        case .takeOver(let ballot): onTakeOver(ballot, from: sender, &outputs)
        case .forward(let it): onForward(it, from: sender, &outputs)
        case .forwardRefused(let it): onForwardRefused(it, &outputs)
        case .readRequest(let it): onReadRequest(it, from: sender, &outputs)
        case .readAnswer(let it): onReadAnswer(it, from: sender, &outputs)
        }
    }

    /// What is due after every step, whatever happened in it.
    private mutating func conclude(_ outputs: inout [ReplicaOutput]) {
        if configuration.epoch != epochInUse {
            epochInUse = configuration.epoch
            onConfigurationChanged(&outputs)
        }
        if leadership != nil { concludeLeading(&outputs) }
        retireIfRemoved(&outputs)
        let current = Announcement(leader: leader, ballot: acceptor.promised)
        if announced != current {
            announced = current
            outputs.append(.leaderChanged(current.leader, current.ballot))
        }
    }
}
