import Automata
import Simulation

/// What becomes of a message: until an hour that comes the network loses, repeats, delays and reorders, and is cut in
/// two now and then; from then on it is well.
struct FaultyNetwork {
    let faultsEnd: Instant
    private let lossPPM: UInt64
    private let duplicationPPM: UInt64
    private let longestDelay: TimeSpan
    private var cut: (side: [Bool], until: Instant)?

    /// `loses`: false for protocols that stand on channels which deliver everything in the end. Then a cut delays.
    private let loses: Bool

    init(faultsEnd: Instant, loses: Bool = true, random: inout SeededRandom) {
        self.faultsEnd = faultsEnd
        self.loses = loses
        let loss = random.coin() ? random.below(300_000) : 0
        lossPPM = loses ? loss : 0
        duplicationPPM = random.coin() ? random.below(200_000) : 0
        longestDelay = TimeSpan(nanoseconds: random.element([1_000_000, 20_000_000, 200_000_000]))
    }

    var isCut: Bool { cut != nil }

    mutating func breakSomething(among count: Int, at now: Instant, random: inout SeededRandom) {
        if let until = cut?.until, until < now { cut = nil }
        guard now < faultsEnd, cut == nil, random.chance(2_000) else { return }
        let until = now + random.span(in: .milliseconds(50) ... .seconds(1))
        cut = ((0..<count).map { _ in random.coin() }, min(faultsEnd, until))
    }

    /// After how long each copy arrives; none where the message is lost.
    func delays(from: Int, to: Int, at now: Instant, random: inout SeededRandom) -> [TimeSpan] {
        var held = TimeSpan.zero
        if let cut, now < cut.until, side(from) != side(to) {
            if loses { return [] }
            held = cut.until.since(now)
        }
        guard now < faultsEnd else { return [held + .milliseconds(1)] }
        if random.chance(lossPPM) { return [] }
        let longest = max(.milliseconds(2), longestDelay)
        return (0..<(random.chance(duplicationPPM) ? 2 : 1)).map { _ in
            held + random.span(in: .milliseconds(1)...longest)
        }
    }

    /// Who comes while the network is cut is on one side too.
    private func side(_ index: Int) -> Bool { cut.map { $0.side[index % $0.side.count] } ?? false }
}

/// What came of a run, apart from what it was about.
struct RunTally {
    var messages = 0
    var mostHeld = 0
    var refusals = 0
    var crashes = 0
    var views = 0
    var trace: [String] = []
    /// Which promise was broken, in a sentence.
    var violation: String?
}
