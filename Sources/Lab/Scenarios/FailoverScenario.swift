import Automata
import Paxos
import Replica
import Simulation
import SpaceTime

/// The production's Multi-Paxos: the leader crashes, another takes over, and no slot changes.
enum FailoverScenario {
    static let failover = LabScenario(
        "paxos-failover",
        "Multi-Paxos whose leader crashes: another is elected and nothing that was chosen is lost.",
        [
            LabParameter("processes", .number(3, 3...7), "how many replicas"),
            LabParameter("commands", .number(6, 1...60), "how many are proposed"),
            LabParameter("steady", .flag, "nobody crashes"),
        ]
    ) { setting in
        var watch = FailoverWatch(setting)
        watch.run()
        return watch.judge()
    }
}

private struct FailoverWatch {
    private enum Event {
        case message(ReplicaMessage, from: Int, to: Int, number: Int)
        case timer(ReplicaTimer, Int, generation: Int)
        case command
        case crash
    }

    private let names: [ProcessID]
    private var replicas: [Replica]
    private var random: SeededRandom
    private var recorder: SpaceTimeRecorder
    private var queue = EventQueue<Event>()
    private var generations: [[ReplicaTimer: Int]]
    private var records: [UInt64]
    private var applied: [[String]]
    private var crashed: Int?
    private var leftCommands: Int
    private var proposed: UInt64 = 0

    init(_ setting: LabScenario.Setting) {
        let names = (1...setting.number("processes")).map { ProcessID(UInt64($0)) }
        self.names = names
        random = setting.random
        leftCommands = setting.number("commands")
        let configuration = Configuration(voters: names)
        replicas = names.map { name in
            var settings = Replica.Settings(process: name)
            // Few pulses, so that the picture shows what is different.
            settings.heartbeatInterval = .milliseconds(400)
            return Replica(settings: settings, recovered: ReplicaDurableState(bootstrap: configuration))
        }
        generations = names.map { _ in [:] }
        records = names.map { _ in 0 }
        applied = names.map { _ in [] }
        recorder = SpaceTimeRecorder(
            title: "Multi-Paxos with \(names.count) replicas"
                + (setting.has("steady") ? "" : ", whose leader crashes"),
            processes: names.map(\.description))
        for index in names.indices { give(.start, to: index, at: .zero, "\(names[index]) starts") }
        queue.schedule(.command, at: .zero + .seconds(3))
        if !setting.has("steady") { queue.schedule(.crash, at: .zero + .milliseconds(3_200)) }
    }

    mutating func run() {
        while let (now, event) = queue.popFirst(), now < Instant(nanoseconds: 60_000_000_000), !isDone {
            switch event {
            case .message(let message, let from, let to, let number):
                give(
                    .received(message, from: names[from]), to: to, at: now,
                    "\(names[to]) receives \(Self.words(message)) from \(names[from])", receiving: number)
            case .timer(let timer, let index, let generation):
                if generations[index][timer] == generation {
                    give(.timerFired(timer), to: index, at: now, Self.words(timer, names[index]))
                }
            case .command: command(at: now)
            case .crash:
                guard let leader else {
                    queue.schedule(.crash, at: now + .milliseconds(100))
                    continue
                }
                crashed = leader
                recorder.note(leader, .crash, "\(names[leader]), the leader, crashes", state: "crashed")
            }
        }
    }

    private var leader: Int? {
        names.indices.first { $0 != crashed && replicas[$0].leader == names[$0] }
    }

    private var staying: [Int] { names.indices.filter { $0 != crashed } }

    private var isDone: Bool {
        leftCommands == 0 && staying.allSatisfy { applied[$0].count == applied[staying[0]].count }
            && staying.allSatisfy { applied[$0].last == "command \(proposed)" }
    }

    /// Proposed at the leader as soon as there is one.
    private mutating func command(at now: Instant) {
        guard leftCommands > 0 else { return }
        queue.schedule(.command, at: now + .milliseconds(120))
        guard let leader else { return }
        leftCommands -= 1
        proposed += 1
        let id = ProposalID(process: names[leader], number: proposed)
        let text = "command \(proposed)"
        give(
            .proposed([Proposal(id: id, payload: Payload(text))]), to: leader, at: now,
            "a client asks \(names[leader]) for \(text)")
    }

