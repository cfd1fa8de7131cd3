import Automata

/// The rounds of heartbeats in which a leader asks whether its ballot still stands.
///
/// An answer to a round confirms those before it as well: whoever gives it had promised nothing higher until then.
struct QuorumRounds: Hashable, Sendable {
    private struct Open: Hashable, Sendable {
        let number: UInt64
        let begunAt: Instant
    }

    /// The last that was begun, counted from 1.
    private(set) var current: UInt64 = 0
    /// Those that a quorum has not answered, ascending.
    private var open: [Open] = []
    /// A phase-2 quorum has answered this round or a later one.
    private(set) var confirmed: UInt64 = 0
    /// When `confirmed` was begun, unless the configuration changed since.
    private(set) var confirmedAt: Instant?
    /// The round under way when the leader last checked that it has a quorum.
    private var checked: UInt64 = 0

    /// Whether no round is under way.
    var isOver: Bool { confirmed == current }

    mutating func begin(at now: Instant) {
        current += 1
        open.append(Open(number: current, begunAt: now))
    }

    /// A quorum has answered this round.
    mutating func confirm(_ round: UInt64) {
        guard round > confirmed else { return }
        confirmed = round
        while let first = open.first, first.number <= round {
            confirmedAt = first.begunAt
            open.removeFirst()
        }
    }

    /// Whether a quorum has answered a round that was begun after the last check, or was under way then.
    mutating func check() -> Bool {
        guard confirmed > checked else { return false }
        checked = current
        return true
    }

    /// What a quorum of the configuration before has confirmed says nothing about the one that is in force.
    mutating func enterConfiguration() { confirmedAt = nil }
}
