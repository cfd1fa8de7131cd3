import Automata
import Paxos

/// What the host tells a replica. Names are in the past tense: these things have happened.
public enum ReplicaInput: Hashable, Sendable {
    /// The first input after creation or recovery.
    case start
    case received(ReplicaMessage, from: ProcessID)
    case timerFired(ReplicaTimer)
    /// All records up to this one are durable.
    case durable(upTo: RecordNumber)
    /// Clients of this process want these payloads to be chosen.
    case proposed([Proposal])
    /// A client of this process wants to read; reads that arrive together share one quorum round.
    case readRequested(ReadID)
    /// Only a leader can hand over; elsewhere the answer is `.notLeader`.
    case transferRequested(to: ProcessID)
    /// Answered by the entry with this id in an `.apply`, or by `.refuseProposal`.
    case reconfigurationRequested(ProposalID, ConfigurationChange)
    /// The state machine has executed every slot up to this one.
    case applied(upTo: Slot)
    /// A restart would find the state machine at this slot or later; the log below it may be trimmed.
    case stored(upTo: Slot)
    /// The state machine of this process was replaced, durably, by a checkpoint that holds everything up to
    /// this slot, in force after it the configuration given.
    case checkpointInstalled(upTo: Slot, Configuration)
    /// The receiver has said that it installed the checkpoint which this process was asked to send.
    case checkpointSent(to: ProcessID)
    /// The transfer of a checkpoint to or from this process ended without success.
    case checkpointFailed(ProcessID)
    /// The cluster was formed with this first configuration, and its host has made that durable. Says nothing
    /// new to a process that has learnt a configuration already.
    case formed(Configuration)
}

/// What a replica wants its host to do. Names are imperatives; the host carries them out in order.
public enum ReplicaOutput: Hashable, Sendable {
    /// Append this record to the log. Records are counted from 1 since the replica was created.
    case persist(ReplicaRecord)
    /// Send; when `after` is not `.none`, only once that record is durable.
    case send(ReplicaMessage, to: ProcessID, after: RecordNumber)
    /// The host picks the delay within the range; setting a timer again replaces it.
    case setTimer(ReplicaTimer, after: ClosedRange<TimeSpan>)
    case cancelTimer(ReplicaTimer)
    /// Chosen entries, each slot once and in order; `first` is the slot of the first of them. After a
    /// checkpoint was installed the host skips slots that its state machine holds already.
    ///
    /// An entry that changes the configuration comes only once something after it is chosen: by then the new
    /// configuration works, and the change may be reported as done.
    case apply(first: Slot, [Entry])
    /// The read may be answered from the state machine once it has applied `at`.
    case answerRead(ReadID, at: Slot)
    case refuseRead(ReadID, Refusal)
    /// The proposal was not accepted for replication, or its outcome is unknown.
    case refuseProposal(ProposalID, Refusal)
    /// The transfer asked for has ended: `nil` when the target leads.
    case finishTransfer(to: ProcessID, Refusal?)
    /// The leader, as this process knows it, or the ballot has changed.
    case leaderChanged(ProcessID?, Ballot)
    /// Stream a checkpoint of the state machine to this process, on a connection of its own. Answered by
    /// `.checkpointSent` or `.checkpointFailed`; until then it is not asked again for the same process.
    case sendCheckpoint(to: ProcessID)
    /// The log before this slot is not needed any more.
    case trim(before: Slot)
    /// This configuration is in force. The host connects to its members, and keeps its connections to those
    /// that are gone for a while, so that they learn that they were removed.
    case configurationChanged(Configuration)
    /// The process was removed from the configuration and takes no further part.
    case retire
    /// This process leads, and another knows a slot to be chosen that no quorum can have chosen as far as the
    /// promises that this leader holds are kept: some acceptor has forgotten what it promised or accepted.
    case reportContradiction(by: ProcessID, at: Slot)
}

public enum ReplicaTimer: Hashable, Sendable {
    /// A follower waits for its leader, a candidate for its quorum, a leader checks that it has one.
    case election
    /// The leader's pulse.
    case heartbeat
    /// Phase 1 and what was forwarded to the leader are sent again, or given up.
    case resend
}

/// Names a read at the process that asked.
public struct ReadID: Hashable, Sendable {
    public let number: UInt64
    @inlinable public init(_ number: UInt64) { self.number = number }
}

public struct Proposal: Hashable, Sendable {
    public var id: ProposalID
    public var payload: Payload

    @inlinable public init(id: ProposalID, payload: Payload) {
        self.id = id
        self.payload = payload
    }
}

/// Why something asked of a replica was not done.
public enum Refusal: UInt8, Hashable, Sendable {
    /// No leader is known; nothing was proposed.
    case noLeader = 1
    /// A bound on what may be in flight is reached; nothing was proposed.
    case busy
    /// The leader changed, or did not answer, while the proposal was under way: it may or may not be chosen.
    case outcomeUnknown
    /// This process does not lead, and the request can only be served by the leader.
    case notLeader
    /// The target of a transfer or the subject of a configuration change is unsuitable.
    case unsuitable
    /// Another change of the configuration is under way.
    case changeInProgress
    /// The target of a transfer did not come to lead within an election timeout.
    case timedOut
}
