import Automata
import ModelChecking
import Paxos

/// Single-decree Paxos made of the values that the product is made of: an `Acceptor`, or a proposer that
/// collects promises in a `PromiseCollection`, with just enough of a host.
///
/// ```
///   proposer                     acceptor
///      │ prepare(b) ────────────────▶│  promise made durable
///      │◀──────────────── promise(b) │
///      │ a quorum of them, in one step
///      │ accept(b, v) ──────────────▶│  acceptance made durable
///      │◀─────────────── accepted(b) │
/// ```
enum PaxosProcess: CheckedProcess {
    case acceptor(CheckedAcceptor)
    case proposer(CheckedProposer)

    enum Message: Hashable, Sendable {
        case prepare(Ballot)
        case promise(Ballot, AcceptedChunk)
        case accept(Ballot, Entry)
        case accepted(Ballot)

        var acceptedBallot: Ballot? {
            if case .accepted(let ballot) = self { ballot } else { nil }
        }
    }

    enum Request: Hashable, Sendable {
        /// Gives up the ballot, if there is one, and begins the next.
        case begin
        /// Takes these promises, a quorum of them.
        case propose([Promise])
    }

    struct Promise: Hashable, Sendable {
        let acceptor: ProcessID
        let accepted: AcceptedChunk
    }

    /// The slot that is decided.
    static var slot: Slot { Slot(1) }

    mutating func step(_ input: Input, at now: Instant, into outputs: inout [Output]) {
        switch self {
        case .acceptor(var acceptor):
            acceptor.step(input, &outputs)
            self = .acceptor(acceptor)
        case .proposer(var proposer):
            proposer.step(input, &outputs)
            self = .proposer(proposer)
        }
    }

    var requests: [Request] {
        if case .proposer(let proposer) = self, proposer.mayBegin { [.begin] } else { [] }
    }

    var looksIntoInbox: Bool {
        if case .proposer(let proposer) = self { proposer.phase == .preparing } else { false }
    }

    func requests(in inbox: [CheckedMessage<Message>]) -> [Request] {
        guard case .proposer(let proposer) = self else { return [] }
        return proposer.quorums(in: inbox).map { .propose($0) }
    }

    /// Proposers do not crash: one that gives its ballot up for the next is all that others could see.
    var initiallyDurable: Acceptor {
        if case .acceptor(let acceptor) = self { acceptor.memory } else { Acceptor() }
    }

    func recovered(from durable: Acceptor) -> PaxosProcess {
        guard case .acceptor(var acceptor) = self else { return self }
        acceptor.recover(from: durable)
        return .acceptor(acceptor)
    }
}

/// An acceptor that answers when what it did is durable.
struct CheckedAcceptor: Hashable, Sendable {
    private(set) var memory = Acceptor()
    /// Whether a restart loses the promise, which it must not.
    let isForgetful: Bool

    mutating func step(_ input: PaxosProcess.Input, _ outputs: inout [PaxosProcess.Output]) {
        guard case .received(let message, let sender) = input else { return }
        let before = memory
        let answer: PaxosProcess.Message
        switch message {
        case .prepare(let ballot):
            guard case .promised = memory.prepare(ballot) else { return }
            answer = .promise(ballot, memory.accepted.chunk(from: PaxosProcess.slot, bytesLimit: .max))
        case .accept(let ballot, let entry):
            guard case .accepted = memory.accept(ballot, first: PaxosProcess.slot, entries: [entry]) else {
                return
            }
            answer = .accepted(ballot)
        case .promise, .accepted: return
        }
        if memory != before { outputs.append(.persist(memory)) }
        outputs.append(.sendWhenDurable(answer, to: sender))
    }

    mutating func recover(from durable: Acceptor) {
        memory = isForgetful ? Acceptor(promised: .none, accepted: durable.accepted) : durable
    }
}

/// A proposer that begins ballots until its limit is reached.
struct CheckedProposer: Hashable, Sendable {
    enum Phase: Hashable, Sendable { case idle, preparing, proposed }

    let process: ProcessID
    let ballots: Int
    let quorums: CheckedQuorums
    private(set) var round = 0
    private(set) var phase = Phase.idle

