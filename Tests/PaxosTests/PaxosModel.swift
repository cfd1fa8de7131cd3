import Automata
import Paxos

/// Single-decree Paxos made of the values that the product is made of: three `Acceptor`s, two proposers that
/// collect promises in a `PromiseCollection` and count in an `AcceptanceTally`, and everything that may
/// happen between them.
///
/// - A message that was sent may be delivered any number of times, in any order, or never: what was sent is
///   a set that only grows.
/// - An acceptor answers when what it did is durable. Between the two it may crash and lose both. Meanwhile
///   nobody else can tell that anything happened, so the model lets nothing else happen in between.
/// - A proposer may give up and begin its next ballot at any time. What it does with a promise shows only
///   once it has a quorum of them, so it takes any quorum of promises that were sent in one step.
/// - Acceptors differ in nothing but their names, so states that differ by a permutation of them are one.
///
/// Local states and messages are interned, and what a process does with a message is computed once, by the
/// product's own code, and remembered. A global state is then a few numbers, and equality is exact.
struct PaxosModel {
    /// What an acceptor says.
    enum Answer: Hashable {
        case promise(Ballot, AcceptedChunk)
        case accepted(Ballot)
    }

    /// What a proposer says.
    enum Request: Hashable, CustomStringConvertible {
        case prepare(Ballot)
        case accept(Ballot, Entry)

        var description: String {
            switch self {
            case .prepare(let ballot): "prepare(\(ballot))"
            case .accept(let ballot, let value): "accept(\(ballot), \(value))"
            }
        }
    }

    struct AcceptorState: Hashable {
        var memory = Acceptor()
        var durable = Acceptor()
        /// Answers that left, a bit for each.
        var sent: UInt64 = 0
        /// Waits for what is in memory to become durable.
        var unsent: Int?

        var isSettled: Bool { unsent == nil && memory == durable }
    }

    struct State: Hashable {
        /// In ascending order of their numbers.
        var acceptors: SIMD4<UInt16> = .zero
        /// Twice the number of ballots begun, and one more once the last of them has proposed.
        var proposers: SIMD2<UInt8> = .zero
        /// What the proposers have sent, a bit for each.
        var requests: UInt64 = 0
    }

    enum Action: Hashable {
        case begin(proposer: Int)
        case propose(proposer: Int, first: Int, promise: Int, second: Int, promise2: Int)
        case receive(request: Int, acceptor: Int)
        case sync(acceptor: Int)
        case crash(acceptor: Int)
    }

    static let count = 3
    let ballotLimits: [Int]
    /// Whether a restarted acceptor remembers its promise. When it does not, the checker must notice.
    let forgetsPromise: Bool
    let configuration = Configuration(voters: (1...3).map { ProcessID(UInt64($0)) })
    let slot = Slot(1)

    private var locals = Interned<AcceptorState>()
    /// By number of a local state, what is looked at most.
    private var isSettled: [Bool] = []
    private var sent: [UInt64] = []
    private var answers = Interned<Answer>()
    private var requests = Interned<Request>()
    /// By local state and request: the local state after it, or -1 while that was not needed.
    private var receptions: [[Int32]] = []
    private var tallied: [[Bool]: Bool] = [:]
    private var valuesToPropose: [[Int]: Entry] = [:]

    init(ballots: [Int], forgetsPromise: Bool = false) {
        ballotLimits = ballots
        self.forgetsPromise = forgetsPromise
    }

    static func value(of proposer: Int) -> Entry {
        .payload(ProposalID(process: ProcessID(UInt64(proposer + 1)), number: 1), Payload("v\(proposer + 1)"))
    }

    mutating func initial() -> State {
        let fresh = number(of: AcceptorState())
        return State(acceptors: SIMD4(fresh, fresh, fresh, 0))
    }

    private mutating func number(of acceptor: AcceptorState) -> UInt16 {
        let number = locals.number(of: acceptor)
        precondition(number <= UInt16.max, "more local states than numbers for them")
        if number == sent.count {
            isSettled.append(acceptor.isSettled)
            sent.append(acceptor.sent)
            receptions.append(Array(repeating: -1, count: 64))
        }
        return UInt16(number)
    }

    // MARK: What may happen

