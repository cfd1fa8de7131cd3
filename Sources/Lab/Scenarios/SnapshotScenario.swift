import Automata
import GlobalSnapshot
import Simulation
import SnapshotScenarios
import SpaceTime

/// Snapshots of processes that pass something on, by the production core of Chandy and Lamport's algorithm.
enum SnapshotScenario {
    private static let shared = [
        LabParameter("processes", .number(3, 2...16), "how many take part"),
        LabParameter("topology", .choice("complete", ["complete", "ring"]), "which channels there are"),
        LabParameter(
            "initiators", .processes([1]), "who asks for a snapshot; with several they make one together"),
        LabParameter("steps", .number(30, 5...4000), "how much the application does"),
        LabParameter(
            "naive", .flag,
            "without markers: each process looks at itself when it likes, and channels count as empty"),
    ]

    static let tokens = LabScenario(
        "snapshot-tokens", "Tokens travel while a snapshot is taken; none may be lost or counted twice.",
        shared + [LabParameter("tokens", .number(2, 1...64), "how many there are")]
    ) { setting in
        let processes = setting.number("processes")
        let tokens = setting.number("tokens")
        let applications = (0..<processes).map { process in
            TokenApplication(tokens: (0..<tokens).filter { $0 % processes == process }.map { UInt64($0 + 1) })
        }
        return SnapshotWatch(setting, applications, Words(noun: "token", state: "holds", unit: "token(s)"))
            .outcome(
                title: "A snapshot of \(tokens) tokens at \(processes) processes")
    }

    static let bank = LabScenario(
        "snapshot-bank", "Money is sent back and forth while a snapshot is taken; the sum must be right.",
        shared
    ) { setting in
        let processes = setting.number("processes")
        let applications = (0..<processes).map { BankApplication(balance: UInt64(100 + 50 * $0)) }
        return SnapshotWatch(
            setting, applications, Words(noun: "transfer of", state: "balance", unit: "in all")
        ).outcome(
            title: "A snapshot of a bank with \(processes) branches")
    }

    struct Words: Sendable {
        /// Of what a message carries.
        let noun: String
        /// Before what a process holds.
        let state: String
        /// Behind what is counted.
        let unit: String
    }
}

/// One such run: channels are FIFO, and what happens next is drawn.
private struct SnapshotWatch<Application: SnapshotApplication> {
    private struct Traveller {
        let message: ChandyLamport.Message
        let number: Int
    }

    private let setting: LabScenario.Setting
    private let words: SnapshotScenario.Words
    private let topology: SnapshotTopology
    private let before: [UInt64]
    private var applications: [Application]
    private var cores: [ChandyLamport]
    private var channels: [[Traveller]]
    private var random: SeededRandom
    private var recorder = SpaceTimeRecorder(title: "", processes: [])
    private var recordedAfter: [Int?]
    private var naive: [Payload?]
    private var result: RecordedSnapshot?
    /// By message of the recorded run, what it carries for the application.
    private var contents: [Payload?] = []
    private let id = SnapshotID(initiator: ProcessID(1), sequence: 1)

    init(_ setting: LabScenario.Setting, _ applications: [Application], _ words: SnapshotScenario.Words) {
        self.setting = setting
        self.words = words
        self.applications = applications
        let names = applications.indices.map { ProcessID(UInt64($0 + 1)) }
        let topology = setting.text("topology") == "ring" ? SnapshotTopology.ring(names) : .complete(names)
        self.topology = topology
        cores = names.map { ChandyLamport(SnapshotSettings(process: $0, topology: topology)) }
        channels = topology.channels.map { _ in [] }
        random = setting.random
        before = Application.inventory(states: applications.map(\.state), contents: [])
        recordedAfter = names.map { _ in nil }
        naive = names.map { _ in nil }
    }

    func outcome(title: String) -> LabScenario.Outcome {
        var watch = self
        watch.recorder = SpaceTimeRecorder(title: title, processes: applications.indices.map { "p\($0 + 1)" })
        watch.run()
        return watch.judge()
    }

    private mutating func run() {
        let steps = setting.number("steps")
        let start = steps / 3
        var taken = 0
        while true {
            if taken == start {
                if setting.has("naive") {
                    lookAtOne()
                } else {
                    for initiator in setting.list("initiators") { ask(initiator - 1) }
                }
            } else if setting.has("naive"), taken > start {
                lookAtOne()
            }
            let mayStart = taken < steps
            let busy = channels.indices.filter { !channels[$0].isEmpty }
            if mayStart, busy.isEmpty || random.coin() {
                sendSomething()
            } else if let channel = busy.isEmpty ? nil : random.element(busy) {
                receive(channel)
            } else if taken > start {
                return
            }
            taken += 1
        }
    }

