import Automata
import ModelChecking
import Paxos

/// Proposers and acceptors of single-decree Paxos, and everything that may happen between them.
///
/// - A message that was sent may be received any number of times, in any order, or never.
/// - An acceptor may crash between what it did and what is durable, and lose it together with its answer.
///   Nobody else can tell meanwhile that anything happened, so nothing else happens in between.
/// - A proposer may give up and begin its next ballot at any time. What it does with a promise shows only once
///   it has a quorum of them, so it takes a quorum in one step.
/// - Acceptors differ in nothing but their names, so states that differ by a permutation of them are one.
struct PaxosSystem: Sendable {
    var acceptors = 3
    /// For each proposer, how many ballots it may begin.
    var ballots = [1, 1]
    /// `nil` for any number.
    var crashes: Int?
    var isForgetful = false
    /// More than half unless said otherwise.
    var quorumSize: Int?

    func model() -> ProcessSystem<PaxosProcess> {
        let proposers = ballots.indices.map { ProcessID(UInt64($0) + 1) }
        let first = UInt64(ballots.count) + 1
        let voters = (0..<UInt64(acceptors)).map { ProcessID(first + $0) }
        let quorums = CheckedQuorums(acceptors: voters, size: quorumSize ?? acceptors / 2 + 1)
        var processes: [(ProcessID, PaxosProcess)] = []
        for (proposer, ballots) in zip(proposers, ballots) {
            processes.append((proposer, .proposer(.init(proposer, ballots: ballots, quorums: quorums))))
        }
        for voter in voters { processes.append((voter, .acceptor(.init(isForgetful: isForgetful)))) }
        var options = SystemOptions()
        options.network = .everSent
        options.durability = .beforeAnythingElse
        options.crashes = crashes
        options.mayCrash = voters
        options.interchangeable = [voters]
        return ProcessSystem(
            processes, options, properties: properties(quorums, proposers), words: words(first))
    }

    private func properties(
        _ quorums: CheckedQuorums, _ proposers: [ProcessID]
    ) -> [SystemProperty<PaxosProcess>] {
        let values = proposers.map(CheckedProposer.value)
        let firstAcceptor = proposers.count
        return [
            .always("agreement") { view in
                let chosen = Self.chosen(view, quorums, firstAcceptor)
                return chosen.allSatisfy { $0 == chosen[0] }
            },
            .always("validity") { view in
                Self.chosen(view, quorums, firstAcceptor).allSatisfy(values.contains)
            },
            .sometimes("chosen") { !Self.chosen($0, quorums, firstAcceptor).isEmpty },
        ]
    }

    /// The values that some quorum has durably accepted at one ballot.
    private static func chosen(
        _ view: SystemView<PaxosProcess>, _ quorums: CheckedQuorums, _ firstAcceptor: Int
    ) -> [Entry] {
        var count = 0
        view.forEachMessage(to: ..<firstAcceptor) { message, _, _ in
            if message.acceptedBallot != nil { count += 1 }
        }
        // So it is in most states.
        if count < quorums.size { return [] }
        var accepted: [(ballot: Ballot, by: Int)] = []
        view.forEachMessage(to: ..<firstAcceptor) { message, from, _ in
            guard let ballot = message.acceptedBallot else { return }
            let bit = 1 << (from - firstAcceptor)
            if let index = accepted.firstIndex(where: { $0.ballot == ballot }) {
                accepted[index].by |= bit
            } else {
                accepted.append((ballot, bit))
            }
        }
        accepted.removeAll { !quorums.isChosen($0.by) }
        if accepted.isEmpty { return [] }
        var values: [Entry] = []
        view.forEachMessage(to: firstAcceptor..<firstAcceptor + 1) { message, _, _ in
            guard case .accept(let ballot, let value) = copy message,
                accepted.contains(where: { $0.ballot == ballot })
            else { return }
            values.append(value)
        }
        return values
    }

    private func words(_ firstAcceptor: UInt64) -> SystemWords<PaxosProcess> {
        var words = SystemWords<PaxosProcess>()
        let name: @Sendable (ProcessID) -> String = {
            $0.rawValue < firstAcceptor ? "p\($0.rawValue)" : "a\($0.rawValue - firstAcceptor + 1)"
        }
        words.name = name
        words.message = { message in
            switch message {
            case .prepare(let ballot): "prepare(\(ballot))"
            case .promise(let ballot, let accepted): "promise(\(ballot)\(Self.words(accepted)))"
            case .accept(let ballot, let value): "accept(\(ballot), \(value))"
            case .accepted(let ballot): "accepted(\(ballot))"
            }
        }
        words.request = { request in
            switch request {
            case .begin: "begins its next ballot"
            case .propose(let promises):
                "proposes by the promises of "
                    + promises.map { "\(name($0.acceptor))\(Self.words($0.accepted))" }
                    .joined(separator: " and ")
            }
        }
        words.process = { process in
            switch process {
            case .acceptor(let acceptor):
                let memory = acceptor.memory
                let accepted = memory.accepted.isEmpty ? "" : ", accepted \(memory.accepted[Slot(1)])"
                return memory.promised == .none
                    ? "nothing promised\(accepted)" : "promised \(memory.promised)\(accepted)"
            case .proposer(let proposer):
                return proposer.round == 0 ? "idle" : "ballot \(proposer.round), \(proposer.phase)"
            }
        }
        return words
    }

    private static func words(_ accepted: AcceptedChunk) -> String {
        guard let value = accepted.entries.first else { return "" }
        return ", \(value) accepted at \(accepted.runs[0].ballot)"
    }
}
