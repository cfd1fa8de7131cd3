import Automata
import Paxos
import Replica
import Simulation

/// What one run is like: everything in it is drawn from the seed.
struct RunPlan {
    /// The first members, then the spares that changes of the configuration may bring in.
    let members: [ProcessID]
    let spares: [ProcessID]
    let bootstrap: Configuration
    var mix: FaultMix
    var host: ReplicaHost.Settings
    /// How long faults strike.
    let faultySpan: TimeSpan
    /// How long everything may take to be well again once they have stopped.
    let patience: TimeSpan
    /// The mean time between two things that clients ask for.
    let requestGap: TimeSpan
    /// Clients ask for nothing more while so many of their writes have no answer.
    let unansweredWritesLimit: Int
    /// Now and then a quorum is spared for a while, and must get on within this time while all others go on
    /// failing; `nil` when none is.
    let shelters: (every: TimeSpan, patience: TimeSpan)?
    let reconfigures: Bool
    let transfers: Bool
    /// Of all requests, how many are to hand over.
    let transfersPerMille: UInt64
    /// When faults stop, only a quorum becomes healthy.
    let leavesSomeOut: Bool
    /// Faults strike only once the cluster is formed.
    let formsInPeace: Bool
    /// The mean time between two members that lose a disk, a log or a store; `nil` when none does.
    let wipeGap: TimeSpan?
    let links: LinkPlan

    init(options: RunOptions, from random: inout SeededRandom) {
        let count = options.processes
        members = (1...count).map { ProcessID(UInt64($0)) }
        spares = (count + 1...count + 3).map { ProcessID(UInt64($0)) }
        reconfigures = random.chance(400_000) && options.bootstrap == nil
        transfers = random.coin()
        leavesSomeOut = !reconfigures && random.chance(400_000)
        bootstrap = options.bootstrap ?? Self.configuration(members, reconfigures, &random)
        let drawn = FaultMix.drawn(processes: count, from: &random)
        mix = options.mix ?? drawn

        var replica = Replica.Settings(process: members[0])
        replica.heartbeatInterval = .milliseconds(random.element([10, 30, 100]))
        replica.electionTimeout = replica.heartbeatInterval * random.element([5, 10])
        if random.coin() { replica.entriesInFlightLimit = random.number(in: 1...40) }
        if random.coin() { replica.batchBytesLimit = random.number(in: 100...4_000) }
        if random.coin() { replica.messagesInFlightLimit = random.number(in: 1...4) }
        if random.coin() { replica.unappliedEntriesLimit = random.number(in: 5...200) }
        // Few, and not so few that one process's reads can crowd out another's for as long as a quorum is spared.
        if random.coin() { replica.waitingReadsLimit = random.number(in: 4...20) }
        // Nothing kept, little, or some.
        replica.catchUpEntries = random.element([
            0, random.number(in: 0...10), random.number(in: 0...200), random.number(in: 0...200),
        ])
        if random.coin() {
            replica.catchUpBytes = random.number(in: random.coin() ? 0...200 : 1_000...100_000)
        }
        replica.promotionLagLimit = random.number(in: 0...100)
        if random.chance(300_000) {
            replica.leaseReadsClockDriftPPM = 50_000
            // Two clocks may then differ by twice the skew of one, and by a little more.
            mix.clockSkewPPM = min(mix.clockSkewPPM, 20_000)
        }
        // What is open after a leader is large, and travels in small pieces over long ways.
        if random.chance(60_000) {
            replica.batchBytesLimit = random.number(in: 50...200)
            replica.entriesInFlightLimit = 400
            replica.messagesInFlightLimit = 16
            mix.network.delay.usual = TimeSpan(nanoseconds: replica.electionTimeout.nanoseconds / 20)
        }
        host = ReplicaHost.Settings(
            replica: replica, slotsPerStore: UInt64(random.element([1, 5, 20, 100, 500])),
            segmentBytes: random.element([5, 6, 10, 40]) << 10,
            applyDelay: random.coin() ? .zero : .milliseconds(random.element([1, 20, 200])),
            flaw: options.flaw)
        faultySpan = .milliseconds(UInt64(random.number(in: 4_000...15_000)))
        patience = .seconds(60)
        requestGap = .milliseconds(random.element([3, 10, 40, 200]))
        // An election takes a few timeouts, and a flapping process may come to lead again before a spared one does.
        // Catching up takes as long as the slowest state machine.
        shelters =
            random.chance(600_000)
            ? (
                every: .milliseconds(UInt64(random.number(in: 500...4_000))),
                patience: replica.electionTimeout * 30 + host.applyDelay * 20 + .seconds(3)
            ) : nil
        // What is chosen in bounded time waits behind a bounded queue.
        unansweredWritesLimit = shelters == nil ? .max : 200
        if shelters != nil { host.replica.entriesInFlightLimit = min(host.replica.entriesInFlightLimit, 400) }
        transfersPerMille = !transfers ? 0 : random.chance(250_000) ? 60 : 6
        formsInPeace = random.chance(700_000)
        let wipes = options.mix == nil && count > 2 && random.chance(400_000)
        wipeGap = wipes ? .milliseconds(UInt64(random.number(in: 500...5_000))) : nil
        links = LinkPlan(
            seed: options.seed, &mix, &host.replica, requestGap: requestGap, isPlain: options.mix != nil)
        host.transfers = links.transfers
        host.members = members
        host.quorums = bootstrap.quorums
    }

    /// Mostly majorities; now and then another quorum system.
    private static func configuration(
        _ members: [ProcessID], _ reconfigures: Bool, _ random: inout SeededRandom
    ) -> Configuration {
        let count = members.count
        var quorums = QuorumSystem.majority
        if !reconfigures, random.chance(400_000) {
            switch random.index(3) {
            case 0:
                let phase2 = random.number(in: 1...count)
                quorums = .flexible(phase1: count + 1 - phase2, phase2: phase2)
            case 1:
                let weights = members.map { QuorumSystem.Weight($0, UInt64(random.number(in: 1...3))) }
                let total = weights.reduce(0) { $0 + $1.weight }
                quorums = .weighted(weights, phase1: total / 2 + 1, phase2: total / 2 + 1)
            default:
                let split = random.number(in: 1...count - 1)
                quorums = .grid(rows: [Array(members[..<split]), Array(members[split...])])
            }
        }
        guard let configuration = try? Configuration(voters: members, quorums: quorums) else {
            preconditionFailure("\(quorums) does not fit \(members)")
        }
        return configuration
    }
}

/// What a caller chooses about a run.
public struct RunOptions: Sendable {
    public var seed: UInt64
    /// How many processes the cluster begins with.
    public var processes: Int
    public var keeping: Trace.Keeping = .hashOnly
    package var flaw: HostFlaw?
    /// Instead of the configuration that the seed draws.
    public var bootstrap: Configuration?
    /// Instead of the mix that the seed draws.
    public var mix: FaultMix?

    public init(seed: UInt64, processes: Int) {
        self.seed = seed
        self.processes = processes
    }
}
