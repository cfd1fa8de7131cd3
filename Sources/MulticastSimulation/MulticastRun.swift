import Automata
import Multicast
import Simulation

/// Which promises a run is held against.
public enum MulticastKind: String, CaseIterable, Sendable {
    case reliable, uniform, causal
}

/// A group that multicasts in simulated time while its network loses, repeats and reorders messages, is cut in two, and
/// members crash; afterwards the network is well and everybody left must have delivered what it promised.
public struct MulticastRun {
    private enum Event {
        case message(MulticastMessage, from: Int, to: Int)
        case digest(Int)
        case application(Int)
        case departure(of: Int, at: Int)
    }

    private enum Member {
        case plain(ReliableMulticast)
        case causal(CausalMulticast)

        mutating func step(_ input: ReliableMulticast.Input, at now: Instant) -> [ReliableMulticast.Output] {
            var outputs: [ReliableMulticast.Output] = []
            switch self {
            case .plain(var core):
                core.step(input, at: now, into: &outputs)
                self = .plain(core)
            case .causal(var core):
                core.step(input, at: now, into: &outputs)
                self = .causal(core)
            }
            return outputs
        }

        var heldCount: Int {
            switch self {
            case .plain(let core): core.heldCount
            case .causal(let core): core.heldCount
            }
        }
    }

    private let window: Int

    public let kind: MulticastKind
    /// By process, what it delivered.
    private(set) var delivered: [[MulticastID]] = []
    /// What each multicast's sender had delivered before it sent.
    private var causes: [MulticastID: [MulticastID]] = [:]
    private var isCrashed: [Bool] = []
    public private(set) var messages = 0
    public private(set) var mostHeld = 0
    public private(set) var refusals = 0
    public private(set) var crashes = 0
    public private(set) var trace: [String] = []

    private var members: [Member] = []
    private var queue: [(time: Instant, order: Int, event: Event)] = []
    private var nextOrder = 0
    private var random: SeededRandom
    private let names: [ProcessID]
    private let lossPPM: UInt64
    private let duplicationPPM: UInt64
    private let longestDelay: TimeSpan
    private let faultsEnd: Instant
    private var cut: (side: [Bool], until: Instant)?
    private let keepsTrace: Bool
    private var left: [Int] = []

    /// `multicasts`: of each member. `running`: the kind that really runs, for the tests which show that the promises
    /// are not kept by something weaker.
    public init(
        _ kind: MulticastKind, seed: UInt64, multicasts: Int = 12, running: MulticastKind? = nil,
        keepsTrace: Bool = false
    ) {
        self.kind = kind
        let running = running ?? kind
        self.keepsTrace = keepsTrace
        random = SeededRandom(seed: seed)
        let count = random.number(in: 2...6)
        let names = (1...count).map { ProcessID(UInt64($0)) }
        self.names = names
        window = random.element([2, 4, 16])
        lossPPM = random.coin() ? random.below(300_000) : 0
        duplicationPPM = random.coin() ? random.below(200_000) : 0
        longestDelay = TimeSpan(nanoseconds: random.element([1_000_000, 20_000_000, 200_000_000]))
        faultsEnd = Instant(nanoseconds: 4_000_000_000)
        for name in names {
            switch running {
            case .causal:
                members.append(.causal(CausalMulticast(process: name, group: names, window: window)))
            case .reliable, .uniform:
                members.append(
                    .plain(
                        ReliableMulticast(
                            process: name, group: names,
                            guarantee: running == .uniform ? .uniform : .reliable,
                            window: window)))
            }
        }
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
    }

    private mutating func schedule(_ event: Event, after delay: TimeSpan, at now: Instant) {
        let entry = (now + delay, nextOrder, event)
        nextOrder += 1
        let place = queue.firstIndex { (entry.0, entry.1) > ($0.time, $0.order) } ?? queue.count
        queue.insert(entry, at: place)
    }

    private mutating func run() {
        // Once faults have stopped, there is time for what is missing to be asked for and come.
        let end = faultsEnd + .seconds(6)
        while let (now, _, event) = queue.popLast(), now < end {
            breakSomething(at: now)
            switch event {
            case .message(let message, let from, let to):
                note(now, "\(names[to]) receives \(message) from \(names[from])")
                step(to, .received(message, from: names[from]), at: now)
            case .digest(let index): step(index, .timerFired, at: now)
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

    private mutating func step(_ index: Int, _ input: ReliableMulticast.Input, at now: Instant) {
        guard !isCrashed[index] else { return }
        for output in members[index].step(input, at: now) {
            switch output {
            case .send(let message, let receiver):
                messages += 1
                send(message, from: index, to: Int(receiver.rawValue) - 1, at: now)
            case .deliver(let id, _):
                note(now, "\(names[index]) delivers \(id)")
                delivered[index].append(id)
            case .setTimer(let range): schedule(.digest(index), after: random.span(in: range), at: now)
            case .refuse(let payload):
                refusals += 1
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
        mostHeld = max(mostHeld, members[index].heldCount)
    }

    private mutating func send(_ message: MulticastMessage, from: Int, to: Int, at now: Instant) {
        let isFaulty = now < faultsEnd
        if let cut, now < cut.until, cut.side[from] != cut.side[to] { return }
        if isFaulty, random.chance(lossPPM) { return }
        let copies = isFaulty && random.chance(duplicationPPM) ? 2 : 1
        for _ in 0..<copies {
            let delay =
                isFaulty
                ? random.span(in: .milliseconds(1)...max(.milliseconds(2), longestDelay)) : .milliseconds(1)
            schedule(.message(message, from: from, to: to), after: delay, at: now)
        }
    }

    /// Now and then the network is cut in two, and a minority of the members crashes.
    private mutating func breakSomething(at now: Instant) {
        guard now < faultsEnd else { return }
        if cut == nil, random.chance(2_000) {
            cut = (
                names.map { _ in random.coin() },
                min(faultsEnd, now + random.span(in: .milliseconds(50) ... .seconds(1)))
            )
        } else if let until = cut?.until, until < now {
            cut = nil
        }
        guard 2 * (crashes + 1) < names.count, random.chance(1_500) else { return }
        let victim = random.index(names.count)
        guard !isCrashed[victim] else { return }
        isCrashed[victim] = true
        crashes += 1
        note(now, "\(names[victim]) crashes")
        for other in names.indices where other != victim {
            schedule(
                .departure(of: victim, at: other), after: random.span(in: .milliseconds(50) ... .seconds(1)),
                at: now)
        }
    }

    private mutating func note(_ now: Instant, _ line: String) {
        if keepsTrace { trace.append("\(now) \(line)") }
    }
}

// MARK: The promises

extension MulticastRun {
    /// What was broken, in a sentence; nil when every promise was kept.
    public var violation: String? {
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
            if kind == .causal, let broken = brokenCause(index) { return broken }
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
            let others = kind == .uniform ? Array(names.indices) : staying
            for other in others {
                if let id = delivered[other].first(where: { !delivered[index].contains($0) }) {
                    return "\(names[other]) delivers \(id), and \(names[index]), which stays, does not"
                }
            }
        }
        if mostHeld > names.count * window * 2 { return "\(mostHeld) multicasts are held at once" }
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
