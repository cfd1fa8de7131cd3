import ModelChecking

extension ModelCatalogue {
    static let paxos = Entry(
        name: "paxos",
        summary: "single-decree Paxos made of the production's acceptor and promise collection",
        parameters: [
            Parameter("acceptors", "acceptors", .number(1...9), standard: 3),
            Parameter("proposers", "proposers, each with a value of its own", .number(1...4), standard: 2),
            Parameter(
                "ballots", "ballots that a proposer may begin, for all or for each",
                .numbers(0...20, count: 1...4), standard: [1]),
            Parameter("crashes", "crashes of acceptors; any number unless given", .number(0...200)),
            Parameter("forgetful", "a restarted acceptor forgets its promise, which is wrong", .flag),
            Parameter(
                "quorum-size", "acceptors in a quorum; more than half unless given", .number(1...9)),
        ]
    ) { (values) throws(CatalogueError) in
        var system = PaxosSystem()
        system.acceptors = values["acceptors"]
        let (proposers, ballots) = (values["proposers"], values.numbers("ballots"))
        guard ballots.count == 1 || ballots.count == proposers else {
            throw CatalogueError("--ballots says \(ballots.count) numbers for \(proposers) proposers")
        }
        system.ballots = (0..<proposers).map { ballots.count == 1 ? ballots[0] : ballots[$0] }
        system.crashes = values.optional("crashes")
        system.isForgetful = values.isSaid("forgetful")
        system.quorumSize = values.optional("quorum-size")
        guard system.quorumSize ?? 1 <= system.acceptors else {
            throw CatalogueError(
                "a quorum of \(system.quorumSize ?? 0) out of \(system.acceptors) acceptors")
        }
        return CheckableModel(system.model(), "paxos", values)
    }

    static let benOr = Entry(
        name: "ben-or", summary: "the production core of Ben-Or's randomised consensus, with every coin",
        parameters: [
            Parameter(
                "inputs", "the bit that each process proposes", .numbers(0...1, count: 1...9),
                standard: [0, 1, 1]),
            Parameter(
                "crashes", "crashes that the processes are prepared for, fewer than half", .number(0...4),
                standard: 1),
            Parameter("rounds", "rounds that are looked at", .number(1...16), standard: 1),
        ]
    ) { (values) throws(CatalogueError) in
        var system = BenOrSystem()
        system.inputs = values.numbers("inputs").map { $0 == 1 }
        system.crashes = values["crashes"]
        system.rounds = values["rounds"]
        guard 2 * system.crashes < system.inputs.count else {
            throw CatalogueError(
                "\(system.crashes) crashes of \(system.inputs.count) processes are not fewer than half")
        }
        return CheckableModel(system.model(), "ben-or", values)
    }
}
