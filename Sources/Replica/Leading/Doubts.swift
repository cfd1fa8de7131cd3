import Automata
import Paxos

/// What others know that does not fit a leader's knowledge.
///
/// A leader that has chosen in its ballot has proposed in every slot in which anything can have been chosen, unless a
/// higher ballot was. Whoever knows more to be chosen is doubted until a quorum confirms, in a round begun afterwards,
/// that no higher ballot was promised. Then some acceptor has forgotten what it had promised or accepted.
struct Doubts: Hashable, Sendable {
    struct Doubt: Hashable, Sendable {
        let process: ProcessID
        let slot: Slot
        /// The round under way when it was heard.
        let round: UInt64
        let epoch: UInt64
    }

    /// One at a time, as long as a higher ballot may still explain it.
    private var open: Doubt?
    /// Whose contradiction was reported.
    private var contradicted: [ProcessID] = []

    /// A contradiction of each process is reported once.
    mutating func raise(_ doubt: Doubt) {
        guard open == nil, !contradicted.contains(doubt.process) else { return }
        open = doubt
    }

    /// The doubt that nothing explains now that this round is confirmed in this epoch.
    mutating func settle(confirmed round: UInt64, in epoch: UInt64) -> Doubt? {
        guard let doubt = open else { return nil }
        guard doubt.epoch == epoch else {
            open = nil
            return nil
        }
        guard round > doubt.round else { return nil }
        open = nil
        contradicted.append(doubt.process)
        return doubt
    }
}
