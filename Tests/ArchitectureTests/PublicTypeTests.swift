import Testing

/// Every public struct of a library can be built by whoever embeds it, unless it is something that only the library
/// makes: Swift gives a struct an initializer of its own accord, but not a public one.
@Suite("Public types") struct PublicTypeTests {
    private static let libraries = [
        "Automata", "LogicalTime", "Paxos", "Consensus", "Multicast", "GlobalSnapshot", "GroupCommunication",
        "Simulation", "ModelChecking", "Linearizability",
    ]

    /// Results, and what a value of the library hands out: nobody else has reason to make one.
    private static let madeInside: Set<String> = [
        "LogicalTime.Cut.Violation", "GlobalSnapshot.SnapshotViolation", "GlobalSnapshot.SnapshotWitness",
        "Simulation.Network", "Simulation.SimulatedCluster.Counts", "Simulation.SimulatedDisk.Cell",
        "Simulation.SimulatedDisk.File", "Simulation.Trace", "ModelChecking.CheckProgress",
        "ModelChecking.CheckResult", "ModelChecking.CheckResult.Counterexample", "ModelChecking.Trace",
        "ModelChecking.Trace.Step", "ModelChecking.TraceStep", "ModelChecking.SystemAction",
        "ModelChecking.SystemState", "ModelChecking.SystemView", "Linearizability.HistoryVerdict",
        "Linearizability.HistoryVerdict.Part",
        // Made by static functions with the names of their kinds.
        "ModelChecking.Fairness", "ModelChecking.Property", "ModelChecking.SystemProperty",
    ]

    @Test("each has a public initializer, or is named as made inside")
    func initializers() {
        var closed: [String] = []
        for library in Self.libraries {
            var found = PublicStructs()
            for file in SourceTree.package.sources where file.target == library { found.read(file.code) }
            closed += found.withoutInitializer.map { "\(library).\($0)" }
        }
        #expect(closed.filter { !Self.madeInside.contains($0) } == [], "cannot be built outside")
        #expect(Self.madeInside.subtracting(closed).sorted() == [], "named as made inside, and is not")
    }

    @Test("a struct without a public initializer is found, wherever it stands")
    func finds() {
        var found = PublicStructs()
        found.read([
            "public struct A {", "    public struct B {", "        public let x: Int", "    }",
            "    public init() {}", "    struct C {}", "}", "public struct D {", "    init() {}", "}",
            "extension A.B {", "    @inlinable public init(x: Int) { self.x = x }", "}", "public struct E {",
            "    public var y = 0", "}",
        ])
        #expect(found.withoutInitializer == ["D", "E"])
    }
}

/// The public structs of a text in the form that the formatter gives it, and which of them have a public initializer.
private struct PublicStructs {
    private var structs: [String] = []
    private var open: Set<String> = []

    var withoutInitializer: [String] { structs.filter { !open.contains($0) } }

    mutating func read(_ lines: [String]) {
        let (declaration, initializer) = (Self.declaration, Self.initializer)
        var scopes: [(name: String, indent: Int)] = []
        for line in lines {
            let text = line.drop { $0 == " " }
            guard !text.isEmpty else { continue }
            let indent = line.count - text.count
            while let last = scopes.last, indent <= last.indent { scopes.removeLast() }
            if let match = text.firstMatch(of: declaration) {
                let name = (scopes.map(\.name) + [String(match.3)]).joined(separator: ".")
                if match.2 == "struct", match.1.contains("public ") { structs.append(name) }
                if text.contains("{"), !text.hasSuffix("}") { scopes.append((String(match.3), indent)) }
            } else if text.firstMatch(of: initializer) != nil, !scopes.isEmpty {
                open.insert(scopes.map(\.name).joined(separator: "."))
            }
        }
    }

    private static var declaration: Regex<(Substring, Substring, Substring, Substring)> {
        /^((?:@\w+ |\w+ )*?)(struct|class|enum|extension|protocol|actor) ([\w.]+)/
    }
    private static var initializer: Regex<Substring> { /^(?:@\w+ )*public (?:convenience )?init\b/ }
}
