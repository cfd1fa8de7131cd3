import ModelChecking
import Multicast

extension ModelCatalogue {
    static let causalOrder = Entry(
        name: "causal-order",
        summary: "the production core of causal order, on a network that delivers in any order",
        parameters: [
            Parameter(
                "multicasts", "multicasts of each process", .numbers(0...8, count: 2...5),
                standard: [2, 1, 0]),
            Parameter(
                "flaw", "a condition that is left out, which is wrong",
                .choice(CausalOrder.Flaw.allCases.map(\.rawValue))),
        ]
    ) { (values) throws(CatalogueError) in
        var system = CausalOrderSystem()
        system.multicasts = values.numbers("multicasts")
        system.flaw = values.word("flaw").flatMap(CausalOrder.Flaw.init)
        return CheckableModel(system.model(), "causal-order", values)
    }

    static let multicast = Entry(
        name: "multicast",
        summary: "the production cores of multicast, with every order of receipt and a crash",
        parameters: [
            Parameter(
                "kind", "what is promised", .choice(MulticastSystem.Kind.allCases.map(\.rawValue)),
                standard: "reliable"),
            Parameter(
                "multicasts", "multicasts of each process", .numbers(0...8, count: 2...5),
                standard: [2, 0, 0]),
            Parameter("crash", "the process that may crash", .number(1...5)),
            Parameter("suspicion", "the process that process 1 may suspect without reason", .number(2...5)),
            Parameter(
                "flaw", "a rule that is left out, which is wrong",
                .choice(MulticastSystem.Flaw.allCases.map(\.rawValue))),
            Parameter(
                "slow-time",
                "what is said from time to time is said while nothing is on its way to a process", .flag),
            Parameter(
                "promising", "the kind whose promises are looked at, where it is another",
                .choice(MulticastSystem.Kind.allCases.map(\.rawValue))),
        ]
    ) { (values) throws(CatalogueError) in
        var system = MulticastSystem()
        system.kind = values.word("kind").flatMap(MulticastSystem.Kind.init) ?? .reliable
        system.multicasts = values.numbers("multicasts")
        system.crash = values.optional("crash")
        system.suspicion = values.optional("suspicion")
        system.flaw = values.word("flaw").flatMap(MulticastSystem.Flaw.init)
        if let flaw = system.flaw, !flaw.kinds.contains(system.kind) {
            throw CatalogueError(
                "--flaw \(flaw.rawValue) is one of the kinds "
                    + flaw.kinds.map(\.rawValue).joined(separator: ", ") + ", not of \(system.kind.rawValue)")
        }
        system.hasSlowTime = values.isSaid("slow-time")
        system.promises = values.word("promising").flatMap(MulticastSystem.Kind.init)
        for process in [system.crash, system.suspicion].compactMap({ $0 })
        where process > system.multicasts.count {
            throw CatalogueError("there is no process \(process) among \(system.multicasts.count)")
        }
        return system.check("multicast", values)
    }
}
