import Automata
import Multicast
import Simulation

/// A group that multicasts in simulated time while its network loses, repeats and reorders messages, is cut in two, and
/// members crash; afterwards the network is well and everybody left must have delivered what it promised.
struct MulticastRun<Member: MulticastMember> {
    private enum Event {
        case message(Member.Message, from: Int, to: Int)
        case timer(Int)
        case application(Int)
        case departure(of: Int, at: Int)
    }

    private let kind: StaticKind
    private let window: Int
    private(set) var tally = RunTally()
    /// By process, what it delivered.
    private(set) var delivered: [[MulticastID]] = []
    /// What each multicast's sender had delivered before it sent.
    private var causes: [MulticastID: [MulticastID]] = [:]
    private var isCrashed: [Bool] = []
    private var members: [Member] = []
    private var queue = EventQueue<Event>()
    private var random: SeededRandom
    private var network: FaultyNetwork
    private let names: [ProcessID]
    private let keepsTrace: Bool
    private var left: [Int] = []

    /// `kind`: which promises the members are held against. `multicasts`: of each.
    init(
        _ kind: StaticKind, seed: UInt64, multicasts: Int, keepsTrace: Bool,
        member: (_ name: ProcessID, _ names: [ProcessID], _ window: Int) -> Member
    ) {
        self.kind = kind
        self.keepsTrace = keepsTrace
        random = SeededRandom(seed: seed)
        let count = random.number(in: 2...6)
        let names = (1...count).map { ProcessID(UInt64($0)) }
        self.names = names
        let window = random.element([2, 4, 16])
        self.window = window
        network = FaultyNetwork(faultsEnd: Instant(nanoseconds: 4_000_000_000), random: &random)
        members = names.map { member($0, names, window) }
        delivered = names.map { _ in [] }
        isCrashed = names.map { _ in false }
        left = names.map { _ in multicasts }
        for index in names.indices {
            step(index, .start, at: .zero)
            schedule(
                .application(index), after: random.span(in: .milliseconds(1) ... .milliseconds(50)), at: .zero
            )
        }
        run()
        tally.violation = violation
    }

    private mutating func schedule(_ event: Event, after delay: TimeSpan, at now: Instant) {
        queue.schedule(event, at: now + delay)
    }

    private mutating func run() {
        // Once faults have stopped, there is time for what is missing to be asked for and come.
        let end = network.faultsEnd + .seconds(6)
        while let (now, event) = queue.popFirst(), now < end {
            breakSomething(at: now)
            switch event {
            case .message(let message, let from, let to):
                note(now, "\(names[to]) receives \(message) from \(names[from])")
                step(to, .received(message, from: names[from]), at: now)
            case .timer(let index): step(index, .timerFired, at: now)
            case .departure(let other, let index): step(index, .departed(names[other]), at: now)
            case .application(let index): multicast(index, at: now)
            }
        }
    }

    private mutating func multicast(_ index: Int, at now: Instant) {
        guard !isCrashed[index], left[index] > 0 else { return }
        let number = UInt64(causes.keys.count { $0.sender == names[index] }) + 1
        let id = MulticastID(sender: names[index], number: number)
        let before = delivered[index]
        let payload = Payload("\(id)")
        causes[id] = before
        left[index] -= 1
        note(now, "\(names[index]) multicasts \(id)")
        step(index, .multicast(payload), at: now)
        schedule(
            .application(index), after: random.span(in: .milliseconds(1) ... .milliseconds(300)), at: now)
    }

    private mutating func step(_ index: Int, _ input: Member.Input, at now: Instant) {
        guard !isCrashed[index] else { return }
        var outputs: [Member.Output] = []
        members[index].step(input, at: now, into: &outputs)
        for output in outputs {
            switch output {
            case .send(let message, let receiver):
                tally.messages += 1
                let to = Int(receiver.rawValue) - 1
                for delay in network.delays(from: index, to: to, at: now, random: &random) {
                    schedule(.message(message, from: index, to: to), after: delay, at: now)
                }
            case .deliver(let id, _):
                note(now, "\(names[index]) delivers \(id)")
                delivered[index].append(id)
            case .setTimer(let range): schedule(.timer(index), after: random.span(in: range), at: now)
            case .refuse(let payload):
                tally.refusals += 1
                left[index] += 1
                if case let id = MulticastID(
                    sender: names[index], number: UInt64(causes.keys.count { $0.sender == names[index] })),
                    payload == Payload("\(id)")
                {
                    causes[id] = nil
                }
            case .ready: break
            }
        }
        tally.mostHeld = max(tally.mostHeld, members[index].heldCount)
    }

    /// Now and then the network is cut in two, and a minority of the members crashes.
    private mutating func breakSomething(at now: Instant) {
        network.breakSomething(among: names.count, at: now, random: &random)
        guard now < network.faultsEnd else { return }
        guard 2 * (tally.crashes + 1) < names.count, random.chance(1_500) else { return }
        let victim = random.index(names.count)
        guard !isCrashed[victim] else { return }
        isCrashed[victim] = true
        tally.crashes += 1
        note(now, "\(names[victim]) crashes")
        for other in names.indices where other != victim {
            schedule(
                .departure(of: victim, at: other), after: random.span(in: .milliseconds(50) ... .seconds(1)),
                at: now)
        }
    }

    private mutating func note(_ now: Instant, _ line: String) {
        if keepsTrace { tally.trace.append("\(now) \(line)") }
    }
}

// MARK: The promises

extension MulticastRun {
    /// What was broken, in a sentence; nil when every promise was kept.
    private var violation: String? {
        for index in names.indices {
            if Set(delivered[index]).count != delivered[index].count {
                return "\(names[index]) delivers one twice"
            }
            if let invented = delivered[index].first(where: { causes[$0] == nil }) {
                return "\(names[index]) delivers \(invented), which nobody sent"
            }
            for sender in names {
                let numbers = delivered[index].filter { $0.sender == sender }.map(\.number)
                if numbers != Array(1..<UInt64(numbers.count + 1)) {
                    return "\(names[index]) delivers \(sender)'s in the order \(numbers)"
                }
            }
            if kind.isCausal, let broken = brokenCause(index) { return broken }
        }
        return missing
    }

    /// Everybody who stays has delivered what it sent, and what anybody else who counts delivered.
    private var missing: String? {
        let staying = names.indices.filter { !isCrashed[$0] }
        for index in staying {
            let own = causes.keys.filter { $0.sender == names[index] }
            for id in own where !delivered[index].contains(id) {
                return "\(names[index]) does not deliver its own \(id)"
            }
            let others =
                kind.isUniform
                ? Array(names.indices)
                : kind.isReliable ? staying : staying.count == names.count ? staying : []
            for other in others {
                if let id = delivered[other].first(where: { !delivered[index].contains($0) }) {
                    return "\(names[other]) delivers \(id), and \(names[index]), which stays, does not"
                }
            }
        }
        // Each sender's window, and as much that waits; who passes everything on keeps it for each other member.
        let copies = kind.isFlooded ? names.count : 1
        if tally.mostHeld > 2 * names.count * window * copies {
            return "\(tally.mostHeld) multicasts are held at once"
        }
        return nil
    }

    private func brokenCause(_ index: Int) -> String? {
        var before: Set<MulticastID> = []
        for id in delivered[index] {
            if let cause = causes[id]?.first(where: { !before.contains($0) }) {
                return "\(names[index]) delivers \(id) before \(cause), which its sender had delivered"
            }
            before.insert(id)
        }
        return nil
    }
}
