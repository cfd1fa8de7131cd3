/// The floors as the manifest has them. The manifest is the one table; this reads it as text.
struct Floors {
    enum Part: Int, CaseIterable { case core, lab, server }

    struct Floor {
        let level: Int
        let name: String
        let uses: [String]
        /// Modules of other packages.
        let external: [String]
        /// How much of the house must be built for it: see the manifest.
        let part: Part

        /// Tests, and what only tests use.
        var isTest: Bool { name.contains("Test") }
        /// A value without I/O, which runs in three hosts.
        var isCore: Bool { level <= 2 || name == "Member" }
    }

    let all: [Floor]
    /// Targets without sources of ours: the names of C libraries.
    let systemLibraries: [String]

    static let package = Floors(manifest: SourceTree.package.text("Package.swift"))

    init(manifest: String) {
        var products: [(variable: String, module: String)] = []
        for match in manifest.matches(of: /let (\w+) = Target\.Dependency\.product\(\s*name: "(\w+)"/) {
            products.append((String(match.1), String(match.2)))
        }
        var floors: [Floor] = []
        let entry = /Floor\(\s*level: (\d+), name: "(\w+)"((?:[^()\[\]]|\[[^\]]*\])*)\)/
        for match in manifest.matches(of: entry) {
            let rest = String(match.3)
            floors.append(
                Floor(
                    level: Int(match.1) ?? -1, name: String(match.2), uses: Self.list("uses", in: rest),
                    external: Self.list("external", in: rest).compactMap { name in
                        products.first { $0.variable == name }?.module
                    },
                    part: Part.allCases.first { rest.contains("part: .\($0)") } ?? .server))
        }
        all = floors
        systemLibraries = manifest.matches(of: /systemLibrary\(\s*name: "(\w+)"/).map { String($0.1) }
    }

    private static func list(_ label: String, in text: String) -> [String] {
        guard let start = text.range(of: label + ": ["),
            let end = text[start.upperBound...].firstIndex(of: "]")
        else { return [] }
        return text[start.upperBound..<end].split(separator: ",").map {
            $0.filter { $0.isLetter || $0.isNumber }
        }.filter { !$0.isEmpty }
    }

    subscript(name: String) -> Floor? { all.first { $0.name == name } }

    /// The tools that stand beside the house: generic over what they run, and used by compositions only.
    static let tools = ["Simulation", "ModelChecking", "Linearizability"]
}
