import ModelChecking

extension ModelCatalogue {
    private static let acceptors = Parameter("acceptors", "acceptors", .number(1...15), standard: 3)
    private static let values = Parameter(
        "values", "values that may be proposed", .number(1...15), standard: 2)
    private static let quorumSize = Parameter(
        "quorum-size", "acceptors in a quorum; more than half unless given", .number(1...15))

    private static func maxBallot(_ standard: Int) -> Parameter {
        Parameter(
            "max-ballot", "the highest ballot; the lowest is 0", .number(0...15), standard: .number(standard))
    }

    private static func size(_ values: ParameterValues) throws(CatalogueError) -> LamportSize {
        let size = LamportSize(
            acceptors: values["acceptors"], values: values["values"], maxBallot: values["max-ballot"],
            quorumSize: values.optional("quorum-size"))
        guard size.quorumSize <= size.acceptors else {
            throw CatalogueError("a quorum of \(size.quorumSize) out of \(size.acceptors) acceptors")
        }
        return size
    }

    private static let tooLarge = CatalogueError("a state of this size has more than 128 bits")

    static let lamportPaxos = Entry(
        name: "lamport-paxos", summary: "Lamport's Paxos.tla: the set of all messages ever sent",
        parameters: [acceptors, values, maxBallot(1), quorumSize]
    ) { (values) throws(CatalogueError) in
        let size = try size(values)
        if let model = LamportPaxos<UInt64>(size) { return CheckableModel(model, "lamport-paxos", values) }
        guard let model = LamportPaxos<UInt128>(size) else { throw tooLarge }
        return CheckableModel(model, "lamport-paxos", values)
    }

    static let lamportVoting = Entry(
        name: "lamport-voting", summary: "Lamport's Voting.tla: acceptors that see each other's votes",
        parameters: [acceptors, values, maxBallot(2), quorumSize]
    ) { (values) throws(CatalogueError) in
        let size = try size(values)
        if let model = LamportVoting<UInt64>(size) { return CheckableModel(model, "lamport-voting", values) }
        guard let model = LamportVoting<UInt128>(size) else { throw tooLarge }
        return CheckableModel(model, "lamport-voting", values)
    }

    static let twoPhaseCommit = Entry(
        name: "two-phase-commit", summary: "Gray and Lamport's TwoPhase.tla: one transaction",
        parameters: [
            Parameter(
                "resource-managers", "resource managers", .number(1...TwoPhaseCommit.mostResourceManagers),
                standard: 3
            )
        ]
    ) { (values) throws(CatalogueError) in
        CheckableModel(
            TwoPhaseCommit(resourceManagers: values["resource-managers"]), "two-phase-commit", values)
    }
}