    private mutating func give(
        _ input: ReplicaInput, to index: Int, at now: Instant, _ sentence: String, receiving: Int? = nil
    ) {
        guard index != crashed else { return }
        var consequences: [String] = []
        var sent: [(to: Int, message: ReplicaMessage)] = []
        var inputs = [input]
        while !inputs.isEmpty {
            var outputs: [ReplicaOutput] = []
            replicas[index].step(inputs.removeFirst(), at: now, into: &outputs)
            let before = records[index]
            for output in outputs { carryOut(output, index, now, &inputs, &sent, &consequences) }
            // Disks are fast here: what is handed over is durable before anything else happens.
            if records[index] > before { inputs.insert(.durable(upTo: RecordNumber(records[index])), at: 0) }
        }
        let isMilestone = consequences.contains { $0.hasPrefix("applies") || $0.hasPrefix("leads") }
        let numbers = recorder.note(
            index, isMilestone ? .milestone : .step, ([sentence] + consequences).joined(separator: "; it "),
            receiving: receiving, sending: sent.map { .init(to: $0.to, .control, Self.words($0.message)) },
            state: state(index), details: [SpaceTimeRun.Detail("applied at \(names[index])", applied[index])])
        for (message, number) in zip(sent, numbers) {
            let delay = random.span(in: .milliseconds(1) ... .milliseconds(20))
            queue.schedule(
                .message(message.message, from: index, to: message.to, number: number), at: now + delay)
        }
    }

    private mutating func carryOut(
        _ output: ReplicaOutput, _ index: Int, _ now: Instant, _ inputs: inout [ReplicaInput],
        _ sent: inout [(to: Int, message: ReplicaMessage)], _ consequences: inout [String]
    ) {
        switch output {
        case .persist: records[index] += 1
        case .send(let message, let receiver, _): sent.append((Int(receiver.rawValue) - 1, message))
        case .setTimer(let timer, let range):
            let generation = (generations[index][timer] ?? 0) + 1
            generations[index][timer] = generation
            queue.schedule(.timer(timer, index, generation: generation), at: now + random.span(in: range))
        case .cancelTimer(let timer): generations[index][timer, default: 0] += 1
        case .apply(let first, let entries):
            for (offset, entry) in entries.enumerated() {
                let text =
                    if case .payload(_, let payload) = entry { payload.description } else { "\(entry)" }
                applied[index].append(text)
                consequences.append("applies \(text) in slot \(first.rawValue + UInt64(offset))")
            }
            inputs.append(.applied(upTo: Slot(first.rawValue + UInt64(entries.count) - 1)))
        case .leaderChanged(let leader, let ballot):
            if leader == names[index] {
                consequences.append("leads with ballot \(ballot)")
            } else if let leader {
                consequences.append("follows \(leader) in ballot \(ballot)")
            }
        case .refuseProposal: leftCommands += 1
        case .answerRead, .refuseRead, .finishTransfer, .sendCheckpoint, .trim, .configurationChanged,
            .retire, .reportContradiction:
            break
        }
    }

    private func state(_ index: Int) -> String {
        let replica = replicas[index]
        let role =
            replica.leader == names[index] ? "leads" : replica.leader.map { "follows \($0)" } ?? "no leader"
        return "\(role), \(replica.chosenUpTo.rawValue) slots chosen"
    }

    private static func words(_ timer: ReplicaTimer, _ name: ProcessID) -> String {
        switch timer {
        case .election: "\(name) has waited for its election timeout"
        case .heartbeat: "\(name) sends its pulse"
        case .resend: "\(name) sends again what was not answered"
        }
    }

    private static func words(_ message: ReplicaMessage) -> String {
        switch message {
        case .canvass(let message): "canvass(\(message.ballot))"
        case .canvassed(let message): "canvassed(\(message.granted ? "yes" : "no"))"
        case .prepare(let message): "prepare(\(message.ballot))"
        case .promise(let message): "promise(\(message.ballot))"
        case .nack(let message): "nack(\(message.promised))"
        case .accept(let message):
            "accept(\(message.ballot), slots \(message.first.rawValue)-"
                + "\(message.first.rawValue + UInt64(message.entries.count) - 1))"
        case .accepted(let message): "accepted(up to \(message.upTo.rawValue))"
        case .chosen(let message): "chosen(up to \(message.upTo.rawValue))"
        case .heartbeat(let message): "heartbeat(\(message.ballot))"
        case .heartbeatAnswer: "heartbeat answer"
        case .missing(let message): "missing(from \(message.from.rawValue))"
        case .dismissed: "dismissed"
        case .checkpointWanted: "checkpoint wanted"
        case .takeOver: "take over"
        case .forward: "forward"
        case .forwardRefused: "forward refused"
        case .readRequest: "read request"
        case .readAnswer: "read answer"
        }
    }

    func judge() -> LabScenario.Outcome {
        var recorder = recorder
        let staying = staying
        let longest = applied.max { $0.count < $1.count } ?? []
        let isPrefix = applied.allSatisfy { longest.starts(with: $0) }
        let isComplete = isDone
        recorder.say(
            isPrefix
                ? "every replica applied a prefix of the same sequence: \(longest.joined(separator: ", "))"
                : "replicas differ: \(applied)")
        if let crashed {
            recorder.say(
                "\(names[crashed]) had applied \(applied[crashed].count) slots when it crashed; "
                    + "\(leader.map { names[$0].description } ?? "nobody") leads now")
        }
        if !isComplete {
            recorder.say("not everything was applied by \(staying.map { names[$0].description })")
        }
        return LabScenario.Outcome(run: recorder.run, isKept: isPrefix && isComplete)
    }
}