    private func details(_ process: Int) -> [SpaceTimeRun.Detail] {
        let sources = topology.sources(of: ProcessID(UInt64(process + 1)))
        guard cores[process].recordedState(for: id) != nil else { return [] }
        return [
            SpaceTimeRun.Detail(
                "what p\(process + 1) is recording",
                sources.map { source in
                    let channel = ChannelID(from: source, to: ProcessID(UInt64(process + 1)))
                    let messages = cores[process].recordedMessages(in: channel, for: id) ?? []
                    let isOpen = cores[process].isOpen(from: source, for: id)
                    let content =
                        messages.isEmpty ? "empty" : messages.map(\.description).joined(separator: " ")
                    return "\(channel): \(content)\(isOpen ? ", still open" : "")"
                })
        ]
    }

    private mutating func sendSomething() {
        let ready = applications.indices.filter { index in
            var copy = applications[index]
            return copy.take(0) != nil
        }
        guard let process = ready.isEmpty ? nil : random.element(ready) else { return }
        let receivers = topology.destinations(of: ProcessID(UInt64(process + 1)))
        guard let content = applications[process].take(random.next()) else { return }
        let receiver = random.element(receivers)
        let outputs = step(process, .sent(content, to: receiver))
        note(process, .step, "p\(process + 1) sends \(words.noun) \(content) to \(receiver)", outputs)
    }

    private mutating func ask(_ process: Int) {
        let outputs = step(process, .snapshotRequested(id))
        guard outputs.contains(where: { if case .recordState = $0 { true } else { false } }) else {
            return note(
                process, .step, "p\(process + 1) asks for the snapshot, which it has recorded already",
                outputs)
        }
        note(
            process, .milestone,
            "p\(process + 1) asks for a snapshot: it records its state and sends markers", outputs)
    }

    private mutating func receive(_ index: Int) {
        let traveller = channels[index].removeFirst()
        let channel = topology.channels[index]
        let process = Int(channel.to.rawValue) - 1
        let hadRecorded = cores[process].recordedState(for: id) != nil || recordedAfter[process] != nil
        if case .application(let content) = traveller.message { applications[process].receive(content) }
        let outputs = step(process, .received(traveller.message, from: channel.from))
        let isComplete = outputs.contains { if case .complete = $0 { true } else { false } }
        let end = isComplete ? "; with that it knows the whole snapshot" : ""
        switch traveller.message {
        case .application(let content):
            let recorded = cores[process].isOpen(from: channel.from, for: id) && hadRecorded
            note(
                process, .step,
                "p\(process + 1) receives \(words.noun) \(content) from \(channel.from)"
                    + (recorded ? "; it counts as on its way" : ""), outputs, receiving: traveller.number)
        case .marker:
            let text =
                hadRecorded
                ? "receives \(channel.from)'s marker: that channel is recorded"
                : "receives its first marker, from \(channel.from): it records its state, and that channel as empty"
            note(
                process, hadRecorded && !isComplete ? .step : .milestone, "p\(process + 1) \(text)\(end)",
                outputs,
                receiving: traveller.number)
        case .report(let report):
            note(
                process, isComplete ? .milestone : .step,
                "p\(process + 1) receives what \(Self.author(of: report)) recorded\(end)", outputs,
                receiving: traveller.number)
        }
    }

    private static func author(of report: SnapshotReport) -> String {
        if case .piece(let piece) = report.content { "\(piece.process)" } else { "another" }
    }

    /// A process that has not looked at itself yet does so.
    private mutating func lookAtOne() {
        guard random.chance(400_000) || naive.allSatisfy({ $0 == nil }),
            let process = naive.firstIndex(of: nil)
        else { return }
        naive[process] = applications[process].state
        recorder.note(
            process, .milestone,
            "p\(process + 1) looks at itself and writes down what it has",
            state: stateText(process))
        recordedAfter[process] = recorder.count(of: process)
    }

    private mutating func step(_ process: Int, _ input: ChandyLamport.Input) -> [ChandyLamport.Output] {
        var outputs: [ChandyLamport.Output] = []
        cores[process].step(input, at: .zero, into: &outputs)
        for case .recordState(let id) in outputs {
            var more: [ChandyLamport.Output] = []
            cores[process].step(.stateRecorded(id, applications[process].state), at: .zero, into: &more)
            outputs += more
        }
        return outputs
    }

