import Automata
import GroupCommunication
import Multicast
import Simulation

/// A group whose members come, leave, crash and are suspected wrongly, over a network that loses, repeats, reorders
/// and is cut in two. Afterwards the network is well, and those that are still members must be in one view and have
/// delivered what was promised.
struct GroupRun {
    private enum Event {
        case message(GroupMessage, from: Int, to: Int)
        case timer(MonitoredGroupMember.Timer, Int, generation: Int)
        case application(Int)
        case arrival
        case departure
    }

    struct Process {
        let name: ProcessID
        var core: MonitoredGroupMember
        /// By view, in the order in which they were installed, what was delivered in it.
        var log: [(view: View, delivered: [MulticastID])] = []
        var multicasts: [MulticastID] = []
        var isCrashed = false
        var hasStopped: GroupMember.Reason?
        var left: Int
        var generations: [MonitoredGroupMember.Timer: Int] = [:]

        var isMember: Bool { !isCrashed && hasStopped == nil && core.member.view != nil }
    }

    /// A multicast is named by its view and its identifier there.
    struct Name: Hashable {
        let view: UInt64
        let id: MulticastID
    }

    let kind: GroupKind
    private(set) var tally = RunTally()
    private(set) var processes: [Process] = []
    /// What each multicast's sender had delivered in the same view before it sent.
    private(set) var causes: [Name: [MulticastID]] = [:]
    private var queue = EventQueue<Event>()
    private var random: SeededRandom
    private var network: FaultyNetwork
    private let flaw: GroupMember.Flaw?
    private let multicasts: Int
    private let window: Int
    private let mostProcesses: Int
    private let nobodyLeaves: Bool
    private let keepsTrace: Bool

    /// `promising`: the promises that the run is held against, where they are not those of the kind.
    init(
        _ kind: GroupKind, seed: UInt64, multicasts: Int = 12, promising: GroupKind? = nil,
        flaw: GroupMember.Flaw? = nil, keepsTrace: Bool = false
    ) {
        self.kind = promising ?? kind
        self.flaw = flaw
        self.multicasts = multicasts
        self.keepsTrace = keepsTrace
        random = SeededRandom(seed: seed)
        window = random.element([2, 4, 16])
        network = FaultyNetwork(faultsEnd: Instant(nanoseconds: 4_000_000_000), random: &random)
        let arrivals = random.number(in: 0...3)
        let departures = random.number(in: 0...3)
        let founders = (1...random.number(in: 2...5)).map { ProcessID(UInt64($0)) }
        mostProcesses = founders.count + arrivals
        nobodyLeaves = departures == 0
        for name in founders {
            let member = GroupMember(
                process: name, founders: founders, settings: kind.settings(window: window), flaw: flaw)
            begin(name, member, at: .zero)
        }
        for _ in 0..<arrivals { queue.schedule(.arrival, at: someTime()) }
        for _ in 0..<departures { queue.schedule(.departure, at: someTime()) }
        run()
        tally.violation = violation
        tally.views = Set(processes.flatMap { $0.log.map(\.view.number) }).count
    }

    private mutating func someTime() -> Instant { .zero + random.span(in: .milliseconds(50) ... .seconds(4)) }

    private mutating func begin(_ name: ProcessID, _ member: GroupMember, at now: Instant) {
        var monitoring = MonitoredGroupMember.Monitoring()
        monitoring.timeout = .milliseconds(400)
        processes.append(
            Process(
                name: name, core: MonitoredGroupMember(member, monitoring: monitoring), left: multicasts))
        step(processes.count - 1, .start, at: now)
        queue.schedule(
            .application(processes.count - 1),
            at: now + random.span(in: .milliseconds(1) ... .milliseconds(50)))
    }

    private mutating func run() {
        // Once faults have stopped, there is time to notice who is gone and to come to a last view.
        let end = network.faultsEnd + .seconds(10)
        while let (now, event) = queue.popFirst(), now < end {
            network.breakSomething(among: processes.count, at: now, random: &random)
            if now < network.faultsEnd, random.chance(1_500) { crashSomebody(at: now) }
            switch event {
            case .message(let message, let from, let to):
                if keepsTrace, !processes[to].isCrashed, isNews(message) {
                    note(now, "\(processes[to].name) receives \(message) from \(processes[from].name)")
                }
                step(to, .received(message, from: processes[from].name), at: now)
            case .timer(let timer, let index, let generation):
                if processes[index].generations[timer] == generation {
                    step(index, .timerFired(timer), at: now)
                }
            case .application(let index): multicast(index, at: now)
            case .arrival:
                let name = ProcessID(UInt64(processes.count) + 1)
                note(now, "\(name) wants to join")
                // Somebody among them will be there, also when others have gone meanwhile.
                let contacts = (1...UInt64(mostProcesses)).map { ProcessID($0) }
                let member = GroupMember(
                    process: name, contacts: contacts, settings: kind.settings(window: window))
                begin(name, member, at: now)
            case .departure:
                let members = processes.indices.filter { processes[$0].isMember }
                guard members.count > 1 else { continue }
                let index = random.element(members)
                note(now, "\(processes[index].name) wants to leave")
                step(index, .leave, at: now)
            }
        }
    }

