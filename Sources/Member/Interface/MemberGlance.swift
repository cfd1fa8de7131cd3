import Automata
import Coordination
import Paxos

/// What a host may look at between two turns: it is renewed by `.gathered`, `.beat`, `.durable` where that leaves something
/// to apply, what becomes of the store, and a change of leader.
public struct MemberGlance: Sendable {
    public fileprivate(set) var leader: ProcessID?
    public fileprivate(set) var isLeading = false
    /// When it was heard from last, or as leader a quorum.
    public fileprivate(set) var leaderHeard: Instant?
    /// The round of the highest ballot that this process knows of.
    public fileprivate(set) var ballotRound: UInt64 = 0
    public fileprivate(set) var chosen = Slot.zero
    public fileprivate(set) var applied = Slot.zero
    public fileprivate(set) var revision: Int64 = 1
    public fileprivate(set) var compactRevision: Int64 = -1
    /// Raised, by member.
    public fileprivate(set) var alarms: [Alarm] = []
    public fileprivate(set) var pendingProposals = 0
    public fileprivate(set) var leases = 0
    /// Whether nothing and nobody waits for anything but the one proposal in hand.
    public fileprivate(set) var hasOneProposal = false
    /// Whether there is something to write to the store, and it may be written.
    public fileprivate(set) var isBatchDue = false
    public fileprivate(set) var isCompactionDue = false

    public init() {}
}

extension MemberCore {
    mutating func lookAround() {
        glance.leader = leadership.leader
        glance.isLeading = leadership.leader == me
        glance.leaderHeard = replica.leaderHeard
        glance.ballotRound = max(glance.ballotRound, replica.ballot.round)
        glance.applied = applier.applied
        glance.chosen = max(applier.applied, replica.chosenUpTo)
        glance.revision = applier.ledger.revision
        glance.compactRevision = applier.ledger.compactRevision
        if glance.alarms != applier.ledger.alarms { glance.alarms = applier.ledger.alarms }
        glance.pendingProposals = proposals.count
        glance.leases = leases.count
        glance.hasOneProposal =
            proposals.count == 1 && replica.configuration.voters.count == 1
            && replica.configuration.learners.isEmpty
        let mayWrite =
            !isBatchAway && !isStoreSuspended
            && !(room.isStoreFull && now < room.retry)
        glance.isBatchDue = mayWrite && applier.hasWork
        glance.isCompactionDue = mayWrite && !applier.hasWork && compaction.hasWork
    }
}