    mutating func actions(in state: State) -> [Action] {
        for index in 0..<Self.count where !isSettled[Int(state.acceptors[index])] {
            return [.sync(acceptor: index), .crash(acceptor: index)]
        }
        var actions: [Action] = []
        for proposer in 0..<2 where Int(state.proposers[proposer] / 2) < ballotLimits[proposer] {
            actions.append(.begin(proposer: proposer))
        }
        for index in 0..<Self.count {
            // Equal acceptors do equal things.
            if index > 0, state.acceptors[index] == state.acceptors[index - 1] { continue }
            for request in 0..<requests.count where state.requests & 1 << request != 0 {
                if receive(request, state.acceptors[index]) != state.acceptors[index] {
                    actions.append(.receive(request: request, acceptor: index))
                }
            }
            if forgetsPromise { actions.append(.crash(acceptor: index)) }
        }
        for proposer in 0..<2 where state.proposers[proposer] > 0 && state.proposers[proposer] % 2 == 0 {
            addProposals(of: proposer, in: state, to: &actions)
        }
        return actions
    }

    private func addProposals(of proposer: Int, in state: State, to actions: inout [Action]) {
        let ballot = ballot(proposer, state.proposers[proposer] / 2)
        for first in 0..<Self.count {
            for promise in promises(of: ballot, by: first, state) {
                for second in first + 1..<Self.count {
                    for promise2 in promises(of: ballot, by: second, state) {
                        actions.append(
                            .propose(
                                proposer: proposer, first: first, promise: promise, second: second,
                                promise2: promise2))
                    }
                }
            }
        }
    }

    private func promises(of ballot: Ballot, by index: Int, _ state: State) -> [Int] {
        let sent = sent[Int(state.acceptors[index])]
        var promises: [Int] = []
        for number in 0..<answers.count where sent & 1 << number != 0 {
            if case .promise(ballot, _) = answers[number] { promises.append(number) }
        }
        return promises
    }

    /// The state after an action, its acceptors in any order.
    mutating func apply(_ action: Action, to state: State) -> State {
        var next = state
        switch action {
        case .begin(let proposer):
            let round = state.proposers[proposer] / 2 + 1
            next.proposers[proposer] = round * 2
            next.requests |= 1 << UInt64(requests.number(of: .prepare(ballot(proposer, round))))
        case .propose(let proposer, let first, let promise, let second, let promise2):
            let value = value(for: proposer, [(first, promise), (second, promise2)])
            let ballot = ballot(proposer, state.proposers[proposer] / 2)
            next.proposers[proposer] += 1
            next.requests |= 1 << UInt64(requests.number(of: .accept(ballot, value)))
        case .receive(let request, let index):
            next.acceptors[index] = receive(request, state.acceptors[index])
        case .sync(let index):
            var acceptor = local(index, state)
            acceptor.durable = acceptor.memory
            if let answer = acceptor.unsent { acceptor.sent |= 1 << UInt64(answer) }
            acceptor.unsent = nil
            next.acceptors[index] = number(of: acceptor)
        case .crash(let index):
            var acceptor = local(index, state)
            acceptor.unsent = nil
            if forgetsPromise {
                acceptor.durable = Acceptor(promised: .none, accepted: acceptor.durable.accepted)
            }
            acceptor.memory = acceptor.durable
            next.acceptors[index] = number(of: acceptor)
        }
        return next
    }

    private mutating func receive(_ request: Int, _ number: UInt16) -> UInt16 {
        let known = receptions[Int(number)][request]
        if known >= 0 { return UInt16(known) }
        var acceptor = locals[Int(number)]
        var answer: Answer?
        switch requests[request] {
        case .prepare(let ballot):
            if case .promised = acceptor.memory.prepare(ballot) {
                answer = .promise(ballot, acceptor.memory.accepted.chunk(from: slot, bytesLimit: .max))
            }
        case .accept(let ballot, let entry):
            if case .accepted = acceptor.memory.accept(ballot, first: slot, entries: [entry]) {
                answer = .accepted(ballot)
            }
        }
        if let answer {
            let bit = answers.number(of: answer)
            precondition(bit < 64, "more answers than bits for them")
            if acceptor.sent & 1 << UInt64(bit) == 0 { acceptor.unsent = bit }
        }
        let result = self.number(of: acceptor)
        receptions[Int(number)][request] = Int32(result)
        return result
    }

