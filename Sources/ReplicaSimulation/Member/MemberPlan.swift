import Automata
import Member
import Paxos
import PeerLinks
import Replica
import Simulation

/// What one run of members is like.
struct MemberPlan {
    /// The first members, then the spares that changes may bring in.
    let voters: [ProcessID]
    var learners: [ProcessID]
    let spares: [ProcessID]
    var mix: FaultMix
    var host: MemberHost.Settings
    let connections: ConnectionPolicy?
    var faultySpan: TimeSpan
    let requestGap: TimeSpan
    /// How much clients ask for while faults strike; any number when it is nil.
    var operations: Int?
    var fillsStores: Bool
    var stopsMembers: Bool
    var hasQuota: Bool
    var troubles: MemberTroubles

    init(_ options: MemberRun.Options, from random: inout SeededRandom) {
        let count = random.element([1, 2, 3, 3, 3, 5])
        troubles = MemberTroubles(seed: options.seed, voters: count)
        let all = (1...UInt64(count + troubles.learners + MemberTroubles.spares)).map { ProcessID($0) }
        voters = Array(all[..<count])
        learners = Array(all[count..<count + troubles.learners])
        spares = Array(all[(count + troubles.learners)...])
        mix = FaultMix.drawn(processes: count, from: &random)

        var replica = Replica.Settings(process: voters[0])
        replica.heartbeatInterval = .milliseconds(random.element([10, 30, 100]))
        replica.electionTimeout = replica.heartbeatInterval * random.element([5, 10])
        replica.catchUpEntries = random.element([0, random.number(in: 0...20), random.number(in: 0...200)])
        if random.coin() { replica.entriesInFlightLimit = random.number(in: 4...60) }
        if random.coin() { replica.unappliedEntriesLimit = random.number(in: 10...200) }
        if random.chance(300_000) {
            replica.leaseReadsClockDriftPPM = 50_000
            mix.clockSkewPPM = min(mix.clockSkewPPM, 20_000)
            // Such reads rest on clocks that differ by no more than that.
            troubles.clockJumps = nil
        }
        requestGap = .milliseconds(random.element([5, 15, 40, 150]))

        var member = MemberCore.Settings(electionTimeout: replica.electionTimeout, firstNumber: 1)
        member.limits.requestTimeout = .seconds(3)
        member.checkpointEntries = random.element([1, 5, 20, 100])
        hasQuota = random.chance(150_000)
        member.limits.quotaBytes = hasQuota ? random.number(in: 1_500...8_000) : 0
        if random.coin() { member.pendingRequestLimit = random.number(in: 4...40) }
        if random.chance(300_000) { member.autoCompaction = .revision(Int64(random.number(in: 5...60))) }
        host = MemberHost.Settings(
            replica: replica, member: member, first: Self.first(voters, learners, options), processes: all,
            segmentBytes: random.element([5, 10, 40]) << 10,
            applyDelay: random.coin() ? .zero : .milliseconds(random.element([1, 20, 200])),
            awayPerMille: random.coin() ? 0 : random.below(300), flaw: options.flaw)
        faultySpan = .milliseconds(UInt64(random.number(in: 4_000...15_000)))
        fillsStores = random.chance(300_000)
        stopsMembers = random.chance(400_000)
        connections = Self.connections(&mix, replica, &random)
        (mix.suspensions, mix.clockJumps, mix.slowDisks) =
            (troubles.suspensions, troubles.clockJumps, troubles.slowDisks)
        options.reduction.apply(to: &self)
    }

    var processes: [ProcessID] { host.processes }

    /// Each voter with its disk.
    private static func first(
        _ voters: [ProcessID], _ learners: [ProcessID], _ options: MemberRun.Options
    ) -> Configuration {
        let names = DiskNames(seed: options.seed)
        let disks = voters.map { Configuration.MemberDisk($0, names.disk(of: $0)) }
        return Configuration(
            voters: voters, learners: learners, disks: options.flaw == .emptyMembersVote ? [] : disks)
    }

    private static func connections(
        _ mix: inout FaultMix, _ replica: Replica.Settings, _ random: inout SeededRandom
    ) -> ConnectionPolicy? {
        guard random.coin() else { return nil }
        mix.network.isOrdered = true
        mix.network.duplicationPPM = 0
        // What is late holds up all that is behind it.
        mix.network.lossPPM /= 10
        mix.network.delay.spikesPPM /= 10
        let gap = random.span(in: .milliseconds(200) ... .seconds(3))
        if random.coin() { mix.resets = .init(every: gap, lasting: .zero ... .zero) }
        if random.coin() { mix.halfOpens = .init(every: gap, lasting: .zero ... .zero) }
        if random.coin() { mix.powerCutsPPM = 500_000 }
        return ConnectionPolicy(
            LinkTimes(electionTimeout: replica.electionTimeout), carriedWithinTimeout: nil)
    }
}
