import Automata
import Paxos
import Simulation

/// Keeps single-decree Paxos undecided, while every message is delivered and nobody crashes.
///
/// It is the scheduler of the proof of Fischer, Lynch and Paterson, lemma 3, made concrete. Most of the time it
/// delivers whatever it likes, and then the message that has waited longest. When that message would let a quorum
/// accept a value, and so settle the outcome, the adversary first looks for other deliveries after which it no longer
/// does: typically, it lets the other proposer's next ballot reach the acceptor, which will then refuse. Only when
/// there are none does it give in.
///
/// So a message that has become the oldest is delivered after at most `detourLimit` others: the run is fair, and goes
/// on as long as one cares to watch.
struct SynodAdversary {
    struct Message: Hashable {
        let number: Int
        let envelope: Envelope<SynodMessage>
        /// How many deliveries there had been when it was sent.
        let sentAt: Int
    }

    struct Fairness: Hashable {
        var deliveries = 0
        /// By process.
        var receivedBy: [Int]
        /// Deliveries between the sending of a message and its own, at most.
        var longestWait = 0
        /// Deliveries that were put before the oldest message, at most.
        var longestDetour = 0
        var detours = 0
        /// How often the adversary had to let a value be accepted by a quorum.
        var surrenders = 0
        var highestRound: UInt64 = 0
    }

    /// The deliveries that may be put before the oldest message.
    static let detourLimit = 10
    private static let searchLimit = 20_000

    private(set) var processes: [SynodProcess]
    /// The oldest first.
    private(set) var pending: [Message] = []
    private(set) var fairness: Fairness
    /// Every delivery, where somebody watches.
    private(set) var watched: [UndecidedRun.Delivery]?
    private var accepted: [AcceptedBallot] = []
    private var settledOn: Bool?
    private let configuration: Configuration
    private var random: SeededRandom
    private var nextNumber = 0
    let inputs: [Bool]

    private struct AcceptedBallot: Hashable {
        let ballot: Ballot
        var acceptors: [ProcessID]
    }

    /// Everybody proposes: process i the i-th input.
    init(inputs: [Bool], seed: UInt64, watches: Bool = false) {
        self.inputs = inputs
        random = SeededRandom(seed: seed)
        let names = inputs.indices.map { ProcessID(UInt64($0 + 1)) }
        configuration = Configuration(voters: names)
        processes = names.map { [configuration] in SynodProcess(process: $0, configuration: configuration) }
        fairness = Fairness(receivedBy: inputs.map { _ in 0 })
        watched = watches ? [] : nil
        for index in inputs.indices {
            let sent = SynodProtocol.step(&processes[index], .proposed(SynodProtocol.payload(inputs[index])))
            note("\(processes[index].process) proposes \(inputs[index].bit)", at: index, received: nil, sent)
            send(sent)
        }
    }

    var decisions: [Bool?] { processes.map { $0.decision.map { $0 == SynodProtocol.payload(true) } } }

    /// Ω names one process: only it may begin ballots from now on.
    mutating func follow(_ leader: Int) {
        for index in processes.indices {
            let sent = SynodProtocol.step(&processes[index], .mayLead(index == leader))
            note(
                "\(processes[index].process) hears that p\(leader + 1) leads", at: index, received: nil, sent)
            send(sent)
        }
    }

    /// Delivers one message or a few; false when there is none.
    mutating func advance() -> Bool {
        guard !pending.isEmpty else { return false }
        if random.coin() {
            // Whatever it likes, as long as it settles nothing.
            let any = random.number(in: 0...pending.count - 1)
            if !settles(pending[any]) { deliver(any, "") }
        }
        guard !pending.isEmpty else { return false }
        if settles(pending[0]) {
            if let detour = detour() {
                fairness.detours += 1
                fairness.longestDetour = max(fairness.longestDetour, detour.count)
                for number in detour {
                    if let place = pending.firstIndex(where: { $0.number == number }) {
                        deliver(place, ", put before the oldest message, which would settle it now")
                    }
                }
                // The oldest message is still the first: it was put off, no more.
            } else {
                fairness.surrenders += 1
            }
        }
        deliver(0, ", the oldest message")
        return true
    }

    /// Whether a quorum would have accepted at one ballot once the message is delivered.
    private func settles(_ message: Message) -> Bool {
        Self.settles(message.envelope, processes, accepted, configuration)
    }

    private static func settles(
        _ envelope: Envelope<SynodMessage>, _ processes: [SynodProcess], _ accepted: [AcceptedBallot],
        _ configuration: Configuration
    ) -> Bool {
        guard case .accept(let vote) = envelope.message,
            processes[envelope.to].acceptor.promised <= vote.ballot
        else {
            return false
        }
        let before = accepted.first { $0.ballot == vote.ballot }?.acceptors ?? []
        let acceptor = processes[envelope.to].process
        return !before.contains(acceptor) && configuration.isPhase2Quorum(before + [acceptor])
    }

