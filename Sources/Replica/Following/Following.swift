import Automata
import Paxos

/// What a process knows of those who lead or want to: whom it follows, and for how long it owes them silence.
///
/// Every process has one, whatever else it is: a leader is the one that it follows, and hears itself whenever it
/// asks the others whether it still leads.
struct Following: Hashable, Sendable {
    /// Whoever was not heard for this long is not waited for.
    private let patience: TimeSpan
    /// The leader, once this process has heard from it at the promised ballot.
    var leader: ProcessID?
    private var startedAt: Instant?
    /// When a leader was heard from last, and at which ballot.
    private(set) var heardAt: Instant?
    private var heardBallot: Ballot?
    /// How far the candidate to which this process has promised had got when it was heard from last, and when
    /// it had last got further.
    private var candidateProgress: UInt64 = 0
    private var candidateHeardAt: Instant?

    init(patience: TimeSpan) { self.patience = patience }

    mutating func noteStart(at now: Instant) { startedAt = now }

    /// A leader, this process perhaps, has spoken.
    mutating func noteHeard(_ ballot: Ballot, at now: Instant) {
        heardAt = now
        heardBallot = ballot
    }

    /// The process has promised another ballot: nothing is known of how far its candidate is.
    mutating func enterBallot() {
        candidateProgress = 0
        candidateHeardAt = nil
    }

    /// The candidate to which this process has just promised for the first time begins with this progress.
    mutating func beginWaiting(forCandidateAt progress: UInt64) {
        candidateProgress = max(candidateProgress, progress)
    }

    /// The candidate asks again; whether it has got further since it was heard last.
    mutating func noteCandidate(at progress: UInt64, at now: Instant) -> Bool {
        guard progress > candidateProgress else { return false }
        candidateProgress = progress
        candidateHeardAt = now
        return true
    }

    /// This process is the candidate, and has got further.
    mutating func noteOwnProgress(at now: Instant) { candidateHeardAt = now }

    /// Whether this process follows a leader that it heard from within the last election timeout.
    func hearsFromLeader(at now: Instant) -> Bool { leader != nil && isRecent(heardAt, at: now) }

    /// Whether the candidate to which this process has promised, itself perhaps, has got further with phase 1
    /// within the last election timeout. How long phase 1 takes depends on how much is open; whoever deposed
    /// such a candidate would have to begin with the same work.
    func seesCandidateProgress(at now: Instant) -> Bool {
        leader == nil && isRecent(candidateHeardAt, at: now)
    }

    /// Whether a leader may still count on this process's silence. After a start it cannot know whom it was
    /// following before.
    func owesSilence(at now: Instant) -> Bool { isRecent(startedAt, at: now) || isRecent(heardAt, at: now) }

    /// Whether the lease that binds this process, if any does, is that of the leader who asked for a successor.
    /// No other leader can be bypassed: it has not given up its lease.
    func isReleased(toSuccessorOf ballot: Ballot?, at now: Instant) -> Bool {
        ballot != nil && heardBallot == ballot && !isRecent(startedAt, at: now)
    }

    private func isRecent(_ instant: Instant?, at now: Instant) -> Bool {
        instant.map { now < $0 + patience } ?? false
    }
}
