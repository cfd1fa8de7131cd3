import Automata
import Coordination
import Paxos
import Replica

/// What a member is told: these things have happened.
public enum MemberInput: Sendable {
    /// The first input after creation or recovery.
    case start
    case requested(ClientRequest, by: ClientToken)
    case received(PeerMessage, from: ProcessID)
    /// The end of a turn: everything that came together was given, and what gathered is proposed, and asked of the
    /// leader, at once.
    case gathered
    case timerFired(ReplicaTimer)
    /// Ten times a second, with what the store says of itself; nil while there is none to ask.
    case beat(StoreReading?)
    /// Who can be reached now, by what is small and by what carries entries.
    case reached([ProcessID])
    /// What other members have said about the commands that they understand, all that is known of it.
    case understood([MemberVersions])

    // The log.
    /// All records up to this one are durable.
    case durable(upTo: RecordNumber)
    /// The log's disk has no room, or has room again; nothing becomes durable in between.
    case logFull(Bool)
    /// The disk has refused room that the log wanted to set aside, or no longer does.
    case logSpaceLow(Bool)

    // The store.
    /// What `MemberCore.nextBatch` has come to is in the store.
    case applied(AppliedBatch)
    /// The next batch is on its way to another thread, which alone writes to the store until it is applied or was not.
    case batchLeft
    /// That batch is not applied.
    case batchReturned
    /// The store has no room for what was to be written, which is to be tried again.
    case storeFull
    /// A little of what was compacted is removed.
    case compacted(CompactionStep)
    /// A restart finds the store at this slot or later.
    case stored(upTo: Slot)
    /// What was to be durable is not; after a sync that has failed nobody knows what of it is.
    case pointFailed(StoreError, isSyncFailed: Bool)

    // The store made anew.
    /// The copy that was wanted is made, or has caught up, and is durable as it says.
    case storeCopied(StoreCopyStanding)
    /// The copy has not taken the store's place, as what it lacked is too much for the time between two turns.
    case switchPutOff(StoreCopyStanding)
    /// The copy, the equal of the store, has taken its place.
    case storeSwitched(StoreCopyStanding)
    /// There is no copy, nor anything left of it.
    case copyFailed(StoreError)
    /// A restart finds the copy; or it could not be brought about.
    case copyPlaced
    case copyNotPlaced(StoreError)

    // Checkpoints.
    /// A checkpoint up to this slot lies complete beside the store.
    case checkpointArrived(CheckpointID, upTo: Slot)
    /// The one that was to be installed could not be moved into place.
    case checkpointNotInstalled
    /// The receiver has installed the checkpoint that this process sent, or it has not.
    case checkpointSent(to: ProcessID, success: Bool)
    /// The transfer of a checkpoint to this process has ended without success.
    case checkpointFailed(ProcessID)

    /// The cluster was formed with this first configuration.
    case formed(Configuration)
    /// Leadership is to go to another before this process stops.
    case handOver
    case stop
}

/// Names a request of a client at one member: the port by which it came, and the token under which it wants the answer.
public struct ClientToken: Hashable, Sendable {
    public let port: UInt64
    public let token: UInt64

    public init(port: UInt64, token: UInt64) {
        self.port = port
        self.token = token
    }
}

public enum ClientRequest: Sendable {
    /// A command in its log form; see `EntryPayload`.
    case command(Payload)
    /// Answered with `.ready` once what is applied here holds everything that was applied anywhere before.
    case linearizableRead
    /// Answered with `.ready` once what is applied here holds everything up to the revision.
    case read(notBefore: Int64)
    case lease(LeaseQuestion)
    case moveLeader(to: ProcessID)
    /// Answered with `.done` once the change is applied here. The leader makes one at a time.
    case changeMembers(ConfigurationChange)
    /// Wait until everything that was compacted up to the revision is physically removed.
    case compactionFinished(Int64)
    /// Make the store anew, without the room that it has to spare.
    case defragment
}

extension ClientRequest {
    public init(_ request: ServiceRequest) {
        switch request {
        case .command(let command): self = .command(EntryPayload.encode(command))
        case .linearizableRead: self = .linearizableRead
        case .read(let revision): self = .read(notBefore: revision)
        case .renewLease(let lease): self = .lease(.renew(lease))
        case .leaseTimeToLive(let lease): self = .lease(.timeToLive(lease))
        case .moveLeader(let target): self = .moveLeader(to: ProcessID(target))
        case .compactionFinished(let revision): self = .compactionFinished(revision)
        case .defragment: self = .defragment
        }
    }
}

/// What members say to each other beside founding their cluster and sending checkpoints.
public enum PeerMessage: Sendable {
    case replica(ReplicaMessage)
    /// Of the leader, under a number of the asking member's choice.
    case question(LeaseQuestion, number: UInt64)
    case answer(LeaseAnswer, to: UInt64)
    /// The sender has led and stops, and wants to know when nothing more comes to it to be proposed.
    case farewell
    case farewellAnswer
}

/// What the store says of itself.
public struct StoreReading: Hashable, Sendable {
    public var bytesInUse: Int
    public var bytesWrittenSincePoint: Int
    public var isSpaceLow: Bool

    public init(bytesInUse: Int, bytesWrittenSincePoint: Int, isSpaceLow: Bool) {
        self.bytesInUse = bytesInUse
        self.bytesWrittenSincePoint = bytesWrittenSincePoint
        self.isSpaceLow = isSpaceLow
    }
}