    private mutating func deliver(_ place: Int, _ why: String) {
        let message = pending.remove(at: place)
        fairness.deliveries += 1
        fairness.receivedBy[message.envelope.to] += 1
        fairness.longestWait = max(fairness.longestWait, fairness.deliveries - 1 - message.sentAt)
        if settledOn == nil, settles(message), case .accept(let vote) = message.envelope.message {
            settledOn = vote.value == SynodProtocol.payload(true)
        }
        Self.note(message.envelope, processes, &accepted)
        let sent = Self.receive(message.envelope, &processes)
        note(
            "\(ValenceReport.text(message.envelope))\(why)", at: message.envelope.to,
            received: message.number, sent)
        send(sent)
        for process in processes {
            fairness.highestRound = max(fairness.highestRound, process.acceptor.promised.round)
        }
        forgetOvertaken()
    }

    private static func receive(
        _ envelope: Envelope<SynodMessage>, _ processes: inout [SynodProcess]
    ) -> [Envelope<SynodMessage>] {
        let sender = processes[envelope.from].process
        return SynodProtocol.step(&processes[envelope.to], .received(envelope.message, from: sender))
    }

    private static func note(
        _ envelope: Envelope<SynodMessage>, _ processes: [SynodProcess], _ accepted: inout [AcceptedBallot]
    ) {
        guard case .accept(let vote) = envelope.message,
            processes[envelope.to].acceptor.promised <= vote.ballot
        else {
            return
        }
        let acceptor = processes[envelope.to].process
        guard let place = accepted.firstIndex(where: { $0.ballot == vote.ballot }) else {
            return accepted.append(AcceptedBallot(ballot: vote.ballot, acceptors: [acceptor]))
        }
        if !accepted[place].acceptors.contains(acceptor) { accepted[place].acceptors.append(acceptor) }
    }

    /// Nothing is accepted any more at a ballot below what everybody has promised.
    private mutating func forgetOvertaken() {
        guard accepted.count > 8, let lowest = processes.map(\.acceptor.promised).min() else { return }
        accepted.removeAll { $0.ballot < lowest }
    }

    /// Before what it sends is numbered.
    private mutating func note(
        _ sentence: String, at index: Int, received: Int?, _ sent: [Envelope<SynodMessage>]
    ) {
        guard watched != nil else { return }
        let process = processes[index]
        let vote = process.acceptor.vote.map { ", accepted \($0)" } ?? ""
        watched?.append(
            UndecidedRun.Delivery(
                process: index, received: received, sentence: sentence,
                sent: sent.enumerated().map {
                    UndecidedRun.Sent(number: nextNumber + $0, to: $1.to, label: $1.message.description)
                },
                state: process.decision.map { "decided \($0)" }
                    ?? "promised \(process.acceptor.promised)\(vote)",
                decides: process.decision != nil, settledOn: settledOn))
    }

    private mutating func send(_ envelopes: [Envelope<SynodMessage>]) {
        for envelope in envelopes {
            pending.append(Message(number: nextNumber, envelope: envelope, sentAt: fairness.deliveries))
            nextNumber += 1
        }
    }
}

// MARK: The detour

extension SynodAdversary {
    /// A way to go on without the oldest message, as the search sees it.
    private struct Branch {
        var processes: [SynodProcess]
        var pending: [Message]
        var accepted: [AcceptedBallot]
        var nextNumber: Int
        var delivered: [Int]
    }

    /// The fewest deliveries of other messages after which the oldest settles nothing, by their numbers; none of them
    /// settles anything either. Nil when there are none within the limits.
    private func detour() -> [Int]? {
        let oldest = pending[0]
        var queue = [
            Branch(
                processes: processes, pending: Array(pending.dropFirst()), accepted: accepted,
                nextNumber: nextNumber,
                delivered: [])
        ]
        var seen: Set<[SynodProcess]> = [processes]
        var next = 0
        while next < queue.count, queue.count < Self.searchLimit {
            let branch = queue[next]
            next += 1
            guard branch.delivered.count < Self.detourLimit else { continue }
            for place in branch.pending.indices {
                let message = branch.pending[place]
                guard !Self.settles(message.envelope, branch.processes, branch.accepted, configuration) else {
                    continue
                }
                var after = branch
                after.pending.remove(at: place)
                after.delivered.append(message.number)
                Self.note(message.envelope, after.processes, &after.accepted)
                let sent = Self.receive(message.envelope, &after.processes)
                // A delivery that changes nobody and says nothing can come later.
                guard seen.insert(after.processes).inserted || !sent.isEmpty else { continue }
                for envelope in sent {
                    after.pending.append(Message(number: after.nextNumber, envelope: envelope, sentAt: 0))
                    after.nextNumber += 1
                }
                if !Self.settles(oldest.envelope, after.processes, after.accepted, configuration) {
                    return after.delivered
                }
                queue.append(after)
            }
        }
        return nil
    }
}
