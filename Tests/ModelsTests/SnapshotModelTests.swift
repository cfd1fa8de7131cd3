import Automata
import GlobalSnapshot
import ModelChecking
import Synchronization
import Testing

@testable import Models

/// The counts themselves are in `KnownCounts`.
@Suite("Every reachable state of a snapshot") struct SnapshotModelTests {
    /// With one worker TLC 1.8 names the same depths for the module CLSnap: a depth counts the states of the
    /// run, its first one included. With several it is not strictly breadth first and names larger ones.
    @Test(
        "where messages overtake each other a snapshot is refuted by a shortest run",
        arguments: [
            ("complete", [1, 0], 5), ("complete", [2, 0], 5), ("ring", [1, 0, 0], 6),
        ])
    func nonFIFO(topology: String, tokens: [Int], depth: Int) throws {
        for initiators in [[1], Array(1...tokens.count)] {
            let report = try ModelCatalogue.model(
                "chandy-lamport",
                [
                    "topology": .word(topology), "tokens": .numbers(tokens),
                    "initiators": .numbers(initiators), "non-fifo": .said,
                ]
            ).run()
            #expect(report.verdict == .violated("consistent"))
            #expect(report.depth == depth && report.steps.count == depth)
            #expect(report.steps.contains { $0.label.contains("overtakes") })
        }
    }

    @Test("Lai and Yang's snapshot needs no order, and is refuted without the count of white messages")
    func laiYang() throws {
        for topology in ["complete", "ring"] {
            for tokens in [[1, 0], [1, 0, 0]] {
                let values: [String: ParameterValue] = [
                    "topology": .word(topology), "tokens": .numbers(tokens), "initiators": [1, 2],
                    "passes": 1,
                ]
                let report = try ModelCatalogue.model("lai-yang", values).run()
                #expect(report.verdict == .holds, "\(report.trace)")
                #expect(report.distinctStates > 50)
            }
        }
        let flawed = try ModelCatalogue.model("lai-yang", ["flaw": "white-counts"]).run()
        #expect(flawed.verdict == .violated("consistent"))
        #expect(
            flawed.steps.map(\.label) == [
                "initially", "p1 sends a token to p2", "p1 starts the snapshot",
                "p2 receives the colour from p1",
            ])
    }

    @Test(
        "each rule of Chandy and Lamport's snapshot is needed: without it a shortest run loses a token or counts one twice",
        arguments: [
            ("no-markers", 4, "p2 starts the snapshot"), ("no-channels", 6, "p2 receives the marker from p1"),
            ("late-markers", 8, "p1 receives the marker from p2"),
        ])
    func flaws(flaw: String, depth: Int, last: String) throws {
        let report = try ModelCatalogue.model("chandy-lamport", ["flaw": .word(flaw)]).run()
        #expect(report.verdict == .violated("consistent"))
        #expect(report.depth == depth && report.steps.last?.label == last)
    }

    @Test("what the five variables of CLSnap leave out does not bear on what happens next")
    func projectionIsSound() {
        for (topology, tokens) in [(SnapshotSystem.Topology.complete, [2, 0]), (.ring, [1, 0, 0])] {
            var system = SnapshotSystem()
            system.topology = topology
            system.tokens = tokens.map { UInt64($0) }
            system.initiators = Array(1...tokens.count)
            let merged = Explored(system.model(ChandyLamport.self))
            let whole = Explored(system.model(WholeChandyLamport.self))
            #expect(whole.states >= merged.states)
            #expect(whole.projections == merged.projections)
        }
    }

    @Test("where every channel delivers, a snapshot that is started ends")
    func ends() throws {
        for (topology, tokens) in [("complete", [1, 0]), ("complete", [2, 1]), ("ring", [1, 0, 0])] {
            let values: [String: ParameterValue] = [
                "topology": .word(topology), "tokens": .numbers(tokens), "initiators": [1, 2],
                "liveness": .said,
            ]
            #expect(try ModelCatalogue.model("chandy-lamport", values).run().verdict == .holds)
            #expect(try ModelCatalogue.model("lai-yang", values).run().verdict == .holds)
        }
    }

    /// What a search came by, as the module CLSnap would see it.
    private struct Explored {
        let states: Int
        let projections: Set<[String]>

        init<Core: CheckedSnapshotCore>(_ model: ProcessSystem<SnapshotProcess<Core>>) {
            let seen = Mutex(Set<[String]>())
            var options = CheckOptions()
            options.keepsStates = true
            let property = Property<SystemState>.always("seen") { state in
                let view = model.view(state)
                let processes = view.processes.indices.map { index in
                    let process = view.process(at: index)
                    return "\(process.tokens) \(String(describing: process.marks))"
                }
                let messages = view.messages.map { "\($0.from)\($0.to)\(Core.words($0.message))" }
                seen.withLock { _ = $0.insert(processes + messages) }
                return true
            }
            states = Checker(Watched(model, property), options).run().distinctStates
            projections = seen.withLock { $0 }
        }
    }

    /// A model with another property.
    private struct Watched<Watching: Model>: Model {
        typealias State = Watching.State
        typealias Action = Watching.Action
        let model: Watching
        let properties: [Property<State>]

        init(_ model: Watching, _ property: Property<State>) {
            self.model = model
            properties = [property]
        }

        func initialStates() -> [State] { model.initialStates() }
        func addActions(in state: State, to actions: inout [Action]) {
            model.addActions(in: state, to: &actions)
        }
        func successor(of state: State, by action: Action) -> State? {
            model.successor(of: state, by: action)
        }
        func fingerprint(of state: State) -> Fingerprint { model.fingerprint(of: state) }
    }
}

extension SnapshotProcess {
    /// As the five variables have it.
    fileprivate var marks: MarkerProjection? {
        switch core {
        case let core as ChandyLamport: core.projection(of: process, reports)
        case let core as WholeChandyLamport: core.core.projection(of: process, reports)
        default: nil
        }
    }
}

/// The same core, with nothing left out.
struct WholeChandyLamport: CheckedSnapshotCore {
    struct Projection: Hashable, Sendable {
        let core: ChandyLamport
        let reports: [SnapshotReport]
    }

    typealias Message = ChandyLamport.Message
    typealias Input = ChandyLamport.Input
    typealias Output = ChandyLamport.Output

    private(set) var core: ChandyLamport

    init(_ settings: SnapshotSettings) { core = ChandyLamport(settings) }
    var nextID: SnapshotID { core.nextID }
    mutating func step(
        _ input: Input, at now: Instant, into outputs: inout [Output]
    ) { core.step(input, at: now, into: &outputs) }

    static var checkedID: SnapshotID { ChandyLamport.checkedID }
    func hasRecorded(_ reports: [SnapshotReport]) -> Bool { core.hasRecorded(reports) }
    func projection(of process: ProcessID, _ reports: [SnapshotReport]) -> Projection {
        Projection(core: core, reports: reports)
    }
    static func holdsToken(_ message: Message) -> Bool { ChandyLamport.holdsToken(message) }
    static func words(_ message: Message) -> String { ChandyLamport.words(message) }
    static func words(_ projection: Projection) -> String { "" }
}
