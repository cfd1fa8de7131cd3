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
    /// A restart is to find what is applied by now. Told of by `.pointEnded` and `.stored`.
    case makeDurable
    /// Stream a checkpoint of the store to this process, on a connection of its own.
    case sendCheckpoint(to: ProcessID)
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
