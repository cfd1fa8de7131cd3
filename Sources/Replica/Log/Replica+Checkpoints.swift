import Automata
import Paxos

/// Checkpoints for processes that need what was trimmed.
extension Replica {
    mutating func onCheckpointWanted(
        behind slot: Slot, from process: ProcessID, _ outputs: inout [ReplicaOutput]
    ) {
        // It asked before it got further by the log.
        guard slot < acceptor.accepted.floor else { return }
        sendCheckpoint(to: process, &outputs)
    }

    /// At most one at a time to each process.
    mutating func sendCheckpoint(to process: ProcessID, _ outputs: inout [ReplicaOutput]) {
        guard !checkpointReceivers.contains(process) else { return }
        checkpointReceivers.append(process)
        checkpointReceivers.sort()
        outputs.append(.sendCheckpoint(to: process))
    }

    mutating func onCheckpointSent(to process: ProcessID) {
        checkpointReceivers.removeAll { $0 == process }
        leadership?.noteCheckpointSent(to: process)
    }

    mutating func onCheckpointFailed(_ other: ProcessID) {
        checkpointReceivers.removeAll { $0 == other }
        preparing?.noteCheckpointFailed(other)
    }

    mutating func onCheckpointInstalled(
        upTo slot: Slot, _ installed: Configuration, _ outputs: inout [ReplicaOutput]
    ) {
        appliedUpTo = max(appliedUpTo, slot)
        deliveredUpTo = max(deliveredUpTo, slot)
        storedUpTo = max(storedUpTo, slot)
        // The log overtook the checkpoint: everything is known already.
        guard slot > chosenUpTo else { return }
        // It came to lead while the checkpoint was on its way. A leader with a higher ballot may have chosen
        // something else where this one has proposed, and others may have accepted that: nobody may ever be
        // told at this ballot that it is chosen.
        if leadership != nil { stepDown(&outputs) }
        // For the same reason nothing of what was accepted there is kept.
        acceptor.trim(upTo: slot)
        chosenUpTo = slot
        hintedUpTo = max(hintedUpTo, slot)
        persist(.floor(slot), &outputs)
        acceptedUpTo = max(acceptedUpTo, slot)
        extendAccepted()
        if installed.epoch > configuration.epoch {
            configuration = installed
            // The checkpoint holds the entry after the one that brought it, as that one is applied.
            configurationSlot = Slot(slot.rawValue - 1)
            outputs.append(.configurationChanged(configuration))
        } else {
            resumePreparing(&outputs)
        }
    }
}
