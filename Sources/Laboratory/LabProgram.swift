import Impossibility

/// `synod lab …`: protocols to watch.
struct LabProgram {
    static let usage = """
        usage: lab flp valence|adversary|ben-or …    why consensus is impossible, and what helps
        """

    let say: (String) -> Void
    let complain: (String) -> Void

    func run(_ arguments: [String]) -> Int32 {
        let rest = Array(arguments.dropFirst())
        switch arguments.first {
        case "flp": return ImpossibilityProgram(say: say, complain: complain).run(rest)
        case "--help", "-h":
            say(Self.usage)
            return 0
        case let name:
            complain("lab: there is no \"\(name ?? "")\"\n\(Self.usage)")
            return 2
        }
    }
}