    private mutating func value(for proposer: Int, _ promises: [(acceptor: Int, answer: Int)]) -> Entry {
        let key = [proposer] + promises.map(\.answer)
        if let known = valuesToPropose[key] { return known }
        guard case .promise(let ballot, _) = answers[promises[0].answer] else { preconditionFailure() }
        var collection = PromiseCollection(ballot: ballot, configuration: configuration, from: slot)
        for (acceptor, answer) in promises {
            precondition(!collection.isQuorum, "a quorum before the second promise")
            guard case .promise(ballot, let chunk) = answers[answer] else { preconditionFailure() }
            collection.add(chunk)
            collection.finish(configuration.voters[acceptor])
        }
        precondition(collection.isQuorum, "no quorum after the second promise")
        let value = collection.values.first ?? Self.value(of: proposer)
        valuesToPropose[key] = value
        return value
    }

    private func ballot(_ proposer: Int, _ round: UInt8) -> Ballot {
        Ballot(round: UInt64(round), process: ProcessID(UInt64(proposer + 1)))
    }

    private func local(_ index: Int, _ state: State) -> AcceptorState { locals[Int(state.acceptors[index])] }

    // MARK: What must hold

    /// Agreement: what a quorum has durably accepted at one ballot is the same value at every such ballot.
    /// Validity: it is the value of a proposer.
    mutating func violation(in state: State) -> String? {
        var chosen: (ballot: Ballot, value: Entry)?
        for number in 0..<requests.count where state.requests & 1 << number != 0 {
            guard case .accept(let ballot, let value) = requests[number] else { continue }
            guard isChosen(at: ballot, in: state) else { continue }
            if value != Self.value(of: 0) && value != Self.value(of: 1) {
                return "validity: \(value), which nobody proposed, is chosen at \(ballot)"
            }
            if let chosen, chosen.value != value {
                return "agreement: \(chosen.value) is chosen at \(chosen.ballot), and \(value) at \(ballot)"
            }
            chosen = (ballot, value)
        }
        return nil
    }

    private mutating func isChosen(at ballot: Ballot, in state: State) -> Bool {
        guard let bit = answers.known(.accepted(ballot)) else { return false }
        let accepted = (0..<Self.count).map { sent[Int(state.acceptors[$0])] & 1 << bit != 0 }
        if let known = tallied[accepted] { return known }
        var tally = AcceptanceTally(ballot: ballot)
        for (index, voter) in configuration.voters.enumerated() where accepted[index] {
            tally.record(voter, upTo: slot)
        }
        tallied[accepted] = tally.chosenUpTo(in: configuration) == slot
        return tallied[accepted]!
    }

    /// In words, with the names that the acceptors have in a trace.
    func describe(_ action: Action, _ names: [Int]) -> String {
        switch action {
        case .begin(let proposer): "p\(proposer + 1) begins its next ballot"
        case .propose(let proposer, let first, let promise, let second, let promise2):
            "p\(proposer + 1) receives \(describe(promise)) from a\(names[first]) and "
                + "\(describe(promise2)) from a\(names[second]), and proposes"
        case .receive(let request, let index): "a\(names[index]) receives \(requests[request])"
        case .sync(let index): "a\(names[index]) makes its state durable and answers"
        case .crash(let index): "a\(names[index]) crashes and restarts"
        }
    }

    private func describe(_ answer: Int) -> String {
        guard case .promise(let ballot, let chunk) = answers[answer] else { preconditionFailure() }
        guard let value = chunk.entries.first else { return "promise(\(ballot))" }
        return "promise(\(ballot), \(value) at \(chunk.runs[0].ballot))"
    }
}

extension PaxosModel.State {
    /// The one state that stands for all its permutations.
    var canonical: PaxosModel.State {
        var state = self
        func order(_ low: Int, _ high: Int) {
            let (a, b) = (state.acceptors[low], state.acceptors[high])
            state.acceptors[low] = min(a, b)
            state.acceptors[high] = max(a, b)
        }
        order(0, 1)
        order(1, 2)
        order(0, 1)
        return state
    }
}

/// Gives every distinct value a number, counted from 0.
struct Interned<Value: Hashable> {
    private var values: [Value] = []
    private var numbers: [Value: Int] = [:]

    var count: Int { values.count }
    subscript(number: Int) -> Value { values[number] }

    func known(_ value: Value) -> Int? { numbers[value] }

    mutating func number(of value: Value) -> Int {
        if let number = numbers[value] { return number }
        numbers[value] = values.count
        values.append(value)
        return values.count - 1
    }
}
