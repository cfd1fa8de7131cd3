import Automata
import Paxos

/// A process that asks whether it would be followed, before it disturbs anybody.
struct Canvassing: Hashable, Sendable {
    let ballot: Ballot
    /// Who would promise, this process included, in ascending order.
    var granted: [ProcessID]
}

/// Phase 1 under way.
struct Preparing: Hashable, Sendable {
    /// How far an acceptor has told what it accepted.
    struct Progress: Hashable, Sendable {
        let acceptor: ProcessID
        /// The first slot that it has not told of.
        var next: Slot
        /// What it knew to be chosen; `nil` before its first promise.
        var chosenUpTo: Slot?
    }

    var collection: PromiseCollection
    /// The promise of this process counts once this record is durable.
    let ownRecord: RecordNumber
    /// The ballot of the leader that asked this process to take over.
    let successorOf: Ballot?
    /// One for every voter but this process, in ascending order.
    var progress: [Progress]
    /// Who was asked for a checkpoint, as it has trimmed what this process needs.
    var checkpointSource: ProcessID?
    /// How often phase 1 has got further.
    var steps: UInt64 = 0
    /// `steps` when everybody was last told.
    var stepsTold: UInt64 = 0
    /// Whether anything worth waiting for came since the election timer was set.
    var hasProgressed = false
}
