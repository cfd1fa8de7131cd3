import GlobalSnapshot
import ModelChecking

extension ModelCatalogue {
    private static let topology = Parameter(
        "topology", "which channels there are",
        .choice(SnapshotSystem.Topology.allCases.map(\.rawValue)), standard: "complete")
    private static let tokens = Parameter(
        "tokens", "tokens of each process at first", .numbers(0...100, count: 1...16), standard: [1, 0])
    private static let initiators = Parameter(
        "initiators", "processes that may start the snapshot", .numbers(1...16, count: 1...16), standard: [1])

    private static let runs = Parameter(
        "liveness", "look at infinite runs too: where channels deliver, a snapshot that is started ends",
        .flag)

    private static func flaw(_ flaws: [SnapshotFlaw]) -> Parameter {
        Parameter("flaw", "a rule that is left out, which is wrong", .choice(flaws.map(\.rawValue)))
    }

    private static func system(_ values: ParameterValues) throws(CatalogueError) -> SnapshotSystem {
        var system = SnapshotSystem()
        system.topology = SnapshotSystem.Topology(rawValue: values.word("topology") ?? "") ?? .complete
        system.tokens = values.numbers("tokens").map { UInt64($0) }
        system.initiators = values.numbers("initiators")
        system.looksAtRuns = values.isSaid("liveness")
        system.flaw = values.word("flaw").flatMap(SnapshotFlaw.init)
        for initiator in system.initiators where initiator > system.tokens.count {
            throw CatalogueError("there is no process \(initiator) among \(system.tokens.count)")
        }
        return system
    }

    static let chandyLamport = Entry(
        name: "chandy-lamport",
        summary: "the production core of Chandy and Lamport's snapshot, as CLSnap.tla",
        parameters: [
            topology, tokens, initiators,
            Parameter("non-fifo", "messages of a channel may overtake each other, which is wrong", .flag),
            flaw(SnapshotFlaw.ofChandyLamport), runs,
        ]
    ) { (values) throws(CatalogueError) in
        var system = try system(values)
        if values.isSaid("non-fifo") { system.network = .overtaking }
        return CheckableModel(system.model(ChandyLamport.self), "chandy-lamport", values)
    }

    static let laiYang = Entry(
        name: "lai-yang",
        summary: "the production core of Lai and Yang's snapshot, on channels without order",
        parameters: [
            topology, tokens, initiators,
            Parameter("passes", "tokens that each process may send", .number(0...100), standard: 2),
            flaw(SnapshotFlaw.ofLaiYang), runs,
        ]
    ) { (values) throws(CatalogueError) in
        var system = try system(values)
        system.network = .unordered
        system.passes = values["passes"]
        return CheckableModel(system.model(LaiYang.self), "lai-yang", values)
    }
}
