import Automata
import Multicast
import Simulation
import SpaceTime

/// A chat in which nobody sees an answer before its question.
enum ChatScenario {
    static let chat = LabScenario(
        "causal-chat", "A question and answers to it; with causal order nobody sees an answer first.",
        [
            LabParameter("processes", .number(3, 2...8), "how many chat"),
            LabParameter("questions", .number(4, 1...40), "how many are asked, each by the next process"),
            LabParameter("fifo", .flag, "only the order of each sender is kept, and answers may come first"),
        ]
    ) { setting in
        var watch = ChatWatch(setting)
        watch.run()
        return watch.judge()
    }
}

private struct ChatWatch {
    private enum Member {
        case causal(CausalMulticast)
        case fifo(ReliableMulticast)

        mutating func step(_ input: ReliableMulticast.Input) -> [ReliableMulticast.Output] {
            var outputs: [ReliableMulticast.Output] = []
            switch self {
            case .causal(var core):
                core.step(input, at: .zero, into: &outputs)
                self = .causal(core)
            case .fifo(var core):
                core.step(input, at: .zero, into: &outputs)
                self = .fifo(core)
            }
            return outputs
        }

        var heldBack: [MulticastID] { if case .causal(let core) = self { core.heldBack } else { [] } }
    }

    private let names: [ProcessID]
    private let questions: Int
    private var members: [Member]
    private var random: SeededRandom
    private var recorder: SpaceTimeRecorder
    private var pending: [(message: MulticastMessage, from: Int, to: Int, number: Int)] = []
    /// By process, the lines that it saw.
    private var seen: [[String]]
    private var isWrong = false

    init(_ setting: LabScenario.Setting) {
        let names = (1...setting.number("processes")).map { ProcessID(UInt64($0)) }
        self.names = names
        questions = setting.number("questions")
        random = setting.random
        members = names.map {
            setting.has("fifo")
                ? .fifo(ReliableMulticast(process: $0, group: names))
                : .causal(CausalMulticast(process: $0, group: names))
        }
        seen = names.map { _ in [] }
        recorder = SpaceTimeRecorder(
            title: "A chat of \(names.count) in \(setting.has("fifo") ? "FIFO" : "causal") order",
            processes: names.map(\.description))
    }

    mutating func run() {
        var asked = 0
        while asked < questions || !pending.isEmpty {
            if asked < questions, pending.isEmpty || random.chance(100_000) {
                let asker = asked % names.count
                asked += 1
                say("question \(asked)", asker, "\(names[asker]) asks question \(asked)")
            } else {
                receive()
            }
        }
    }

    /// The network delivers in any order.
    private mutating func receive() {
        let next = pending.remove(at: random.index(pending.count))
        let outputs = members[next.to].step(.received(next.message, from: names[next.from]))
        let lines = delivered(outputs)
        let waiting = members[next.to].heldBack
        let what =
            lines.isEmpty
            ? (waiting.isEmpty ? "nothing new" : "held back until its cause is here")
            : "sees "
                + lines.joined(separator: " and ")
        note(
            next.to, lines.isEmpty ? .step : .milestone,
            "\(names[next.to]) receives from \(names[next.from]): \(what)",
            outputs, receiving: next.number)
        for line in lines where line.hasPrefix("question") && random.chance(700_000) {
            say("answer of \(names[next.to]) to \(line)", next.to, "\(names[next.to]) answers \(line)")
        }
    }

    private mutating func say(_ line: String, _ index: Int, _ sentence: String) {
        let outputs = members[index].step(.multicast(Payload(line)))
        _ = delivered(outputs, at: index)
        note(index, .step, sentence, outputs, label: line)
    }

    private mutating func delivered(_ outputs: [ReliableMulticast.Output], at index: Int? = nil) -> [String] {
        outputs.compactMap { output in
            guard case .deliver(_, let payload) = output else { return nil }
            return payload.description
        }
    }

    private mutating func note(
        _ index: Int, _ kind: SpaceTimeRun.Event.Kind, _ sentence: String,
        _ outputs: [ReliableMulticast.Output],
        receiving: Int? = nil, label: String? = nil
    ) {
        var sent: [(message: MulticastMessage, to: Int)] = []
        var isInOrder = true
        for output in outputs {
            switch output {
            case .send(let message, let receiver): sent.append((message, Int(receiver.rawValue) - 1))
            case .deliver(_, let payload): isInOrder = see(payload.description, index) && isInOrder
            default: break
            }
        }
        let numbers = recorder.note(
            index, isInOrder ? kind : .violation, sentence + (isInOrder ? "" : ", before the question"),
            receiving: receiving,
            sending: sent.map { .init(to: $0.to, .application, label ?? "passed on") },
            state: "saw \(seen[index].count) line(s)",
            details: [
                SpaceTimeRun.Detail(
                    "held back at \(names[index])", members[index].heldBack.map(\.description)),
                SpaceTimeRun.Detail("what \(names[index]) saw", seen[index]),
            ])
        for (message, number) in zip(sent, numbers) {
            pending.append((message.message, index, message.to, number))
        }
    }

    /// False for an answer whose question is not there.
    private mutating func see(_ line: String, _ index: Int) -> Bool {
        var isInOrder = true
        if let range = line.firstRange(of: "question"), line.hasPrefix("answer"),
            !seen[index].contains(String(line[range.lowerBound...]))
        {
            isInOrder = false
            isWrong = true
            recorder.say("\(names[index]) saw \"\(line)\" before the question")
        }
        seen[index].append(line)
        return isInOrder
    }

    func judge() -> LabScenario.Outcome {
        var recorder = recorder
        if !isWrong { recorder.say("everybody saw each question before its answers") }
        return LabScenario.Outcome(run: recorder.run, isKept: !isWrong)
    }
}
