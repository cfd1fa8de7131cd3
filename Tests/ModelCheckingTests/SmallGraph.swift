import Automata
import ModelChecking

/// A graph that is written down: numbered states and named steps between them.
struct SmallGraph: Model {
    struct Step: Sendable {
        let from: UInt64
        let name: String
        let to: UInt64
    }

    var initial: [UInt64] = [0]
    var steps: [Step]
    var properties: [Property<UInt64>]
    var fairness: [Fairness<Step>] = []

    /// Steps in the form `0 a 1`, separated by commas.
    init(_ text: String, _ properties: Property<UInt64>..., fairness: [Fairness<Step>] = []) {
        steps = text.split(separator: ",").map { part in
            let words = part.split(separator: " ")
            return Step(from: UInt64(words[0])!, name: String(words[1]), to: UInt64(words[2])!)
        }
        self.properties = properties
        self.fairness = fairness
    }

    func initialStates() -> [UInt64] { initial }
    func addActions(in state: UInt64, to actions: inout [Step]) {
        actions += steps.filter { $0.from == state }
    }
    func successor(of state: UInt64, by action: Step) -> UInt64? { action.to }
    func describe(_ action: Step, in state: UInt64) -> String { action.name }

    /// The run of a lasso in one line: the stem, then the cycle in brackets.
    func lasso() -> String? {
        guard let trace = Checker(self).run().counterexample?.trace, let start = trace.cycleStart else {
            return nil
        }
        let stem = trace.states[...start].map { "\($0)" }
        let cycle = trace.states[(start + 1)...].map { "\($0)" }
        return "\(stem.joined(separator: " ")) (\(cycle.joined(separator: " ")))"
    }
}

extension Fairness<SmallGraph.Step> {
    static func weak(_ name: String) -> Self { .weak(name) { $0.name == name } }
    static func strong(_ name: String) -> Self { .strong(name) { $0.name == name } }
}

/// All sequences of bits up to a length, whose first bit does not matter when symmetry is used.
struct BitStrings: Model {
    struct State: Hashable, Sendable, Fingerprinted {
        var bits: UInt64 = 0
        var length: UInt64 = 0
        func combine(into hash: inout StableHash) {
            hash.combine(bits)
            hash.combine(length)
        }
    }

    var longest: UInt64
    var usesSymmetry = false
    /// Gives all states one fingerprint.
    var confusesFingerprints = false
    var boundary: UInt64 = .max
    var forbidden: UInt64?

    func initialStates() -> [State] { [State()] }
    func addActions(in state: State, to actions: inout [UInt64]) {
        if state.length < longest { actions += [0, 1] }
    }
    func successor(of state: State, by bit: UInt64) -> State? {
        State(bits: state.bits | bit << state.length, length: state.length + 1)
    }
    func fingerprint(of state: State) -> Fingerprint {
        confusesFingerprints ? Fingerprint(low: 7, high: 7) : Fingerprint(of: state)
    }
    func canonical(_ state: State) -> State {
        guard usesSymmetry, state.bits & 1 == 1 else { return state }
        return State(bits: ~state.bits & (1 << state.length - 1), length: state.length)
    }
    func isWithinBoundary(_ state: State) -> Bool { state.length <= boundary }
    var properties: [Property<State>] {
        let bad = forbidden
        return [
            .always("not forbidden") { state in
                guard let bad else { return true }
                return state.length < longest || state.bits != bad && state.bits ^ (1 << longest - 1) != bad
            },
            .sometimes("some ones") { $0.bits != 0 || usesSymmetry },
        ]
    }
}
