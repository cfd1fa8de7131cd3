import Impossibility
import SpaceTime

/// The scheduler that keeps Paxos undecided, to watch.
enum UndecidedScenario {
    static let adversary = LabScenario(
        "flp-adversary", "A fair scheduler keeps Paxos undecided; --omega lets it decide in the end.",
        [
            LabParameter("processes", .number(3, 2...7), "how many propose"),
            LabParameter("deliveries", .number(60, 5...4000), "how long one cares to watch"),
            LabParameter("omega", .flag, "afterwards only p1 may begin ballots"),
        ]
    ) { setting in
        let count = setting.number("processes")
        var recorder = SpaceTimeRecorder(
            title: "A scheduler that keeps \(count) proposers undecided",
            processes: (1...count).map { "p\($0)" })
        var numbers: [Int: Int] = [:]
        let watched = UndecidedRun(
            processes: count, deliveries: setting.number("deliveries"), seed: UInt64(setting.number("seed")),
            omega: setting.has("omega"))
        for delivery in watched.deliveries {
            let sent = recorder.note(
                delivery.process, delivery.decides ? .milestone : .step,
                delivery.sentence, receiving: delivery.received.flatMap { numbers[$0] },
                sending: delivery.sent.map { .init(to: $0.to, .control, $0.label) }, state: delivery.state,
                outlook: delivery.settledOn.map { $0 ? .one : .zero } ?? .open)
            for (message, number) in zip(delivery.sent, sent) { numbers[message.number] = number }
        }
        for line in watched.lines { recorder.say(line) }
        return LabScenario.Outcome(run: recorder.run, isKept: watched.isAsClaimed)
    }
}
