import Automata
import Coordination
import Member
import Paxos
import Replica

/// What other threads tell the replica thread.
enum HostInput: Sendable {
    case portOpened(Port)
    case portClosed(Port)
    case requests(Port, [PortRequest])
    /// Everything that one read of a peer's connection held.
    case received(ReceivedBatch)
    /// Another member can be reached now, or one cannot any more.
    case linksChanged
    /// The log thread has made all records up to this one durable.
    case durable(upTo: RecordNumber)
    /// The log's segment has reached its size.
    case segmentFull
    /// The log has begun a segment, or could not for want of room.
    case segmentCut(UInt64?)
    /// The log's disk has no room, or has room again; nothing becomes durable in between.
    case logFull(Bool)
    /// The disk has refused room that the log wanted to set aside, or no longer does.
    case logSpaceLow(Bool)
    /// The store is durable up to the slot that was applied when that was asked for.
    case stored(upTo: Slot)
    case storeFailed(StoreError)
    /// The batch that was too large for this thread.
    case batchApplied(Result<AppliedBatch, any Error>, took: TimeSpan)
    /// A copy of the store is made or has caught up, and is durable; or there is none.
    case storeCopied(Result<StoreCopy, StoreError>)
    /// A restart finds the copy, or it could not be brought about.
    case storePlaced(Result<Void, StoreError>)
    /// A checkpoint lies complete beside the store.
    case checkpointArrived(CheckpointArrival)
    /// The receiver has installed the checkpoint that this process sent, or it has not.
    case checkpointSent(to: ProcessID, success: Bool)
    /// The transfer of a checkpoint to this process has ended without success.
    case checkpointFailed(ProcessID)
    /// What another process has answered about how the cluster was formed.
    case formation(FormationMessage, from: ProcessID)
    /// The server cannot go on.
    case failed(String)
    case handOver(HandoverTicket)
    case stop
}

extension Mailbox<HostInput> {
    /// What reading the store has thrown ends the server where the store is damaged. Nobody can rely on what else it
    /// holds, and a member that answered some clients and not others would hide it.
    func note(failedReading error: any Error) {
        guard let error = error as? StoreError, error.code == .damaged else { return }
        send(.failed("the store is damaged: \(error.message)"))
    }
}

struct ReceivedBatch: Sendable {
    let messages: [PeerMessage]
    let sender: ProcessID
    /// What the messages took on the connection, which is about what they take in memory.
    let bytes: Int
    let window: ReceiveWindow

    /// To be said once, by whoever is done with it.
    func taken() { window.taken(bytes) }
}

/// A request as it waits on a port. What can be prepared on the port's thread is prepared there.
struct PortRequest: Sendable {
    var token: UInt64
    var content: ClientRequest
}