    private mutating func note(
        _ process: Int, _ kind: SpaceTimeRun.Event.Kind, _ sentence: String,
        _ outputs: [ChandyLamport.Output],
        receiving: Int? = nil
    ) {
        var sendings: [SpaceTimeRecorder.Sending] = []
        var travellers: [(channel: Int, message: ChandyLamport.Message)] = []
        for output in outputs {
            switch output {
            case .send(let message, let receiver):
                let channel = ChannelID(from: ProcessID(UInt64(process + 1)), to: receiver)
                guard let place = topology.channels.firstIndex(of: channel) else { continue }
                let (kind, label): (SpaceTimeRun.Message.Kind, String) =
                    switch message {
                    case .application(let content): (.application, "\(words.noun) \(content)")
                    case .marker: (.marker, "marker")
                    case .report: (.control, "what was recorded")
                    }
                sendings.append(.init(to: Int(receiver.rawValue) - 1, kind, label))
                travellers.append((place, message))
            case .complete(let snapshot): result = snapshot
            default: break
            }
        }
        let numbers = recorder.note(
            process, kind, sentence, receiving: receiving, sending: sendings,
            state: stateText(process),
            details: details(process))
        for (traveller, number) in zip(travellers, numbers) {
            contents += Array(repeating: nil, count: number + 1 - contents.count)
            if case .application(let content) = traveller.message { contents[number] = content }
            channels[traveller.channel].append(Traveller(message: traveller.message, number: number))
        }
        if outputs.contains(where: { if case .recordState = $0 { true } else { false } }) {
            // What the event itself brought is before the cut, what it sends is a marker.
            recordedAfter[process] = recorder.count(of: process)
        }
    }

    private func stateText(_ process: Int) -> String {
        let state = "\(applications[process].state)"
        return state.isEmpty ? "no \(words.noun)" : "\(words.state) \(state)"
    }

    private func judge() -> LabScenario.Outcome {
        var recorder = recorder
        let cut = recordedAfter.map { $0 ?? 0 }
        if setting.has("naive") {
            recorder.cut("looked at", cut, note: "each process when it liked")
            let states = zip(naive, applications).map { $0 ?? $1.state }
            let found = Application.inventory(states: states, contents: [])
            recorder.say("there were \(text(before)); written down were \(text(found))")
            if let cut = recorder.run.cuts.last {
                explain(cut.underWay, "on their way across the cut, where nobody looked", in: &recorder)
                explain(
                    cut.uncaused,
                    "received before the receiver looked and sent after the sender had, so counted twice",
                    in: &recorder)
            }
            return LabScenario.Outcome(run: recorder.run, isKept: sum(before) == sum(found))
        }
        guard let result else {
            recorder.say("the snapshot did not become complete")
            return LabScenario.Outcome(run: recorder.run, isKept: false)
        }
        recorder.cut("snapshot", cut, note: "where each process recorded its state")
        recorder.say(
            "recorded: "
                + result.states.map { "\($0.process) \($0.state.count == 0 ? "nothing" : "\($0.state)")" }
                .joined(separator: ", ")
                + (result.messages.isEmpty ? "" : "; on their way ")
                + result.messages.map { "\($0.channel) \($0.payload)" }.joined(separator: ", "))
        let found = Application.inventory(
            states: result.states.map(\.state), contents: result.messages.map(\.payload))
        recorder.say("there were \(text(before)); in the snapshot there are \(text(found))")
        return LabScenario.Outcome(run: recorder.run, isKept: sum(before) == sum(found))
    }

    private func explain(_ messages: [Int], _ words: String, in recorder: inout SpaceTimeRecorder) {
        let carrying = messages.filter { contents.indices.contains($0) && contents[$0] != nil }
        guard !carrying.isEmpty else { return }
        let amount = Application.inventory(states: [], contents: carrying.compactMap { contents[$0] })
        let list = carrying.map { number in
            let message = recorder.run.messages[number]
            return "\(message.label) from p\(message.from + 1) to p\(message.to + 1)"
        }
        recorder.say("\(words): \(text(amount)) (\(list.joined(separator: ", ")))")
    }

    /// Tokens are counted, money is added up.
    private func sum(_ inventory: [UInt64]) -> [UInt64] {
        Application.self == BankApplication.self ? [inventory.reduce(0, +)] : inventory
    }

    private func text(_ inventory: [UInt64]) -> String {
        let isMoney = Application.self == BankApplication.self
        return "\(isMoney ? inventory.reduce(0, +) : UInt64(inventory.count)) \(words.unit)"
    }
}
