import Automata
import Consensus
import Simulation
import SpaceTime

/// Ben-Or's consensus with coins.
enum BenOrScenario {
    static let coins = LabScenario(
        "ben-or", "Processes that disagree toss coins until they agree, one of them crashing.",
        [
            LabParameter("processes", .number(3, 2...9), "how many take part; fewer than half may crash"),
            LabParameter("crash", .flag, "the last process crashes early"),
        ]
    ) { setting in
        let names = (1...setting.number("processes")).map { ProcessID(UInt64($0)) }
        let crashes = (names.count - 1) / 2
        var random = setting.random
        var processes = names.map { BenOr(process: $0, processes: names, crashes: crashes) }
        var recorder = SpaceTimeRecorder(
            title: "Ben-Or's consensus at \(names.count) processes", processes: names.map(\.description))
        var pending: [(message: BenOr.Message, from: ProcessID, to: Int, number: Int)] = []
        var crashed: Int?

        func step(_ index: Int, _ input: BenOr.Input, _ sentence: String, receiving: Int? = nil) {
            var outputs: [BenOr.Output] = []
            var said = sentence
            processes[index].step(input, at: .zero, into: &outputs)
            while outputs.contains(.tossCoin) {
                let coin = random.coin()
                outputs.removeAll { $0 == .tossCoin }
                said += "; nobody has a value, so it tosses a coin: \(coin ? 1 : 0)"
                processes[index].step(.coin(coin), at: .zero, into: &outputs)
            }
            var sent: [(to: Int, message: BenOr.Message)] = []
            for case .send(let message, let receiver) in outputs {
                sent.append((Int(receiver.rawValue) - 1, message))
            }
            let decision = processes[index].decision
            let decides = outputs.contains { if case .decide = $0 { true } else { false } }
            if decides { said += "; it decides \(decision == true ? 1 : 0)" }
            let numbers = recorder.note(
                index, decides ? .milestone : .step, said, receiving: receiving,
                sending: sent.map { .init(to: $0.to, .control, $0.message.description) },
                state: decision.map { "decided \($0 ? 1 : 0)" } ?? "round \(processes[index].round)")
            for (message, number) in zip(sent, numbers) {
                pending.append((message.message, names[index], message.to, number))
            }
        }

        let inputs = names.indices.map { $0 % 2 == 0 }
        for index in names.indices {
            step(index, .proposed(inputs[index]), "\(names[index]) begins with \(inputs[index] ? 1 : 0)")
        }
        var deliveries = 0
        while !pending.isEmpty, deliveries < 4000 {
            if setting.has("crash"), crashes > 0, deliveries == names.count, crashed == nil {
                crashed = names.count - 1
                recorder.note(names.count - 1, .crash, "\(names[names.count - 1]) crashes", state: "crashed")
            }
            let next = pending.remove(at: random.index(min(pending.count, 6)))
            deliveries += 1
            guard next.to != crashed, processes[next.to].decision == nil else { continue }
            step(
                next.to, .received(next.message, from: next.from),
                "\(names[next.to]) receives \(next.message) from \(next.from)", receiving: next.number)
        }
        let left = names.indices.filter { $0 != crashed }
        let decided = Set(left.compactMap { processes[$0].decision })
        recorder.say(
            "decided: \(decided.map { $0 ? "1" : "0" }.sorted().joined(separator: ", ")), in "
                + "\(processes.map(\.round).max() ?? 0) round(s)")
        return LabScenario.Outcome(
            run: recorder.run, isKept: decided.count == 1 && left.allSatisfy { processes[$0].decision != nil }
        )
    }
}
