import Automata

/// The memory of Paxos: it promises ballots and accepts values. (Lamport, Paxos Made Simple, 2001.)
///
/// ```
///   proposer            acceptor
///      │ prepare(b) ───────▶│  P1: b ≥ promised → promised := b
///      │◀─────── promise(b) │      answers with all that it accepted
///      │ accept(b, s, v) ──▶│  P2: b ≥ promised → promised := b, accepted[s] := (b, v)
///      │◀── accepted(b, s)  │
///      │◀── nack(promised)  │      otherwise, in both phases
/// ```
///
/// Guarantees: `promised` never falls, and nothing is accepted at a ballot below it. Both hold across
/// restarts only if the caller makes every change durable before it answers.
public struct Acceptor: Hashable, Sendable {
    public private(set) var promised: Ballot
    public private(set) var accepted: AcceptedLog

    public enum PrepareAnswer: Hashable, Sendable {
        /// Promised; `changed` when the promise is new and must be made durable.
        case promised(changed: Bool)
        /// A higher ballot was promised before.
        case nack(Ballot)
    }

    public enum AcceptAnswer: Hashable, Sendable {
        case accepted
        /// A higher ballot was promised before.
        case nack(Ballot)
        /// Nothing was accepted: the entries would leave a hole after this slot.
        case gap(after: Slot)
    }

    public init(promised: Ballot = .none, accepted: AcceptedLog = AcceptedLog()) {
        self.promised = promised
        self.accepted = accepted
    }

    /// Phase 1: promises to accept nothing below `ballot`, in any slot.
    public mutating func prepare(_ ballot: Ballot) -> PrepareAnswer {
        guard ballot >= promised else { return .nack(promised) }
        let changed = ballot > promised
        promised = ballot
        return .promised(changed: changed)
    }

    /// Phase 2: accepts `entries` at consecutive slots from `first` on. Slots up to the floor are chosen and
    /// skipped.
    public mutating func accept(_ ballot: Ballot, first: Slot, entries: [Entry]) -> AcceptAnswer {
        guard ballot >= promised else { return .nack(promised) }
        guard first <= accepted.last.next else { return .gap(after: accepted.last) }
        promised = ballot
        if first > accepted.floor {
            accepted.write(entries, at: first, ballot: ballot)
        } else {
            let skipped = Int(accepted.floor.rawValue - first.rawValue) + 1
            accepted.write(Array(entries.dropFirst(skipped)), at: accepted.floor.next, ballot: ballot)
        }
        return .accepted
    }

    /// Forgets every slot up to `slot`. They must be chosen and held by a state machine.
    public mutating func trim(upTo slot: Slot) { accepted.raiseFloor(to: slot) }
}
