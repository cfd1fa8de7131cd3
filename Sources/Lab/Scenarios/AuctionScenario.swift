import Automata
import GroupCommunication
import Multicast
import Simulation
import SpaceTime

/// An auction without an auctioneer: everybody hears the same bids in the same order, so that all know who has won.
enum AuctionScenario {
    static let auction = LabScenario(
        "total-auction",
        "Bids in one order for all: everybody finds the same winner, also when the sequencer crashes.",
        [
            LabParameter("processes", .number(3, 2...8), "how many bid"),
            LabParameter("bids", .number(6, 1...60), "how many bids are made"),
            LabParameter(
                "order", .choice("sequencer", MulticastOrder.allCases.map(\.rawValue)),
                "how bids are ordered; fifo and causal are no total order"),
            LabParameter(
                "crash", .flag, "the sequencer, which is the first process, crashes in the midst of it"),
        ]
    ) { setting in
        var watch = AuctionWatch(setting)
        watch.run()
        return watch.judge()
    }
}

private struct AuctionWatch {
    private struct Bid {
        let amount: Int
        let text: String
    }

    private let names: [ProcessID]
    private let bids: Int
    private let crashes: Bool
    private var members: [GroupMember]
    private var random: SeededRandom
    private var recorder: SpaceTimeRecorder
    private var post = Post<GroupMessage>()
    private var heard: [[String]]
    private var highest: [Bid?]
    /// Bids that have to wait until the view has changed.
    private var waiting: [[String]]
    private var crashed: Int?
    private var amount = 10

    init(_ setting: LabScenario.Setting) {
        let names = (1...setting.number("processes")).map { ProcessID(UInt64($0)) }
        self.names = names
        bids = setting.number("bids")
        crashes = setting.has("crash")
        random = setting.random
        let order = MulticastOrder(rawValue: setting.text("order")) ?? .sequencer
        members = names.map { GroupMember(process: $0, founders: names, settings: .init(order: order)) }
        heard = names.map { _ in [] }
        highest = names.map { _ in nil }
        waiting = names.map { _ in [] }
        recorder = SpaceTimeRecorder(
            title: "An auction of \(names.count) in \(order.rawValue) order",
            processes: names.map(\.description))
    }

    mutating func run() {
        for index in names.indices { give(.start, to: index, "\(names[index]) takes part") }
        var made = 0
        var rounds = 0
        while made < bids || !post.isEmpty || !isSettled && rounds < 20 {
            if made == bids, post.isEmpty {
                // What was said too early in a new view comes again.
                rounds += 1
                for index in names.indices where index != crashed {
                    give(.timerFired, to: index, "\(names[index]) tells how far it has come")
                }
                continue
            }
            if crashes, crashed == nil, made > bids / 2 { crash() }
            if made < bids, post.isEmpty || random.chance(150_000) {
                made += 1
                bid()
            } else if let letter = post.next(&random), letter.to != crashed {
                receive(letter)
            }
        }
    }

    /// Everybody who is there has heard as many, and nothing is held back.
    private var isSettled: Bool {
        let staying = names.indices.filter { $0 != crashed }
        return staying.allSatisfy {
            heard[$0].count == heard[staying[0]].count && members[$0].heldBack.isEmpty
                && members[$0].view == members[staying[0]].view
        }
    }

    /// Two may bid the same; then the first counts.
    private mutating func bid() {
        let bidders = names.indices.filter { $0 != crashed }
        let index = random.element(bidders)
        amount += random.coin() ? 5 : 0
        let text = "\(amount) by \(names[index])"
        give(.multicast(Payload(text)), to: index, "\(names[index]) bids \(amount)")
    }

    private mutating func crash() {
        crashed = 0
        recorder.note(0, .crash, "\(names[0]) crashes; what it had just sent may be lost", state: "crashed")
        post.crash(0, &random)
        for index in names.indices.dropFirst() {
            give(.suspected(names[0]), to: index, "\(names[index]) does not hear from \(names[0]) any more")
        }
    }

    private mutating func receive(_ letter: Post<GroupMessage>.Letter) {
        give(
            .received(letter.message, from: names[letter.from]), to: letter.to,
            "\(names[letter.to]) receives \(Self.words(letter.message)) from \(names[letter.from])",
            receiving: letter.number)
    }

