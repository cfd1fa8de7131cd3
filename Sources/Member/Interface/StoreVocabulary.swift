import Automata
import Coordination
import Paxos

// What a member and its host say to each other of a store that is made anew, and of checkpoints that arrive.

/// What a store is made anew from.
public enum StoreCopySource: Hashable, Sendable {
    case latest
    /// What a restart would find, which is all that can be relied on after a sync has failed.
    case point
}

/// How far a copy of the store has come.
public struct StoreCopyStanding: Hashable, Sendable {
    /// Everything up to here is in it.
    public let applied: Slot
    /// It is durable up to here.
    public let durable: Slot
    public let revision: Int64

    public init(applied: Slot, durable: Slot, revision: Int64) {
        self.applied = applied
        self.durable = durable
        self.revision = revision
    }
}

/// Names a checkpoint that has arrived; the host counts them.
public struct CheckpointID: Hashable, Sendable {
    public let rawValue: UInt64

    public init(_ rawValue: UInt64) { self.rawValue = rawValue }
}

/// Why a checkpoint is not installed.
public enum CheckpointRefusal: Hashable, Sendable {
    /// Another one came while it waited.
    case isOvertaken
    /// It holds nothing that is not applied already.
    case isOld
    case isStopping
}

/// Why a member cannot go on.
public enum MemberFailure: Hashable, Sendable {
    /// The store cannot be made durable.
    case point(StoreError)
    /// The store cannot be made anew after a failed sync.
    case rebuild(StoreError)
    /// The store that was made anew, and is in use, cannot be put where a restart finds it.
    case place(StoreError)
}
