import Automata
import Paxos

extension Replica {
    /// The entries of consecutive slots behind `slot` that are chosen, as many as fit into `bytesLimit`, at least one
    /// when there is one, and none past `end`: for a host that applies them to another copy of its state. What is
    /// not yet stored is always there.
    public func chosenEntries(after slot: Slot, through end: Slot, bytesLimit: Int) -> [Entry] {
        precondition(end <= chosenUpTo, "\(end) is not chosen")
        precondition(slot >= acceptor.accepted.floor, "\(slot.next) is trimmed")
        return acceptor.accepted.entries(
            from: slot.next, through: end, bytesLimit: bytesLimit)
    }
}
