/// What the configurations of a protocol say about it, for every vector of inputs from all 0 to all 1.
struct ValenceReport {
    struct Row {
        let inputs: [Bool]
        let initial: Valence
        /// By valence.
        let counts: [Int]
    }

    private(set) var rows: [Row] = []
    private(set) var lines: [String] = []
    private(set) var disagrees = false
    /// Whether there were more configurations than allowed.
    private(set) var isCut = false
    /// Whether somebody asked for the end; the rows before are complete.
    private(set) var isInterrupted = false
    /// Configurations from the inputs at which it was cut or interrupted.
    private(set) var unfinished: (inputs: [Bool], configurations: Int)?

    /// `lookFor`: an initial bivalent configuration is shown with a critical one behind it.
    /// `goesOn` is told again and again from which inputs there are how many configurations so far, and says whether to
    /// go on.
    init<Subject: AsynchronousProtocol>(
        _ subject: Subject, name: String, limit: Int,
        goesOn: (_ inputs: String, _ configurations: Int) -> Bool = { _, _ in true }
    ) {
        lines.append("\(name): every configuration from every vector of inputs")
        var shown = false
        for inputs in Self.vectors(subject.inputs) {
            let graph: ValenceGraph<Subject>
            do throws(UnfinishedValence) {
                graph = try ValenceGraph(subject, inputs: inputs, limit: limit) {
                    goesOn(Self.text(inputs), $0)
                }
            } catch {
                isInterrupted = error.isInterrupted
                isCut = !error.isInterrupted
                unfinished = (inputs, error.configurations)
                lines.append(
                    isCut
                        ? "inputs \(Self.text(inputs)): more than \(limit) configurations"
                        : "inputs \(Self.text(inputs)): interrupted after \(error.configurations) configurations"
                )
                return
            }
            let counts = Valence.allCases.map(graph.count)
            rows.append(Row(inputs: inputs, initial: graph.initialValence, counts: counts))
            let parts = zip(Valence.allCases, counts).filter { $0.1 > 0 }.map { "\($0.1) \($0.0.name)" }
            lines.append(
                "inputs \(Self.text(inputs)): initially \(graph.initialValence.name); "
                    + "\(graph.valences.count) configurations: \(parts.joined(separator: ", "))")
            if let disagreement = graph.disagreement, !disagrees {
                disagrees = true
                lines.append("  two processes decide differently after:")
                lines += graph.trace(to: disagreement).map { "    \(Self.text($0))" }
            }
            if graph.initialValence == .bivalent, !shown, let critical = graph.critical {
                shown = true
                lines += Self.tell(graph, critical)
            }
        }
        tellAdjacent()
    }

    /// Of all 0 and all 1 and each vector in between that differs from the one before in one process, the first that
    /// is not of one valence: lemma 2.
    private mutating func tellAdjacent() {
        guard let count = rows.first?.inputs.count else { return }
        let walk = (0...count).map { ones in (0..<count).map { $0 < ones } }
        let valences = walk.compactMap { vector in rows.first { $0.inputs == vector }?.initial }
        guard valences.count == walk.count else { return }
        lines.append(
            "from all 0 to all 1, one input at a time: "
                + zip(walk, valences).map { "\(Self.text($0)) \($1.name)" }.joined(separator: ", "))
    }

    private static func tell<Subject>(_ graph: ValenceGraph<Subject>, _ critical: Int) -> [String] {
        var lines = ["  a critical configuration, in which the next delivery settles it, is reached by:"]
        lines += graph.trace(to: critical).map { "    \(text($0))" }
        for valence in [Valence.zero, .one] {
            for step in graph.steps[critical] where graph.valences[Int(step.successor)] == valence {
                lines.append("    then \(text(graph.messages[Int(step.message)])) makes it \(valence.name)")
                break
            }
        }
        return lines
    }

    private static func vectors(_ count: Int) -> [[Bool]] {
        (0..<(1 << count)).map { number in (0..<count).map { number >> $0 & 1 == 1 } }
    }

    static func text(_ inputs: [Bool]) -> String { inputs.map(\.bit).joined() }

    static func text<Message: CustomStringConvertible>(_ envelope: Envelope<Message>) -> String {
        "p\(envelope.to + 1) receives \(envelope.message) from p\(envelope.from + 1)"
    }
}
