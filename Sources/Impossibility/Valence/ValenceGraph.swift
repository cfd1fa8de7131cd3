/// Which decisions can still be reached from a configuration.
enum Valence: UInt8, CaseIterable, Hashable, Sendable {
    /// Nobody ever decides, whatever comes next.
    case none = 0
    case zero = 1
    case one = 2
    case bivalent = 3

    var name: String {
        switch self {
        case .none: "without a decision"
        case .zero: "0-valent"
        case .one: "1-valent"
        case .bivalent: "bivalent"
        }
    }
}

/// How far a search came that has not found every configuration.
struct UnfinishedValence: Error {
    let configurations: Int
    /// Otherwise there were more than allowed.
    let isInterrupted: Bool
}

/// Every configuration that is reachable from one vector of inputs, each with its valence.
///
/// A configuration is the states of the processes and the messages on their way; a step delivers one of them. The
/// valence is the set of decisions in the configurations that can be reached, found from the end: each configuration
/// gives what it can reach to those before it.
struct ValenceGraph<Subject: AsynchronousProtocol> {
    struct Step {
        /// Of `messages`.
        let message: Int32
        let successor: Int32
    }

    let subject: Subject
    let inputs: [Bool]
    /// By configuration, in the order of discovery: breadth first, the initial one first.
    private(set) var steps: [[Step]] = []
    private(set) var valences: [Valence] = []
    private(set) var decisions: [UInt8] = []
    /// How each configuration was first reached.
    private(set) var reachedBy: [(configuration: Int32, message: Int32)] = []
    private(set) var messages: [Envelope<Subject.Message>] = []

    /// `goesOn` is told again and again how many configurations there are so far. Throws how many there were when it
    /// said no, or with one more than allowed.
    init(
        _ subject: Subject, inputs: [Bool], limit: Int,
        goesOn: (_ configurations: Int) -> Bool = { _ in true }
    ) throws(UnfinishedValence) {
        self.subject = subject
        self.inputs = inputs
        var explorer = Explorer(subject)
        try explorer.run(inputs, limit: limit, goesOn)
        steps = explorer.steps
        decisions = explorer.decisions
        reachedBy = explorer.reachedBy
        messages = explorer.messages.values
        valences = Self.valences(steps, decisions)
    }

    var initialValence: Valence { valences[0] }

    func count(_ valence: Valence) -> Int { valences.count { $0 == valence } }

    /// The first configuration in which two processes have decided differently.
    var disagreement: Int? { decisions.firstIndex(of: 3) }

    /// The first bivalent configuration from which every step leads to one decision or the other for good.
    var critical: Int? {
        valences.indices.first { index in
            valences[index] == .bivalent && decisions[index] == 0
                && steps[index].allSatisfy { valences[Int($0.successor)] != .bivalent }
        }
    }

    /// The deliveries that lead from the initial configuration to this one.
    func trace(to configuration: Int) -> [Envelope<Subject.Message>] {
        var trace: [Envelope<Subject.Message>] = []
        var index = configuration
        while index != 0 {
            trace.append(messages[Int(reachedBy[index].message)])
            index = Int(reachedBy[index].configuration)
        }
        return trace.reversed()
    }

    private static func valences(_ steps: [[Step]], _ decisions: [UInt8]) -> [Valence] {
        var predecessors = [[Int32]](repeating: [], count: steps.count)
        for (index, successors) in steps.enumerated() {
            for step in successors { predecessors[Int(step.successor)].append(Int32(index)) }
        }
        var masks = decisions
        var waiting = masks.indices.filter { masks[$0] != 0 }
        while let index = waiting.popLast() {
            for predecessor in predecessors[index]
            where masks[Int(predecessor)] | masks[index] != masks[Int(predecessor)] {
                masks[Int(predecessor)] |= masks[index]
                waiting.append(Int(predecessor))
            }
        }
        return masks.map { Valence(rawValue: $0) ?? .none }
    }
}

/// Gives equal values one number, in the order in which they are first seen.
private struct Numbering<Value: Hashable> {
    private(set) var values: [Value] = []
    private var numbers: [Value: Int32] = [:]

    mutating func number(_ value: Value) -> Int32 {
        if let known = numbers[value] { return known }
        let number = Int32(values.count)
        numbers[value] = number
        values.append(value)
        return number
    }
}

private struct Explorer<Subject: AsynchronousProtocol> {
    let subject: Subject
    var steps: [[ValenceGraph<Subject>.Step]] = []
    var decisions: [UInt8] = []
    var reachedBy: [(configuration: Int32, message: Int32)] = []
    var messages = Numbering<Envelope<Subject.Message>>()
    private var states = Numbering<Subject.State>()
    /// The numbers of the states, then those of the messages in ascending order.
    private var configurations = Numbering<[Int32]>()

    init(_ subject: Subject) { self.subject = subject }

    mutating func run(
        _ inputs: [Bool], limit: Int, _ goesOn: (_ configurations: Int) -> Bool
    ) throws(UnfinishedValence) {
        let (initial, sent) = subject.start(inputs)
        note(initial.map { states.number($0) } + sent.map { messages.number($0) }.sorted(), by: (0, -1))
        var next = 0
        while next < configurations.values.count {
            let count = configurations.values.count
            guard count <= limit else { throw UnfinishedValence(configurations: count, isInterrupted: false) }
            if next & 0x3F == 0, !goesOn(count) {
                throw UnfinishedValence(configurations: count, isInterrupted: true)
            }
            steps.append(successors(of: configurations.values[next], next))
            next += 1
        }
    }

    private mutating func successors(of configuration: [Int32], _ index: Int) -> [ValenceGraph<Subject>.Step]
    {
        var found: [ValenceGraph<Subject>.Step] = []
        var last: Int32?
        for place in subject.processes..<configuration.count where configuration[place] != last {
            let message = configuration[place]
            last = message
            let envelope = messages.values[Int(message)]
            let state = states.values[Int(configuration[envelope.to])]
            for (after, sent) in subject.receive(envelope, state) {
                var next = configuration
                next.remove(at: place)
                next[envelope.to] = states.number(after)
                for new in sent {
                    let number = messages.number(new)
                    let end = next[subject.processes...].firstIndex { $0 > number } ?? next.count
                    next.insert(number, at: end)
                }
                let successor = note(next, by: (Int32(index), message))
                found.append(ValenceGraph<Subject>.Step(message: message, successor: successor))
            }
        }
        return found
    }

    @discardableResult
    private mutating func note(_ configuration: [Int32], by: (configuration: Int32, message: Int32)) -> Int32
    {
        let number = configurations.number(configuration)
        if Int(number) == reachedBy.count {
            reachedBy.append(by)
            let decided = configuration[..<subject.processes].reduce(0 as UInt8) { mask, state in
                switch subject.decision(states.values[Int(state)]) {
                case nil: mask
                case false?: mask | 1
                case true?: mask | 2
                }
            }
            decisions.append(decided)
        }
        return number
    }
}
