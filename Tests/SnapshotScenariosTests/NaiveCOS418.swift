import Simulation

/// The assignment's rules written down once more, without the product's core: every server is two
/// dictionaries, and the whole run is one loop. It is slow and short, to be compared with.
struct NaiveCOS418 {
    private struct Packet {
        let due: Int
        let tokens: Int?
        let snapshot: Int
    }

    private struct Recording {
        let held: Int
        /// By source: what came so far; a source that is missing is closed.
        var open: [String: Void]
        var messages: [(from: String, tokens: Int)] = []
    }

    private let names: [String]
    private var tokens: [String: Int]
    private var links: [String: [String: [Packet]]] = [:]
    private let delays: [Int]
    private var drawn = 0
    private var time = 0
    /// By snapshot, then server.
    private var recordings: [[String: Recording]] = []

    init(tokens: [String: Int], links: [(String, String)], delays: [Int]) {
        names = tokens.keys.sorted()
        self.tokens = tokens
        self.delays = delays
        for name in names { self.links[name] = [:] }
        for (from, to) in links { self.links[from]?[to] = [] }
    }

    private mutating func push(_ from: String, _ to: String, _ tokens: Int?, _ snapshot: Int) {
        let due = time + 1 + delays[drawn % delays.count]
        drawn += 1
        links[from]?[to]?.append(Packet(due: due, tokens: tokens, snapshot: snapshot))
    }

    mutating func send(_ from: String, _ to: String, _ count: Int) {
        tokens[from, default: 0] -= count
        push(from, to, count, 0)
    }

    mutating func snapshot(_ name: String) {
        recordings.append([:])
        record(name, recordings.count - 1, closing: nil)
    }

    private mutating func record(_ name: String, _ snapshot: Int, closing source: String?) {
        var open: [String: Void] = [:]
        for from in names where links[from]?[name] != nil && from != source { open[from] = () }
        recordings[snapshot][name] = Recording(held: tokens[name] ?? 0, open: open)
        for to in (links[name] ?? [:]).keys.sorted() { push(name, to, nil, snapshot) }
    }

    mutating func tick() {
        time += 1
        for name in names {
            for to in (links[name] ?? [:]).keys.sorted() {
                guard let head = links[name]?[to]?.first, head.due <= time else { continue }
                links[name]?[to]?.removeFirst()
                deliver(head, from: name, to: to)
                break
            }
        }
    }

    private mutating func deliver(_ packet: Packet, from: String, to: String) {
        if let count = packet.tokens {
            tokens[to, default: 0] += count
            for snapshot in recordings.indices where recordings[snapshot][to]?.open[from] != nil {
                recordings[snapshot][to]?.messages.append((from, count))
            }
        } else if recordings[packet.snapshot][to] == nil {
            record(to, packet.snapshot, closing: from)
        } else {
            recordings[packet.snapshot][to]?.open[from] = nil
        }
    }

    private var isDone: Bool {
        recordings.allSatisfy { all in
            all.count == names.count && all.values.allSatisfy { $0.open.isEmpty }
        }
    }

    /// The texts of the `.snap` files, after ticking until all are complete.
    mutating func finish() -> [String] {
        while !isDone { tick() }
        return recordings.enumerated().map { number, all in
            var lines = ["\(number)"]
            lines += names.map { "\($0) \(all[$0]?.held ?? -1)" }
            for name in names {
                lines += (all[name]?.messages ?? []).map { "\($0.from) \(name) token(\($0.tokens))" }
            }
            return lines.joined(separator: "\n") + "\n"
        }
    }
}

/// Files of a run that is drawn from a seed: servers in a ring with links across, tokens, and events of which
/// several come without a tick between them.
struct DrawnCOS418 {
    let topology: String
    let events: String
    let delays: String
    let total: Int
    var naive: NaiveCOS418

    init(seed: UInt64, servers count: Int) {
        var random = SeededRandom(seed: seed)
        let names = (1...count).map { "N\($0)" }
        var tokens: [String: Int] = [:]
        for name in names { tokens[name] = Int(random.below(12)) }
        var links: [(String, String)] = []
        let ring = random.shuffled(names)
        for (index, name) in ring.enumerated() { links.append((name, ring[(index + 1) % count])) }
        for from in names {
            for to in names where from != to && random.chance(250_000) {
                if !links.contains(where: { $0 == (from, to) }) { links.append((from, to)) }
            }
        }
        let delays = (0..<50).map { _ in Int(random.below(6)) }
        var naive = NaiveCOS418(tokens: tokens, links: links, delays: delays)
        var events = ["# seed \(seed)"]
        // What a server was given at first it can send whatever comes in.
        var left = tokens
        for _ in 0..<60 {
            switch random.below(10) {
            case 0..<5:
                let (from, to) = random.element(links)
                guard let most = left[from], most > 0 else { continue }
                let sent = random.number(in: 1...most)
                left[from] = most - sent
                events.append("send \(from) \(to) \(sent)")
                naive.send(from, to, sent)
            case 5:
                let name = random.element(names)
                events.append("snapshot \(name)")
                naive.snapshot(name)
            default:
                let ticks = random.number(in: 1...3)
                events.append(ticks == 1 ? "tick" : "tick \(ticks)")
                for _ in 0..<ticks { naive.tick() }
            }
        }
        let lines = ["\(count)"] + names.map { "\($0) \(tokens[$0] ?? 0)" } + links.map { "\($0.0) \($0.1)" }
        topology = lines.joined(separator: "\n") + "\n"
        self.events = events.joined(separator: "\n") + "\n"
        self.delays = delays.map(String.init).joined(separator: "\n")
        self.naive = naive
        total = tokens.values.reduce(0, +)
    }
}
