import Automata
import Multicast
import Simulation
import SpaceTime

/// A sender that crashes while it multicasts, and what the others do about it.
enum CrashScenario {
    static let crash = LabScenario(
        "multicast-crash",
        "A sender crashes in the midst of its multicasts; those that stay agree on what it said.",
        [
            LabParameter("processes", .number(4, 2...8), "how many are in the group"),
            LabParameter("multicasts", .number(3, 1...20), "how many the first process begins"),
            LabParameter(
                "kind", .choice("reliable", ["best-effort", "flooding", "reliable"]),
                "numbers and requests for what is missing, or passing on; best effort does neither"),
        ]
    ) { setting in
        let names = (1...setting.number("processes")).map { ProcessID(UInt64($0)) }
        if setting.text("kind") == "reliable" {
            var watch = CrashWatch(setting, names, names.map { ReliableMulticast(process: $0, group: names) })
            watch.run()
            return watch.judge()
        }
        let guarantee: FloodingMulticast.Guarantee =
            setting.text("kind") == "flooding" ? .reliable : .bestEffort
        var watch = CrashWatch(
            setting, names, names.map { FloodingMulticast(process: $0, group: names, guarantee: guarantee) })
        watch.run()
        return watch.judge()
    }
}

private struct CrashWatch<Member: MulticastMember> {
    private let names: [ProcessID]
    private let multicasts: Int
    private var members: [Member]
    private var random: SeededRandom
    private var recorder: SpaceTimeRecorder
    private var post = Post<Member.Message>()
    private var heard: [[String]]

    init(_ setting: LabScenario.Setting, _ names: [ProcessID], _ members: [Member]) {
        self.names = names
        self.members = members
        multicasts = setting.number("multicasts")
        random = setting.random
        heard = names.map { _ in [] }
        recorder = SpaceTimeRecorder(
            title: "A sender among \(names.count) that crashes, \(setting.text("kind")) multicast",
            processes: names.map(\.description))
    }

    mutating func run() {
        for number in 1...multicasts {
            give(
                .multicast(Payload("word \(number)")), to: 0, "\(names[0]) multicasts \"word \(number)\"")
            if number < multicasts { for _ in names.indices where random.coin() { receive() } }
        }
        recorder.note(
            0, .crash, "\(names[0]) crashes; of what it had just sent, some is lost", state: "crashed")
        post.crash(0, &random)
        while !post.isEmpty { receive() }
        for index in names.indices.dropFirst() {
            give(.departed(names[0]), to: index, "\(names[index]) is told that \(names[0]) has crashed")
        }
        // Time passes; whoever has more than another is asked for it.
        for _ in 0..<6 where !isSettled {
            for index in names.indices.dropFirst() {
                give(.timerFired, to: index, "\(names[index]) tells how far it has come")
            }
            while !post.isEmpty { receive() }
        }
    }

    private var isSettled: Bool { heard.dropFirst().allSatisfy { $0.count == heard[1].count } }

    private mutating func receive() {
        guard let letter = post.next(&random), letter.to != 0 else { return }
        give(
            .received(letter.message, from: names[letter.from]), to: letter.to,
            "\(names[letter.to]) receives \(letter.message) from \(names[letter.from])",
            receiving: letter.number)
    }

    private mutating func give(
        _ input: Member.Input, to index: Int, _ sentence: String, receiving: Int? = nil
    ) {
        var outputs: [Member.Output] = []
        members[index].step(input, at: .zero, into: &outputs)
        var sent: [(to: Int, message: Member.Message)] = []
        var delivered: [String] = []
        for output in outputs {
            switch output {
            // What is for one that has crashed goes nowhere.
            case .send(let message, let receiver):
                if receiver != names[0] || index == 0 { sent.append((Int(receiver.rawValue) - 1, message)) }
            case .deliver(_, let payload): delivered.append(payload.description)
            case .setTimer, .refuse, .ready: break
            }
        }
        heard[index] += delivered
        let consequence = delivered.isEmpty ? "" : "; it delivers " + delivered.joined(separator: ", ")
        let numbers = recorder.note(
            index, delivered.isEmpty ? .step : .milestone, sentence + consequence, receiving: receiving,
            sending: sent.map { .init(to: $0.to, .application, $0.message.description) },
            state: "delivered \(heard[index].count), holds \(members[index].heldCount)",
            details: [SpaceTimeRun.Detail("what \(names[index]) delivered", heard[index])])
        for (message, number) in zip(sent, numbers) {
            post.add(message.message, from: index, to: message.to, number: number)
        }
    }

    func judge() -> LabScenario.Outcome {
        var recorder = recorder
        let staying = names.indices.dropFirst()
        let isSame = staying.allSatisfy { heard[$0] == heard[1] }
        if isSame {
            recorder.say("those that stay delivered the same: \(heard[1].joined(separator: ", "))")
        } else {
            for index in staying {
                recorder.say("\(names[index]) delivered \(heard[index].joined(separator: ", "))")
            }
        }
        return LabScenario.Outcome(run: recorder.run, isKept: isSame)
    }
}
