import Automata
import Consensus
import ModelChecking

/// The production's `BenOr` at every process, with every order of messages and every coin, for a bounded number of
/// rounds. A process that crashes is one that takes no more steps, so crashes need no steps of their own, and what
/// was sent may come any number of times or never.
struct BenOrSystem: Sendable {
    /// What each process proposes.
    var inputs = [false, true, true]
    /// How many crashes the processes are prepared for.
    var crashes = 1
    var rounds = 1

    func model() -> ProcessSystem<BenOrProcess> {
        let names = inputs.indices.map { ProcessID(UInt64($0) + 1) }
        var options = SystemOptions()
        options.network = .everSent
        options.durability = .withStep
        let inputs = inputs
        let processes = zip(names, inputs).map { name, input in
            let core = BenOr(process: name, processes: names, crashes: crashes)
            return (name, BenOrProcess(core: core, input: input, lastRound: UInt32(rounds)))
        }
        var words = SystemWords<BenOrProcess>()
        words.request = { "tosses \($0 ? 1 : 0)" }
        words.process = { process in
            let decision = process.core.decision.map { ", decided \($0 ? 1 : 0)" } ?? ""
            return "round \(process.core.round)\(decision)"
        }
        return ProcessSystem(
            processes, options,
            properties: [
                .always("agreement") { view in
                    let decisions = Self.decisions(view)
                    return decisions.allSatisfy { $0 == decisions[0] }
                },
                .always("validity") { view in Self.decisions(view).allSatisfy(inputs.contains) },
                .sometimes("decided") { !Self.decisions($0).isEmpty },
            ], words: words)
    }

    private static func decisions(_ view: SystemView<BenOrProcess>) -> [Bool] {
        view.processes.indices.compactMap { view.process(at: $0).core.decision }
    }
}

/// A process of Ben-Or's algorithm. What belongs to rounds past the last is never sent.
struct BenOrProcess: CheckedProcess {
    typealias Message = BenOr.Message
    /// The side on which a coin falls.
    typealias Request = Bool

    private(set) var core: BenOr
    let input: Bool
    let lastRound: UInt32
    private var isTossing = false

    init(core: BenOr, input: Bool, lastRound: UInt32) {
        self.core = core
        self.input = input
        self.lastRound = lastRound
    }

    var requests: [Bool] { isTossing && core.round < lastRound ? [false, true] : [] }

    mutating func step(_ input: Input, at now: Instant, into outputs: inout [Output]) {
        var wanted: [BenOr.Output] = []
        switch input {
        case .started: core.step(.proposed(self.input), at: now, into: &wanted)
        case .received(let message, let sender):
            core.step(.received(message, from: sender), at: now, into: &wanted)
        case .requested(let side):
            isTossing = false
            core.step(.coin(side), at: now, into: &wanted)
        case .timerFired, .durable: break
        }
        for output in wanted {
            switch output {
            case .send(let message, let receiver):
                if isWithinRounds(message) { outputs.append(.send(message, to: receiver)) }
            case .tossCoin: isTossing = true
            case .decide: break
            }
        }
    }

    private func isWithinRounds(_ message: Message) -> Bool {
        switch message {
        case .report(let round, _), .proposal(let round, _): round <= lastRound
        case .decided: true
        }
    }
}
