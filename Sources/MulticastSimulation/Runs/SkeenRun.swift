import Automata
import Multicast
import Simulation

/// Processes in groups that overlap multicast to one or several of them by `SkeenMulticast`, over a network that
/// loses, repeats, reorders and is cut in two; in some runs a process crashes.
struct SkeenRun {
    private enum Event {
        case message(SkeenMulticast.Frame, from: Int, to: Int)
        case timer(Int)
        case application(Int)
    }

    private struct Sent {
        let sender: Int
        let receivers: Set<Int>
        let groups: Set<Int>
    }

    private(set) var tally = RunTally()
    private var delivered: [[MulticastID]]
    private var sent: [MulticastID: Sent] = [:]
    private var cores: [SkeenMulticast]
    private var isCrashed: [Bool]
    private var left: [Int]
    private var queue = EventQueue<Event>()
    private var random: SeededRandom
    private var network: FaultyNetwork
    private let names: [ProcessID]
    private let groups: [[Int]]
    private let window: Int
    private let keepsTrace: Bool

    init(seed: UInt64, multicasts: Int = 10, keepsTrace: Bool = false) {
        self.keepsTrace = keepsTrace
        random = SeededRandom(seed: seed)
        let count = random.number(in: 3...6)
        let names = (1...count).map { ProcessID(UInt64($0)) }
        var groups: [[Int]] = []
        for _ in 0..<random.number(in: 2...4) {
            groups.append(
                Array(random.shuffled(Array(names.indices)).prefix(random.number(in: 1...3))).sorted())
        }
        (self.names, self.groups) = (names, groups)
        window = random.element([1, 3, 8])
        network = FaultyNetwork(faultsEnd: Instant(nanoseconds: 4_000_000_000), random: &random)
        let members = groups.map { $0.map { names[$0] } }
        let window = window
        cores = names.map { SkeenMulticast(process: $0, groups: members, others: names, window: window) }
        delivered = names.map { _ in [] }
        isCrashed = names.map { _ in false }
        left = names.map { _ in multicasts }
        let crash = random.chance(300_000) ? random.index(count) : nil
        let crashTime = Instant.zero + random.span(in: .milliseconds(100) ... .seconds(3))
        for index in names.indices {
            step(index, .start, at: .zero)
            queue.schedule(
                .application(index), at: .zero + random.span(in: .milliseconds(1) ... .milliseconds(50)))
        }
        let end = network.faultsEnd + .seconds(8)
        while let (now, event) = queue.popFirst(), now < end {
            network.breakSomething(among: count, at: now, random: &random)
            if let crash, now >= crashTime, !isCrashed[crash] {
                isCrashed[crash] = true
                tally.crashes += 1
                note(now, "\(names[crash]) crashes")
            }
            switch event {
            case .message(let frame, let from, let to): step(to, .received(frame, from: names[from]), at: now)
            case .timer(let index): step(index, .timerFired, at: now)
            case .application(let index): multicast(index, at: now)
            }
        }
        tally.violation = violation
    }

    private mutating func multicast(_ index: Int, at now: Instant) {
        guard !isCrashed[index], left[index] > 0 else { return }
        let count = random.number(in: 1...groups.count)
        let to = Array(random.shuffled(Array(groups.indices)).prefix(count)).sorted()
        let number = UInt64(sent.values.count { $0.sender == index }) + 1
        let id = MulticastID(sender: names[index], number: number)
        let receivers = Set(to.flatMap { groups[$0] })
        sent[id] = Sent(sender: index, receivers: receivers, groups: Set(to))
        left[index] -= 1
        note(now, "\(names[index]) multicasts \(id) to groups \(to)")
        step(index, .multicast(Payload("\(id)"), to: to), at: now)
        queue.schedule(
            .application(index), at: now + random.span(in: .milliseconds(1) ... .milliseconds(300)))
    }

    private mutating func step(_ index: Int, _ input: SkeenMulticast.Input, at now: Instant) {
        guard !isCrashed[index] else { return }
        var outputs: [SkeenMulticast.Output] = []
        cores[index].step(input, at: now, into: &outputs)
        for output in outputs {
            switch output {
            case .send(let frame, let receiver):
                tally.messages += 1
                let to = Int(receiver.rawValue) - 1
                for delay in network.delays(from: index, to: to, at: now, random: &random) {
                    queue.schedule(.message(frame, from: index, to: to), at: now + delay)
                }
            case .deliver(let id, _):
                note(now, "\(names[index]) delivers \(id)")
                delivered[index].append(id)
            case .setTimer(let range): queue.schedule(.timer(index), at: now + random.span(in: range))
            case .refuse:
                tally.refusals += 1
                left[index] += 1
                let number = UInt64(sent.values.count { $0.sender == index })
                sent[MulticastID(sender: names[index], number: number)] = nil
            case .ready: break
            }
        }
        tally.mostHeld = max(tally.mostHeld, cores[index].heldCount)
    }

    private mutating func note(_ now: Instant, _ line: String) {
        if keepsTrace { tally.trace.append("\(now) \(line)") }
    }
}

// MARK: The promises

extension SkeenRun {
    private var violation: String? {
        for index in names.indices {
            if Set(delivered[index]).count != delivered[index].count {
                return "\(names[index]) delivers one twice"
            }
            if let stray = delivered[index].first(where: { sent[$0]?.receivers.contains(index) != true }) {
                return "\(names[index]) delivers \(stray), which is not for it"
            }
            if let broken = brokenFIFO(index) { return broken }
        }
        return cycle ?? missing
    }

    private func brokenFIFO(_ index: Int) -> String? {
        var last: [String: UInt64] = [:]
        for id in delivered[index] {
            guard let groups = sent[id]?.groups else { continue }
            let key = "\(id.sender) \(groups.sorted())"
            if let before = last[key], before > id.number {
                return "\(names[index]) delivers \(id) after \(before) of the same sender to the same groups"
            }
            last[key] = id.number
        }
        return nil
    }

    /// "Delivered before at somebody" has no cycle: all deliveries together lie in one order.
    private var cycle: String? {
        var after: [MulticastID: Set<MulticastID>] = [:]
        var incoming: [MulticastID: Int] = [:]
        for log in delivered {
            for id in log { incoming[id] = incoming[id] ?? 0 }
            for (one, next) in zip(log, log.dropFirst()) where after[one, default: []].insert(next).inserted {
                incoming[next, default: 0] += 1
            }
        }
        var free = incoming.filter { $0.value == 0 }.map(\.key)
        var placed = 0
        while let id = free.popLast() {
            placed += 1
            for next in after[id] ?? [] {
                incoming[next, default: 0] -= 1
                if incoming[next] == 0 { free.append(next) }
            }
        }
        return placed == incoming.count ? nil : "the orders of delivery go round in a circle"
    }

    /// Without crashes everything arrives; a crash may leave things undelivered.
    private var missing: String? {
        guard tally.crashes == 0 else { return nil }
        for (id, multicast) in sent.sorted(by: { $0.key < $1.key }) {
            for receiver in multicast.receivers.sorted() where !delivered[receiver].contains(id) {
                return "\(names[receiver]) does not deliver \(id)"
            }
        }
        return nil
    }
}