    init(_ process: ProcessID, ballots: Int, quorums: CheckedQuorums) {
        self.process = process
        self.ballots = ballots
        self.quorums = quorums
    }

    var mayBegin: Bool { round < ballots }
    private var ballot: Ballot { Ballot(round: UInt64(round), process: process) }

    /// What it proposes where nothing is accepted.
    static func value(of process: ProcessID) -> Entry {
        .payload(ProposalID(process: process, number: 1), Payload("v\(process.rawValue)"))
    }

    mutating func step(_ input: PaxosProcess.Input, _ outputs: inout [PaxosProcess.Output]) {
        switch input {
        case .requested(.begin):
            round += 1
            phase = .preparing
            for acceptor in quorums.acceptors { outputs.append(.send(.prepare(ballot), to: acceptor)) }
        case .requested(.propose(let promises)):
            let value = quorums.value(for: promises, at: ballot) ?? Self.value(of: process)
            phase = .proposed
            for acceptor in quorums.acceptors {
                outputs.append(.send(.accept(ballot, value), to: acceptor))
            }
        case .started, .received, .timerFired, .durable: break
        }
    }

    /// Every way to take one promise at the current ballot from each of a quorum.
    func quorums(in inbox: [CheckedMessage<PaxosProcess.Message>]) -> [[PaxosProcess.Promise]] {
        var ways: [[PaxosProcess.Promise]] = [[]]
        for acceptor in quorums.acceptors {
            var more: [[PaxosProcess.Promise]] = []
            for one in inbox where one.from == acceptor {
                guard case .promise(ballot, let accepted) = one.message else { continue }
                for way in ways where way.count < quorums.size {
                    more.append(way + [PaxosProcess.Promise(acceptor: acceptor, accepted: accepted)])
                }
            }
            ways += more
        }
        return ways.filter { $0.count == quorums.size }
    }
}

/// Quorums of any size. `Configuration` refuses those that can miss each other, and rightly; here each such
/// quorum gets a sound configuration of its own, and nobody sees that one misses another.
struct CheckedQuorums: Hashable, Sendable {
    let acceptors: [ProcessID]
    let size: Int
    /// Of all acceptors; `nil` where the type refuses it.
    private let configuration: Configuration?

    /// By set of acceptors, a bit for each: whether what they all have accepted at one ballot is chosen.
    private let chosen: [Bool]

    init(acceptors: [ProcessID], size: Int) {
        self.acceptors = acceptors
        self.size = size
        let configuration = try? Configuration(
            voters: acceptors, quorums: .flexible(phase1: size, phase2: size))
        self.configuration = configuration
        chosen = (0..<1 << acceptors.count).map { set in
            guard let configuration else { return set.nonzeroBitCount >= size }
            var tally = AcceptanceTally(ballot: Ballot(round: 1, process: acceptors[0]))
            for (index, acceptor) in acceptors.enumerated() where set & 1 << index != 0 {
                tally.record(acceptor, upTo: PaxosProcess.slot)
            }
            return tally.chosenUpTo(in: configuration) == PaxosProcess.slot
        }
    }

    /// The value that these promises oblige to, by the production rule; `nil` for a free choice.
    func value(for promises: [PaxosProcess.Promise], at ballot: Ballot) -> Entry? {
        guard
            let configuration = configuration
                ?? (try? Configuration(
                    voters: promises.map(\.acceptor), quorums: .flexible(phase1: size, phase2: 1)))
        else { preconditionFailure("no configuration of \(promises)") }
        var collection = PromiseCollection(
            ballot: ballot, configuration: configuration, from: PaxosProcess.slot)
        for promise in promises {
            precondition(!collection.isQuorum, "a quorum before the last promise")
            collection.add(promise.accepted)
            collection.finish(promise.acceptor)
        }
        precondition(collection.isQuorum, "no quorum after the last promise")
        return collection.values.first
    }

    /// Whether what these acceptors, a bit for each, have accepted at one ballot is chosen, by the production's
    /// tally.
    func isChosen(_ accepted: Int) -> Bool { chosen[accepted] }
}
