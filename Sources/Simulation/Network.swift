import Automata

/// The links between processes, each direction on its own.
public struct Network: Sendable {
    public struct Rules: Hashable, Sendable {
        public var delay = Delay(least: TimeSpan(nanoseconds: 50_000), usual: TimeSpan(nanoseconds: 200_000))
        public var lossPPM: UInt64 = 0
        public var duplicationPPM: UInt64 = 0
        /// Messages of one link arrive in the order in which they were sent, as on a connection.
        public var isOrdered = false

        public init() {}
    }

    struct Link: Sendable {
        var isCut = false
        var cloggedUntil = Instant.zero
        var lastArrival = Instant.zero
    }

    public var rules: Rules
    private let count: Int
    private var links: [Link]
    private var random: SeededRandom
    /// Links between two of these lose and delay nothing, whatever strikes.
    private(set) var sheltered: [Bool]

    init(processes count: Int, rules: Rules, random: SeededRandom) {
        self.count = count
        self.rules = rules
        self.random = random
        links = Array(repeating: Link(), count: count * count)
        sheltered = Array(repeating: false, count: count)
    }

    func isCut(_ from: Int, _ to: Int) -> Bool { links[from * count + to].isCut && !isSheltered(from, to) }

    private func isSheltered(_ from: Int, _ to: Int) -> Bool { sheltered[from] && sheltered[to] }

    mutating func cut(_ from: Int, _ to: Int) { links[from * count + to].isCut = true }

    mutating func clog(_ from: Int, _ to: Int, until time: Instant) {
        links[from * count + to].cloggedUntil = time
    }

    /// What is on its way between those that are sheltered may be overtaken, as on a new connection.
    mutating func shelter(_ some: [Int]) {
        for index in some { sheltered[index] = true }
        for from in some {
            for to in some {
                links[from * count + to].cloggedUntil = .zero
                links[from * count + to].lastArrival = .zero
            }
        }
    }

    mutating func endShelter() {
        for index in sheltered.indices { sheltered[index] = false }
    }

    mutating func healAll() {
        for index in links.indices { links[index].isCut = false }
    }

    mutating func unclogAll() {
        for index in links.indices { links[index].cloggedUntil = .zero }
    }

    /// When the copies of a message sent now arrive: none when it is lost, two when it is duplicated.
    mutating func arrivals(from: Int, to: Int, at now: Instant) -> (first: Instant?, second: Instant?) {
        if isCut(from, to) { return (nil, nil) }
        if from == to { return (now + TimeSpan(nanoseconds: 1), nil) }
        if random.chance(rules.lossPPM), !isSheltered(from, to) { return (nil, nil) }
        let first = arrival(from, to, at: now)
        let second = random.chance(rules.duplicationPPM) ? arrival(from, to, at: now) : nil
        return (first, second)
    }

    private mutating func arrival(_ from: Int, _ to: Int, at now: Instant) -> Instant {
        let link = from * count + to
        var time = now
        if isSheltered(from, to) {
            time = now + rules.delay.withoutSpikes.drawn(from: &random)
        } else {
            time = max(now, links[link].cloggedUntil) + rules.delay.drawn(from: &random)
        }
        if rules.isOrdered {
            time = max(time, links[link].lastArrival)
            links[link].lastArrival = time
        }
        return time
    }
}

/// Ways in which links fail together.
public enum PartitionKind: CaseIterable, Hashable, Sendable {
    /// Two groups that do not hear each other.
    case groups
    /// One process that neither hears nor is heard.
    case isolated
    /// One process that hears and is not heard.
    case mute
    /// One process that is heard and does not hear.
    case deaf
    /// Every direction of every link fails or not on its own.
    case scattered
    /// All others hear one process only, and it hears all.
    case star
    /// Every process hears its neighbours only.
    case chain

    /// Which directions fail, among processes named by index.
    func cuts(among count: Int, _ random: inout SeededRandom) -> [(from: Int, to: Int)] {
        let order = random.shuffled(Array(0..<count))
        let chosen = order[0]
        let split = count < 2 ? 1 : random.number(in: 1...count - 1)
        func rank(_ process: Int) -> Int { order.firstIndex(of: process) ?? 0 }
        var cuts: [(Int, Int)] = []
        for from in 0..<count {
            for to in 0..<count where from != to {
                let fails =
                    switch self {
                    case .groups: (rank(from) < split) != (rank(to) < split)
                    case .isolated: from == chosen || to == chosen
                    case .mute: from == chosen
                    case .deaf: to == chosen
                    case .scattered: random.chance(400_000)
                    case .star: from != chosen && to != chosen
                    case .chain: abs(rank(from) - rank(to)) != 1
                    }
                if fails { cuts.append((from, to)) }
            }
        }
        return cuts
    }
}
