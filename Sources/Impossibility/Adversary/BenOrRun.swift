import Automata
import Consensus
import Simulation

/// A run of Ben-Or's consensus in which messages are delivered in the worst order that is found without knowing coins
/// that are still to be tossed, and processes crash.
struct BenOrRun {
    private(set) var decisions: [Bool?]
    private(set) var crashed: [Bool]
    private(set) var rounds: UInt32 = 0
    private(set) var deliveries = 0
    let inputs: [Bool]

    /// A message is put off at most so many times.
    private static let patience = 64
    private static let deliveryLimit = 2_000_000

    /// `crashes`: how many processes crash, at moments of the seed's choice; fewer than half.
    init(processes count: Int, crashes: Int, seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let inputs = (0..<count).map { _ in random.coin() }
        self.inputs = inputs
        let names = (1...count).map { ProcessID(UInt64($0)) }
        var processes = names.map { BenOr(process: $0, processes: names, crashes: (count - 1) / 2) }
        var pending: [(envelope: Envelope<BenOr.Message>, putOff: Int)] = []
        for index in processes.indices {
            pending += BenOrProtocol.step(&processes[index], .proposed(inputs[index])).sent.map { ($0, 0) }
        }
        decisions = inputs.map { _ in nil }
        crashed = inputs.map { _ in false }
        let victims = random.shuffled(Array(0..<count)).prefix(crashes)
        let moments = victims.map { ($0, random.number(in: 0...20 * count)) }

        while !pending.isEmpty, deliveries < Self.deliveryLimit {
            for (victim, moment) in moments where moment == deliveries { crashed[victim] = true }
            let place = Self.choose(pending, processes, &random)
            let envelope = pending.remove(at: place).envelope
            deliveries += 1
            guard !crashed[envelope.to] else { continue }
            var (sent, tosses) = BenOrProtocol.step(
                &processes[envelope.to], .received(envelope.message, from: names[envelope.from]))
            while tosses {
                let more = BenOrProtocol.step(&processes[envelope.to], .coin(random.coin()))
                sent += more.sent
                tosses = more.tosses
            }
            pending += sent.map { ($0, 0) }
            decisions[envelope.to] = processes[envelope.to].decision
            rounds = max(rounds, processes[envelope.to].round)
        }
    }

    /// Everybody who has not crashed has decided.
    var isDecided: Bool { zip(decisions, crashed).allSatisfy { $0 != nil || $1 } }

    /// All decisions are the same, also of those that crashed later, and somebody's input.
    var isSafe: Bool {
        let decided = Set(decisions.compactMap { $0 })
        return decided.count <= 1 && decided.isSubset(of: inputs)
    }

    /// Of a few messages, one that does not make its receiver decide; each that is passed over for that is put off.
    private static func choose(
        _ pending: [(envelope: Envelope<BenOr.Message>, putOff: Int)], _ processes: [BenOr],
        _ random: inout SeededRandom
    ) -> Int {
        if let impatient = pending.firstIndex(where: { $0.putOff >= patience }) { return impatient }
        for _ in 0..<8 {
            let place = random.number(in: 0...pending.count - 1)
            let envelope = pending[place].envelope
            var process = processes[envelope.to]
            _ = BenOrProtocol.step(
                &process, .received(envelope.message, from: processes[envelope.from].process))
            if process.decision == nil || processes[envelope.to].decision != nil { return place }
        }
        return random.number(in: 0...pending.count - 1)
    }
}
