import Automata
import Simulation

/// What happens to members and machines beside what `FaultMix` has for every simulation. It is drawn apart from everything
/// else, so that the rest of a run does not move when something is added here.
struct MemberTroubles {
    enum Changes {
        case none
        /// Members and learners come and go.
        case any
        /// Members without a vote are replaced.
        case repairs
    }

    /// Beside the voters.
    let learners: Int
    var changes: Changes
    let changeGap: TimeSpan
    /// The mean time between two members that lose a disk, a log or a store; nil when none does.
    var lossGap: TimeSpan?
    /// The mean time between two logs in which something is not as it was written; nil when none has that.
    var damageGap: TimeSpan?
    var suspensions: FaultMix.Strikes?
    var clockJumps: FaultMix.Strikes?
    var slowDisks: FaultMix.Strikes?

    static let spares = 3

    init(seed: UInt64, voters: Int) {
        var random = SeededRandom(seed: seed ^ 0x7472_6f75_626c_6573)
        func gap(_ range: ClosedRange<UInt64>) -> TimeSpan {
            random.span(in: .milliseconds(range.lowerBound) ... .milliseconds(range.upperBound))
        }
        learners = random.element([0, 0, 0, 1, 1, 2])
        changeGap = gap(300...2_000)
        if voters > 2 {
            if random.chance(350_000) { lossGap = gap(500...5_000) }
            if random.chance(250_000) { damageGap = gap(300...3_000) }
        }
        let losesVotes = lossGap != nil || damageGap != nil
        changes =
            if losesVotes { random.coin() ? .repairs : .none } else { random.chance(600_000) ? .any : .none }
        if random.chance(300_000) {
            suspensions = .init(every: gap(500...5_000), lasting: .milliseconds(10)...gap(50...6_000))
        }
        if random.chance(200_000) {
            clockJumps = .init(every: gap(500...4_000), lasting: .milliseconds(1)...gap(100...5_000))
        }
        if random.chance(300_000) {
            slowDisks = .init(every: gap(500...5_000), lasting: .milliseconds(100)...gap(500...4_000))
        }
    }
}
