import Automata
import Paxos

/// What a replica makes durable.
public enum ReplicaRecord: Hashable, Sendable {
    /// The process started. The incarnation is one more than that of the start before, or than the floor that the
    /// settings give for the first. `isMember`: it had been a member by then, so that when it is none later it was
    /// removed.
    case started(incarnation: UInt64, isMember: Bool)
    case promised(Ballot)
    case accepted(Acceptance)
    /// Up to this slot everything is chosen. Only a hint that saves work after a restart: nothing waits for
    /// it to become durable.
    case chosen(upTo: Slot)
    /// Up to this slot everything is chosen, held by the state machine, and not kept in the log.
    case floor(Slot)

    public struct Acceptance: Hashable, Sendable {
        public var ballot: Ballot
        public var first: Slot
        public var entries: [Entry]
        /// With these entries accepted, everything up to this slot is known to be chosen.
        public var chosenUpTo: Slot

        public init(ballot: Ballot, first: Slot, entries: [Entry], chosenUpTo: Slot) {
            self.ballot = ballot
            self.first = first
            self.entries = entries
            self.chosenUpTo = chosenUpTo
        }
    }

    /// The slots whose entries this record holds. A log segment may go once the last slot of all its records
    /// is below the trim floor and the segment after it has begun with `Replica.segmentPreamble`.
    public var slots: ClosedRange<Slot>? {
        guard case .accepted(let acceptance) = self, !acceptance.entries.isEmpty else { return nil }
        return acceptance.first...acceptance.first.advanced(by: acceptance.entries.count - 1)
    }
}