    private func isNews(_ message: GroupMessage) -> Bool {
        switch message {
        case .presence, .multicast(_, .digest): false
        default: true
        }
    }

    /// Where the group could not go on without it nobody crashes.
    private mutating func crashSomebody(at now: Instant) {
        let members = processes.indices.filter { processes[$0].isMember }
        guard
            let latest = members.compactMap({ processes[$0].core.member.view }).max(by: {
                $0.number < $1.number
            })
        else { return }
        let there = members.filter { processes[$0].core.member.view == latest }
        let isQuiet =
            there.allSatisfy { !processes[$0].core.member.isChanging }
            && processes.allSatisfy { $0.isCrashed || $0.log.last?.view.number ?? 0 <= latest.number }
        let isSafe = isQuiet && 2 * (there.count - 1) > latest.members.count
        // Of five or more that report while one crashes a majority is there whoever it is.
        let isSafeInChange = nobodyLeaves && latest.members.count >= 5 && there.count == latest.members.count
        guard isSafe || isSafeInChange else { return }
        let victim = random.element(there)
        processes[victim].isCrashed = true
        tally.crashes += 1
        note(now, "\(processes[victim].name) crashes")
    }

    private mutating func multicast(_ index: Int, at now: Instant) {
        guard !processes[index].isCrashed, processes[index].hasStopped == nil, processes[index].left > 0
        else {
            return
        }
        queue.schedule(
            .application(index), at: now + random.span(in: .milliseconds(1) ... .milliseconds(300)))
        guard let view = processes[index].core.member.view else { return }
        let id = MulticastID(
            sender: processes[index].name, number: UInt64(processes[index].multicasts.count) + 1)
        let name = Name(view: view.number, id: id)
        causes[name] = processes[index].log.last?.delivered ?? []
        processes[index].multicasts.append(id)
        processes[index].left -= 1
        note(now, "\(processes[index].name) multicasts \(id) in view \(view.number)")
        step(index, .multicast(Payload("\(id)")), at: now)
    }

    private mutating func step(_ index: Int, _ input: MonitoredGroupMember.Input, at now: Instant) {
        guard !processes[index].isCrashed else { return }
        var outputs: [MonitoredGroupMember.Output] = []
        processes[index].core.step(input, at: now, into: &outputs)
        for output in outputs {
            switch output {
            case .send(let message, let receiver):
                tally.messages += 1
                let to = Int(receiver.rawValue) - 1
                guard processes.indices.contains(to) else { continue }
                for delay in network.delays(from: index, to: to, at: now, random: &random) {
                    queue.schedule(.message(message, from: index, to: to), at: now + delay)
                }
            case .deliver(let id, _):
                note(now, "\(processes[index].name) delivers \(id)")
                processes[index].log[processes[index].log.count - 1].delivered.append(id)
            case .install(let view):
                note(now, "\(processes[index].name) installs \(view)")
                processes[index].log.append((view, []))
                processes[index].multicasts = []
            case .setTimer(let timer, let range):
                let generation = processes[index].generations[timer, default: 0] + 1
                processes[index].generations[timer] = generation
                queue.schedule(
                    .timer(timer, index, generation: generation), at: now + random.span(in: range))
            case .refuse:
                tally.refusals += 1
                processes[index].left += 1
                if let id = processes[index].multicasts.popLast(),
                    let view = processes[index].log.last?.view.number
                {
                    causes[Name(view: view, id: id)] = nil
                }
            case .ready: break
            case .stop(let reason):
                note(now, "\(processes[index].name) is no member any more: \(reason)")
                processes[index].hasStopped = reason
            }
        }
        tally.mostHeld = max(tally.mostHeld, processes[index].core.member.heldCount)
    }

    private mutating func note(_ now: Instant, _ line: String) {
        if keepsTrace { tally.trace.append("\(now) \(line)") }
    }

    /// What one member may hold at most: each sender's window, twice for an order with words of its own, and as much
    /// that waits for its turn.
    var bound: Int { 4 * window * processes.count }
}
