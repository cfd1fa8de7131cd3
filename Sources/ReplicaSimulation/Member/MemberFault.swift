import Automata
import Paxos
import Simulation

/// A kind of fault, or of hardship, that a run of members may be spared, as it is called on a command line.
public enum MemberFault: String, Hashable, Sendable, CaseIterable {
    case crashes
    /// All members at once.
    case blackouts
    /// A crash takes the machine along, and what its disk had not synced.
    case powerLosses = "power-losses"
    /// A machine goes without a word to those who had connections to it.
    case silentMachines = "silent-machines"
    case failedStarts = "failed-starts"
    case failedSyncs = "failed-syncs"
    case slowSyncs = "slow-syncs"
    case partitions
    case cloggedLinks = "clogged-links"
    case lostMessages = "lost-messages"
    case repeatedMessages = "repeated-messages"
    case lateMessages = "late-messages"
    case resets
    case halfOpens = "half-opens"
    case pauses
    case clockRates = "clock-rates"
    case fullStores = "full-stores"
    case quotas
    case stops
    case slowApplying = "slow-applying"
    /// Batches that another thread applies.
    case otherThreads = "other-threads"
    case smallLimits = "small-limits"
    case learners
    case memberChanges = "member-changes"
    case lostDisks = "lost-disks"
    case damagedLogs = "damaged-logs"
    case suspensions
    case clockJumps = "clock-jumps"
    case slowDisks = "slow-disks"

    /// Takes it out of a run, whose other parts stay as they were drawn.
    func leave(_ plan: inout MemberPlan) {
        switch self {
        case .crashes: plan.mix.crashes = nil
        case .blackouts: plan.mix.blackoutsPPM = 0
        case .powerLosses: plan.mix.crashRules.powerLossPPM = 0
        case .silentMachines: plan.mix.powerCutsPPM = 0
        case .failedStarts: plan.mix.failedStartsPPM = 0
        case .failedSyncs: plan.mix.failedSyncsPPM = 0
        case .slowSyncs: plan.mix.sync.spikesPPM = 0
        case .partitions: plan.mix.partitions = nil
        case .cloggedLinks: plan.mix.clogs = nil
        case .lostMessages: plan.mix.network.lossPPM = 0
        case .repeatedMessages: plan.mix.network.duplicationPPM = 0
        case .lateMessages: plan.mix.network.delay.spikesPPM = 0
        case .resets: plan.mix.resets = nil
        case .halfOpens: plan.mix.halfOpens = nil
        case .pauses: plan.mix.pauses = nil
        case .clockRates: plan.mix.clockSkewPPM = 0
        case .fullStores: plan.fillsStores = false
        case .quotas:
            plan.hasQuota = false
            plan.host.member.limits.quotaBytes = 0
        case .stops: plan.stopsMembers = false
        case .slowApplying: plan.host.applyDelay = .zero
        case .otherThreads: plan.host.awayPerMille = 0
        case .smallLimits:
            plan.host.replica.entriesInFlightLimit = 1_000
            plan.host.replica.unappliedEntriesLimit = 1_000
            plan.host.member.pendingRequestLimit = 1_000
        case .learners:
            plan.learners = []
            plan.host.first = Configuration(voters: plan.voters, disks: plan.host.first.disks)
        case .memberChanges: plan.troubles.changes = .none
        case .lostDisks: plan.troubles.lossGap = nil
        case .damagedLogs: plan.troubles.damageGap = nil
        case .suspensions: plan.mix.suspensions = nil
        case .clockJumps: plan.mix.clockJumps = nil
        case .slowDisks: plan.mix.slowDisks = nil
        }
    }
}
