import Automata
import Paxos
import Simulation
import SpaceTime

/// Single-decree Paxos with proposers that outbid each other.
enum SynodScenario {
    static let duel = LabScenario(
        "paxos-duel", "Proposers outbid each other until one is left alone for long enough.",
        [
            LabParameter("processes", .number(3, 2...9), "how many accept"),
            LabParameter("proposers", .processes([1, 2]), "who proposes, each its own name"),
            LabParameter("loss", .number(0, 0...50), "of a hundred messages, how many are lost"),
            LabParameter("deliveries", .number(200, 10...4000), "after which the run is broken off"),
        ]
    ) { setting in
        let names = (1...setting.number("processes")).map { ProcessID(UInt64($0)) }
        let configuration = Configuration(voters: names)
        var processes = names.map { SynodProcess(process: $0, configuration: configuration) }
        var watch = Watch(
            SpaceTimeRecorder(
                title: "Paxos with \(setting.list("proposers").count) proposers at \(names.count) acceptors",
                processes: names.map(\.description)), setting.random, loss: setting.number("loss"))
        for proposer in setting.list("proposers") {
            watch.step(
                &processes[proposer - 1], .proposed(Payload("p\(proposer)")),
                "p\(proposer) proposes and begins ballot 1")
        }
        while processes.contains(where: { $0.decision == nil }),
            watch.deliveries < setting.number("deliveries")
        {
            if watch.deliver(to: &processes) { continue }
            // Everything was lost: whoever proposes and does not know the outcome tries again.
            let waiting = setting.list("proposers").filter { processes[$0 - 1].decision == nil }
            if waiting.isEmpty { break }
            for proposer in waiting { watch.retry(&processes[proposer - 1]) }
        }
        let decided = Set(processes.compactMap { $0.decision?.description })
        let open = processes.filter { $0.decision == nil }.count
        watch.recorder.say(
            decided.isEmpty
                ? "nobody has decided in \(watch.deliveries) deliveries"
                : "decided: \(decided.sorted().joined(separator: ", "))\(open > 0 ? "; \(open) do not know it yet" : "")"
        )
        return LabScenario.Outcome(run: watch.recorder.run, isKept: decided.count <= 1)
    }

    private struct Watch {
        private struct Traveller {
            let message: SynodMessage
            let from: ProcessID
            let to: Int
            let number: Int
        }

        var recorder: SpaceTimeRecorder
        private var random: SeededRandom
        private let loss: Int
        private var pending: [Traveller] = []
        private(set) var deliveries = 0

        init(_ recorder: SpaceTimeRecorder, _ random: SeededRandom, loss: Int) {
            self.recorder = recorder
            self.random = random
            self.loss = loss
        }

        /// False when nothing is on its way.
        mutating func deliver(to processes: inout [SynodProcess]) -> Bool {
            guard !pending.isEmpty else { return false }
            // Mostly in order, as networks are.
            let traveller = pending.remove(at: random.index(min(pending.count, 4)))
            deliveries += 1
            guard random.index(100) >= loss else { return true }
            step(
                &processes[traveller.to], .received(traveller.message, from: traveller.from),
                "\(processes[traveller.to].process) receives \(traveller.message) from \(traveller.from)",
                receiving: traveller.number)
            return true
        }

        mutating func retry(_ process: inout SynodProcess) {
            step(&process, .mayLead(false), "\(process.process) gives up waiting")
            guard let ballot = process.proposer?.ballot else { return }
            step(
                &process, .received(.nack(ballot, promised: ballot), from: process.process),
                "\(process.process) gives its ballot \(ballot) up")
            step(&process, .mayLead(true), "\(process.process) begins a new ballot")
        }

        mutating func step(
            _ process: inout SynodProcess, _ input: SynodProcess.Input, _ sentence: String,
            receiving: Int? = nil
        ) {
            var outputs: [SynodProcess.Output] = []
            process.step(input, at: .zero, into: &outputs)
            var sendings: [SpaceTimeRecorder.Sending] = []
            var travellers: [(to: Int, message: SynodMessage)] = []
            var meaning = ""
            for output in outputs {
                switch output {
                case .send(let message, let receiver):
                    let to = Int(receiver.rawValue) - 1
                    sendings.append(.init(to: to, .control, message.description))
                    travellers.append((to, message))
                    if meaning.isEmpty { meaning = Self.meaning(of: message) }
                case .decide(let value): meaning = "; \(value) is chosen, and it decides"
                case .persist: break
                }
            }
            let index = Int(process.process.rawValue) - 1
            let isDecision = outputs.contains { if case .decide = $0 { true } else { false } }
            let numbers = recorder.note(
                index, isDecision ? .milestone : .step, sentence + meaning, receiving: receiving,
                sending: sendings,
                state: Self.state(of: process), details: Self.details(of: process))
            for (traveller, number) in zip(travellers, numbers) {
                pending.append(
                    Traveller(
                        message: traveller.message, from: process.process, to: traveller.to, number: number))
            }
        }

        private static func meaning(of message: SynodMessage) -> String {
            switch message {
            case .prepare(let ballot): "; it begins ballot \(ballot) and asks all for a promise"
            case .promise(let ballot, let vote):
                "; it promises to accept nothing below \(ballot)"
                    + (vote.map { ", and says that it accepted \($0)" } ?? "")
            case .accept(let vote): "; a quorum has promised, so it asks all to accept \(vote)"
            case .accepted(let vote): "; it accepts \(vote)"
            case .nack(_, let promised): "; it refuses, having promised \(promised)"
            case .chosen: ""
            }
        }

        private static func state(of process: SynodProcess) -> String {
            if let decision = process.decision { return "decided \(decision)" }
            let acceptor = process.acceptor
            let promise = acceptor.promised == .none ? "promised nothing" : "promised \(acceptor.promised)"
            return promise + (acceptor.vote.map { ", accepted \($0)" } ?? "")
        }

        private static func details(of process: SynodProcess) -> [SpaceTimeRun.Detail] {
            guard let proposer = process.proposer else { return [] }
            let line =
                switch proposer.phase {
                case .idle: "no ballot under way"
                case .preparing(let promises):
                    "promises: \(promises.map(\.acceptor.description).joined(separator: " ")) "
                        + "(\(promises.count) of \(process.configuration.voters.count))"
                case .proposing(let value): "asks all to accept \(value)"
                }
            return [SpaceTimeRun.Detail("ballot \(proposer.ballot) of \(process.process)", [line])]
        }
    }
}
