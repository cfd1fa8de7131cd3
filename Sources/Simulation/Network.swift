import Automata

/// The links between processes, each direction on its own.
public struct Network {
    public struct Rules: Hashable, Sendable {
        public var delay = Delay(least: TimeSpan(nanoseconds: 50_000), usual: TimeSpan(nanoseconds: 200_000))
        public var lossPPM: UInt64 = 0
        public var duplicationPPM: UInt64 = 0
        /// Messages of one link arrive in the order in which they were sent, as on a connection.
        public var isOrdered = false
        /// What each connection carries, where processes speak over connections; `nil` when that is no bound.
        public var bytesPerSecond: UInt64?

        public init() {}
    }

    struct Link: Sendable {
        var cutSince: Instant?
        var cloggedUntil = Instant.zero
        var lastArrival = Instant.zero
    }

    public var rules: Rules
    let count: Int
    var links: [Link]
    var random: SeededRandom
    /// Links between two of these lose and delay nothing, whatever strikes.
    private(set) var sheltered: [Bool]
    /// `nil` where each message is on its own.
    let policy: ConnectionPolicy?
    let connections: [Connection]

    init(processes count: Int, rules: Rules, policy: ConnectionPolicy? = nil, random: SeededRandom) {
        self.count = count
        self.rules = rules
        self.random = random
        links = Array(repeating: Link(), count: count * count)
        sheltered = Array(repeating: false, count: count)
        self.policy = policy
        connections =
            policy.map { policy in
                (0..<count * count).flatMap { _ in Lane.allCases.map { Connection(queue: policy.queue($0)) } }
            } ?? []
    }

    func isCut(_ from: Int, _ to: Int) -> Bool {
        links[from * count + to].cutSince != nil && !isSheltered(from, to)
    }

    func isSheltered(_ from: Int, _ to: Int) -> Bool { sheltered[from] && sheltered[to] }

    mutating func cut(_ from: Int, _ to: Int, at now: Instant) {
        if links[from * count + to].cutSince == nil { links[from * count + to].cutSince = now }
    }

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
                for lane in Lane.allCases where policy != nil { connection(from, to, lane).mend() }
            }
        }
    }

    mutating func endShelter() {
        for index in sheltered.indices { sheltered[index] = false }
    }

    /// Mends all links but those that `stillCut` names, as (from, to).
    mutating func healAll(at now: Instant, except stillCut: [(from: Int, to: Int)] = []) {
        for from in 0..<count {
            for to in 0..<count where !stillCut.contains(where: { $0 == (from, to) }) {
                guard let since = links[from * count + to].cutSince else { continue }
                links[from * count + to].cutSince = nil
                if policy != nil { resume(from, to, cutSince: since, at: now) }
            }
        }
    }

    mutating func unclogAll() {
        for index in links.indices { links[index].cloggedUntil = .zero }
    }

    /// When the copies of a message sent now as one by itself arrive: none when it is lost, two when it is duplicated.
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
