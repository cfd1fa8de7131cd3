import Paxos

/// Checkpoints that lie complete beside the store: which of them waits, and which is being installed.
struct CheckpointDesk: Sendable {
    /// Until the batch that is away is back, or the copy that is the store is in place.
    private var waiting: (id: CheckpointID, slot: Slot)?
    /// The host moves it into place.
    private var installing: CheckpointID?

    var isInstalling: Bool { installing != nil }

    /// The one that waited before, and gives way to the later one.
    mutating func wait(_ id: CheckpointID, _ slot: Slot) -> CheckpointID? {
        defer { waiting = (id, slot) }
        return waiting?.id
    }

    mutating func takeWaiting() -> (id: CheckpointID, slot: Slot)? {
        defer { waiting = nil }
        return waiting
    }

    mutating func begin(_ id: CheckpointID) { installing = id }
    mutating func end() { installing = nil }
}