    private static func words(_ message: GroupMessage) -> String {
        if case .multicast(_, .data(let id, let item)) = message {
            return "\(id) \"\(ViewOrder.describe(item))\""
        }
        return message.description
    }

    private mutating func give(
        _ input: GroupMember.Input, to index: Int, _ sentence: String, receiving: Int? = nil
    ) {
        var outputs: [GroupMember.Output] = []
        members[index].step(input, at: .zero, into: &outputs)
        var sent: [(to: Int, message: GroupMessage)] = []
        var consequences: [String] = []
        var isReady = false
        let kind: SpaceTimeRun.Event.Kind
        for output in outputs {
            switch output {
            case .send(let message, let receiver): sent.append((Int(receiver.rawValue) - 1, message))
            case .deliver(_, let payload):
                consequences.append("hears \"\(payload)\"")
                hear(payload.description, index)
            case .install(let view): if view.number > 1 { consequences.append("installs \(view)") }
            case .refuse(let payload):
                consequences.append("must wait until the view has changed")
                waiting[index].append(payload.description)
            case .ready: isReady = true
            case .setTimer, .stop: break
            }
        }
        let held = members[index].heldBack
        if case .received(.multicast(_, .data), _) = input, consequences.isEmpty, !held.isEmpty {
            consequences.append("holds it back")
        }
        let isNews = consequences.contains { $0.hasPrefix("hears") || $0.hasPrefix("installs") }
        if isNews, let other = differing(from: index) {
            consequences.append("now has another order than \(names[other])")
            kind = .violation
        } else {
            kind = isNews ? .milestone : .step
        }
        let numbers = recorder.note(
            index, kind, ([sentence] + consequences).joined(separator: "; it "), receiving: receiving,
            sending: sent.map { sending in
                let isData = if case .multicast = sending.message { true } else { false }
                return .init(to: sending.to, isData ? .application : .control, Self.words(sending.message))
            },
            state: highest[index].map { "highest: \($0.text)" } ?? "no bid yet",
            details: [
                SpaceTimeRun.Detail("held back at \(names[index])", held.map(\.description)),
                SpaceTimeRun.Detail("what \(names[index]) heard", heard[index]),
            ])
        for (message, number) in zip(sent, numbers) {
            post.add(message.message, from: index, to: message.to, number: number)
        }
        guard isReady else { return }
        let bids = waiting[index]
        waiting[index] = []
        for text in bids {
            give(
                .multicast(Payload(text)), to: index,
                "\(names[index]) bids \(text.prefix { $0.isNumber }) now")
        }
    }

    /// Somebody who is there and has heard something else at a place at which this member has heard a bid.
    private func differing(from index: Int) -> Int? {
        names.indices.first { other in
            other != crashed && index != crashed
                && zip(heard[index], heard[other]).contains { $0 != $1 }
        }
    }

    private mutating func hear(_ text: String, _ index: Int) {
        heard[index].append(text)
        let amount = Int(text.prefix { $0.isNumber }) ?? 0
        if amount > highest[index]?.amount ?? 0 { highest[index] = Bid(amount: amount, text: text) }
    }

    func judge() -> LabScenario.Outcome {
        var recorder = recorder
        let staying = names.indices.filter { $0 != crashed }
        let first = staying[0]
        let isSame = staying.allSatisfy { heard[$0] == heard[first] }
        if isSame {
            recorder.say("all heard the same \(heard[first].count) bids in the same order")
            recorder.say("the winner is \(highest[first]?.text ?? "nobody")")
        } else {
            for index in staying {
                recorder.say(
                    "\(names[index]) heard \(heard[index].joined(separator: ", ")), and takes "
                        + "\(highest[index]?.text ?? "nobody") for the winner")
            }
        }
        let unsaid = waiting.joined()
        if !unsaid.isEmpty {
            recorder.say(
                "never sent, as no majority was left to change the view: \(unsaid.joined(separator: ", "))")
        }
        return LabScenario.Outcome(run: recorder.run, isKept: isSame)
    }
}
