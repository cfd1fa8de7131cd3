import Automata
import Paxos

/// Lease reads; see `Settings.leaseReadsClockDriftPPM`.
extension Leadership {
    /// Whether a quorum is bound to silence still.
    func holdsLease(at now: Instant, _ settings: Replica.Settings) -> Bool {
        guard let drift = settings.leaseReadsClockDriftPPM, !hasForfeitedLease,
            let confirmedAt = rounds.confirmedAt
        else { return false }
        let whole = settings.electionTimeout.nanoseconds
        // Rounded against the lease.
        let lost = whole / 1_000_000 * drift + drift
        guard lost < whole else { return false }
        return now < confirmedAt + TimeSpan(nanoseconds: whole - lost)
    }
}
