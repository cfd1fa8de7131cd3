import Automata
import Paxos

/// Dropping from the log what the state machine holds and no member needs from it any more.
extension Replica {
    mutating func onStored(upTo slot: Slot, _ outputs: inout [ReplicaOutput]) {
        guard slot > storedUpTo else { return }
        precondition(slot <= deliveredUpTo, "\(slot) is stored, and only \(deliveredUpTo) was handed up")
        storedUpTo = slot
        // Lets a restart keep the log behind the stored slot, which only helps others.
        if hintedUpTo < chosenUpTo {
            hintedUpTo = chosenUpTo
            persist(.chosen(upTo: chosenUpTo), &outputs)
        }
        trim(&outputs)
    }

    /// Drops what lies further behind the stored slot than members may lag, a quarter of that at a time.
    private mutating func trim(_ outputs: inout [ReplicaOutput]) {
        let log = acceptor.accepted
        guard storedUpTo > log.floor else { return }
        var count = Int(storedUpTo.rawValue - log.floor.rawValue)
        var bytes = log.sizeHint(after: log.floor, through: storedUpTo)
        guard
            count > settings.catchUpEntries + settings.catchUpEntries / 4
                || bytes > settings.catchUpBytes + settings.catchUpBytes / 4
        else { return }
        var floor = log.floor
        while floor < storedUpTo, count > settings.catchUpEntries || bytes > settings.catchUpBytes {
            floor = floor.next
            count -= 1
            bytes -= log[floor].sizeHint
        }
        acceptor.trim(upTo: floor)
        outputs.append(.trim(before: floor.next))
    }
}
