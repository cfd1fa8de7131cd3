import Automata

/// Which faults a run has, how often and how hard. Every seed draws its own, so that some runs have one
/// kind of fault in plenty and others all of them (swarm testing: Groce et al., ISSTA 2012).
public struct FaultMix: Hashable, Sendable {
    /// A kind of fault that strikes now and then and lasts a while.
    public struct Strikes: Hashable, Sendable {
        /// The mean time between two.
        public var every: TimeSpan
        public var lasting: ClosedRange<TimeSpan>

        public init(every: TimeSpan, lasting: ClosedRange<TimeSpan>) {
            self.every = every
            self.lasting = lasting
        }
    }

    public var network = Network.Rules()
    public var sync = Delay(least: TimeSpan(nanoseconds: 100_000), usual: TimeSpan(nanoseconds: 200_000))
    public var crashRules = SimulatedDisk.CrashRules()

    /// How often a turn with the files meets a sync that fails, in parts per million.
    public var failedSyncsPPM: UInt64 = 0
    /// How often a process that starts goes down again before it has read its files, in parts per million.
    public var failedStartsPPM: UInt64 = 0

    public var crashes: Strikes?
    /// How many processes may be down at once.
    public var mostDown = 1
    /// How often a crash takes all processes at once, in parts per million.
    public var blackoutsPPM: UInt64 = 0
    public var partitions: Strikes?
    public var partitionKinds: [PartitionKind] = PartitionKind.allCases
    public var clogs: Strikes?
    public var pauses: Strikes?
    /// Where processes speak over connections: one ends with all that is on its way.
    public var resets: Strikes?
    /// Those of two processes with each other lead nowhere any more, and nobody is told.
    public var halfOpens: Strikes?
    /// How often a crash takes the machine along, so that nobody is told, in parts per million.
    public var powerCutsPPM: UInt64 = 0
    /// A machine sleeps: its clock goes on, its timers stand still, and what is sent to it meanwhile is lost.
    public var suspensions: Strikes?
    /// A clock leaps ahead by as much as `lasting` says.
    public var clockJumps: Strikes?
    /// A disk takes as long for each sync as `slowSync` says.
    public var slowDisks: Strikes?
    public var slowSync = Delay(least: .milliseconds(20), usual: .milliseconds(150))
    /// How many faults strike at most, of whatever kind; any number when it is nil. A process that comes up and goes
    /// down again, a sync that fails and what the network does to single messages are none of these.
    public var mostStrikes: Int?
    /// Every clock runs at a rate of its own, fast or slow by at most this much.
    public var clockSkewPPM: UInt64 = 0

    /// No faults: a network and a disk that take some time.
    public init() {}

    /// Processes crash often and come back at once, links fail in part, and nothing else happens: most time
    /// goes to changes of leader.
    public static var restless: FaultMix {
        var mix = FaultMix()
        mix.network.delay = Delay(least: TimeSpan(nanoseconds: 100_000), usual: .milliseconds(6))
        mix.crashes = Strikes(every: .milliseconds(50), lasting: .milliseconds(1) ... .milliseconds(10))
        mix.partitions = Strikes(
            every: .milliseconds(300), lasting: .milliseconds(100) ... .milliseconds(600))
        mix.partitionKinds = [.star, .chain, .scattered]
        return mix
    }

    /// A mix for `count` processes: each kind of fault is present in about two of three runs.
    public static func drawn(processes count: Int, from random: inout SeededRandom) -> FaultMix {
        var mix = FaultMix()
        func present() -> Bool { random.chance(650_000) }
        func gap(_ range: ClosedRange<UInt64>) -> TimeSpan {
            random.span(in: .milliseconds(range.lowerBound) ... .milliseconds(range.upperBound))
        }
        mix.network.isOrdered = random.coin()
        let usual = TimeSpan(nanoseconds: random.element([100_000, 500_000, 2_000_000, 10_000_000]))
        mix.network.delay = Delay(least: TimeSpan(nanoseconds: 30_000), usual: usual)
        if present() {
            mix.network.delay.spikesPPM = random.below(20_000)
            mix.network.delay.spike = gap(10...2_000)
        }
        if present() { mix.network.lossPPM = random.below(random.coin() ? 10_000 : 150_000) }
        if present() { mix.network.duplicationPPM = random.below(100_000) }
        mix.sync.usual = TimeSpan(nanoseconds: random.element([50_000, 300_000, 3_000_000]))
        if present() {
            mix.sync.spikesPPM = random.below(20_000)
            mix.sync.spike = gap(50...1_500)
        }
        mix.crashRules.keepsUnsynced = random.chance(800_000)
        mix.crashRules.tears = random.chance(800_000)
        mix.crashRules.leavesHoles = random.chance(500_000)
        if present() {
            mix.crashes = Strikes(every: gap(300...4_000), lasting: .milliseconds(1)...gap(100...6_000))
            mix.mostDown = random.number(in: 1...count)
            if random.coin() { mix.blackoutsPPM = random.below(150_000) }
        }
        if present() {
            mix.partitions = Strikes(
                every: gap(500...5_000), lasting: .milliseconds(50)...gap(200...6_000))
            mix.partitionKinds = PartitionKind.allCases.filter { _ in random.coin() }
            if mix.partitionKinds.isEmpty { mix.partitionKinds = [.groups, .isolated] }
        }
        if present() {
            mix.clogs = Strikes(every: gap(300...4_000), lasting: .milliseconds(20)...gap(100...3_000))
        }
        if present() {
            mix.pauses = Strikes(every: gap(500...5_000), lasting: .milliseconds(10)...gap(50...4_000))
        }
        if present() { mix.clockSkewPPM = random.element([100, 1_000, 20_000, 100_000]) }
        mix.crashRules.powerLossPPM = random.element([0, 300_000, 700_000, 1_000_000])
        if random.chance(300_000) { mix.failedSyncsPPM = random.below(3_000) }
        if present() { mix.failedStartsPPM = random.below(200_000) }
        return mix
    }
}
