import Automata
import Coordination
import Paxos
import Replica

/// What a member wants its host to do, in order.
public enum MemberOutput: Sendable {
    /// Append this record to the log. Records are counted from 1 since the member was created.
    case persist(ReplicaRecord)
    /// Send; when `after` is not `.none`, only once that record is durable.
    case send(PeerMessage, to: ProcessID, after: RecordNumber)
    /// The host picks the delay within the range; setting a timer again replaces it.
    case setTimer(ReplicaTimer, after: ClosedRange<TimeSpan>)
    case cancelTimer(ReplicaTimer)
    case answer(ClientToken, Result<ServiceAnswer, ServiceError>)
    /// No leader has been known for three election timeouts: clients that asked for one are to be told.
    case tellLeaderLost
    /// A restart is to find what is applied by now, which is this. Answered by `.stored` or `.pointFailed`.
    case makeDurable(upTo: Slot)

    // The store made anew. There is one copy at a time, and each of these is answered before the next.
    /// Copy the store beside it, and make the copy durable; answered by `.storeCopied` or `.copyFailed`.
    case copyStore(StoreCopySource)
    /// Apply these entries, which follow what the copy holds, to it, and make it durable; answered in the same way.
    case catchUpCopy([Entry])
    /// Apply these entries to the copy and use it as the store, both before anything else is written; answered by
    /// `.storeSwitched`, `.switchPutOff` or `.copyFailed`.
    case switchStore([Entry])
    /// Make the copy what a restart finds; answered by `.copyPlaced` or `.copyNotPlaced`.
    case placeCopy
    /// Nobody wants the copy any more.
    case discardCopy
    /// Nothing may be read in the store until another takes its place.
    case suspendStore

    // Checkpoints.
    /// Stream a checkpoint of the store to this process, on a connection of its own.
    case sendCheckpoint(to: ProcessID)
    /// Move it into place as the store that a restart finds and that is used, and call `MemberCore.install`; all before
    /// anything else is written. Or answer with `.checkpointNotInstalled`.
    case installCheckpoint(CheckpointID)
    case refuseCheckpoint(CheckpointID, CheckpointRefusal)

    /// The log before this slot is not needed any more.
    case trim(before: Slot)
    /// The configuration, or what members have published of themselves, has changed.
    case membersChanged
    case report(MemberReport)
    /// Another leads, and nobody sends here any more what it wants proposed; or nobody can take the lead.
    case handedOver
    /// The same when the member was told to stop: it takes part no more.
    case stopped
    /// The member was removed from the cluster.
    case retired
    /// The member cannot go on.
    case fail(MemberFailure)
}

/// What an operator may want to read, or to see counted.
public enum MemberReport: Hashable, Sendable {
    case leaderLost(ProcessID, round: UInt64)
    case leaderFound(ProcessID, round: UInt64, isFirst: Bool)
    /// There is no leader for want of a quorum or of votes; which of the voters are reached.
    case waiting(reached: [ProcessID], of: [ProcessID])
    case compacts(before: Int64)
    case raisesNoSpace
    /// Somebody has lost what it had acknowledged.
    case raisesCorrupt(ProcessID, at: Slot)
    case storeFull
    case storeHasRoom
    /// After this error of a sync the store is made anew from its last durable point and the log.
    case storeSuspended(StoreError)
    /// The store was made anew and is in place; whether somebody wanted it or a sync had failed, and whether it was asked
    /// for.
    case storeMadeAnew(took: TimeSpan, isWanted: Bool, isAsked: Bool)
    case logFull(Bool)
    case logSpaceLow(Bool)
    /// More waits for the log's disk than may, or no longer does.
    case logBehind(Bool, bytes: Int)
    /// The lead goes to this process because the own disk has finished nothing for an election timeout.
    case leavesToQuickerDisk(ProcessID)
    case proposalFailed
    case readsFailed(Int)
    case slowRead
    case leaseRenewed
}
