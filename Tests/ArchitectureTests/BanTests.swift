import Testing

/// What must not be written where, and what to write instead.
struct Ban: Sendable {
    enum Place: Sendable {
        /// L0 to L2, what a member decides, and the tools beside the house: what is a value and runs in three hosts.
        case cores
        case everywhere
    }

    let pattern: String
    let name: String
    let place: Place
    let instead: String

    init(_ pattern: String, _ name: String, _ place: Place, use instead: String) {
        self.pattern = pattern
        self.name = name
        self.place = place
        self.instead = instead
    }

    static let all: [Ban] = [
        Ban(#"\bDate\("#, "Date(", .cores, use: "the instant that the host gives with each step"),
        Ban(#"\b(Continuous|Suspending)Clock\b"#, "a clock", .cores, use: "the instant given with each step"),
        Ban(#"\bclock_gettime\b"#, "clock_gettime", .cores, use: "the instant given with each step"),
        Ban(#"\.random\("#, ".random(", .cores, use: "a range that the host draws from"),
        Ban(
            #"\.(shuffled|shuffle|randomElement)\(\)"#, "hidden randomness", .cores,
            use: "a choice of the host"),
        Ban(
            "SystemRandomNumberGenerator", "SystemRandomNumberGenerator", .cores, use: "SeededRandom in tools"
        ),
        Ban(#"\bHasher\(\)"#, "Hasher()", .cores, use: "StableHash, which is the same in every run"),
        Ban(#"\.hashValue\b"#, ".hashValue", .cores, use: "StableHash, which is the same in every run"),
        Ban(#"\bTask\s*(\{|\.)"#, "Task", .cores, use: "an output that the host carries out"),
        Ban(#"\basync\b|\bawait\b"#, "async", .cores, use: "an output that the host carries out"),
        Ban(#"\bDispatchQueue\b|\bThread\b"#, "threads", .cores, use: "an output that the host carries out"),
        Ban(#"(?:^|[^.\w])print\("#, "print(", .cores, use: "an output: hosts log inputs and outputs"),
        Ban(#"\bLogger\b"#, "Logger", .cores, use: "an output: hosts log inputs and outputs"),
        Ban(#"\bThread\.sleep|\busleep\(|(?:^|[^.\w])sleep\("#, "sleep", .everywhere, use: "a timer"),
        Ban(#"\btry!"#, "try!", .everywhere, use: "a typed error, or a precondition that prints the state"),
        Ban(#"\bas!"#, "as!", .everywhere, use: "a switch over the type"),
    ]

    func applies(to floor: Floors.Floor) -> Bool {
        switch place {
        case .cores: floor.isCore
        case .everywhere: !floor.isTest
        }
    }
}

@Suite("Bans") struct BanTests {
    private let tree = SourceTree.package
    private let floors = Floors.package

    /// The bans with their patterns, read once for all files.
    private static func compiled() throws -> [(ban: Ban, pattern: Regex<AnyRegexOutput>)] {
        try Ban.all.map { ($0, try Regex($0.pattern)) }
    }

    /// Lines of `file` that break a ban, in the form that a compiler would print.
    private static func breaches(
        of bans: [(ban: Ban, pattern: Regex<AnyRegexOutput>)], in file: SourceTree.File, _ floor: Floors.Floor
    ) -> [String] {
        var breaches: [String] = []
        for (ban, pattern) in bans where ban.applies(to: floor) {
            for (number, line) in file.code.enumerated() where line.contains(pattern) {
                breaches.append("\(file.path):\(number + 1): \(ban.name) is banned, use \(ban.instead)")
            }
        }
        return breaches
    }

    @Test("no source uses what is banned on its floor")
    func nothingBanned() throws {
        let bans = try Self.compiled()
        var breaches: [String] = []
        for file in tree.sources {
            guard let floor = floors[file.target], floor.name != "EtcdProtobuf" else { continue }
            breaches += Self.breaches(of: bans, in: file, floor)
        }
        #expect(breaches.isEmpty, "\(breaches.joined(separator: "\n"))")
    }

    @Test("no core stores a dictionary or a set: their order differs from run to run")
    func noStoredHashedCollections() {
        var breaches: [String] = []
        for file in tree.sources {
            guard let floor = floors[file.target], floor.isCore else { continue }
            for number in StoredProperties.hashedCollections(in: file.code) {
                breaches.append(
                    "\(file.path):\(number): a stored Dictionary or Set is banned, use a sorted array")
            }
        }
        #expect(breaches.isEmpty, "\(breaches.joined(separator: "\n"))")
    }

    @Test("the bans catch what they name and nothing else")
    func bansCatch() throws {
        let text = """
            struct A {
                var seen: Set<Int> = []
                var byName: [String: Int] = [:]
                private let other = [Int: [Int]]()
                var computed: [Int: Int] { [:] }
                var list: [Int] = []
                var range: [ClosedRange<Int>] = []
                func f(_ x: [Int: Int]) {
                    var local: Set<Int> = []
                    local.insert(1) // Date() in a comment
                    let text = "Date()"
                    let now = Date()
                }
            }
            """
        let code = SourceTree.blanked(text).split(separator: "\n").map(String.init)
        #expect(StoredProperties.hashedCollections(in: code) == [2, 3, 4])
        let file = SourceTree.File(path: "Sources/Paxos/A.swift", lines: code, code: code)
        let floor = try #require(floors["Paxos"])
        #expect(
            try Self.breaches(of: Self.compiled(), in: file, floor) == [
                "Sources/Paxos/A.swift:12: Date( is banned, use the instant that the host gives with each step"
            ])
    }
}

/// Finds stored properties by their braces: a declaration directly within a type, without a body of its own.
enum StoredProperties {
    static func hashedCollections(in code: [String]) -> [Int] {
        var isType: [Bool] = []
        var head = ""
        var found: [Int] = []
        for (index, line) in code.enumerated() {
            if isType.last == true, !line.contains("{"), mayDeclare(line), line.contains(hashedDeclaration) {
                found.append(index + 1)
            }
            for character in line {
                switch character {
                case "{":
                    isType.append(isTypeHead(head))
                    head = ""
                case "}":
                    _ = isType.popLast()
                    head = ""
                case ";": head = ""
                default: head.append(character)
                }
            }
            // A head may stretch over lines while parentheses or a list of conformances are open.
            if isTypeHead(head) { head.append(" ") } else { head = "" }
        }
        return found
    }

    private static func isTypeHead(_ text: String) -> Bool {
        text.split(separator: " ").contains { typeWords.contains($0) }
    }
    private static let typeWords: Set<Substring> = [
        "struct", "enum", "class", "actor", "extension", "protocol",
    ]

    /// Most lines do not, which words tell faster than the pattern.
    private static func mayDeclare(_ line: String) -> Bool {
        line.split(separator: " ").contains { $0 == "let" || $0 == "var" }
    }
    private static var hashedDeclaration: Regex<Substring> {
        /\b(?:let|var)\s+\w+\s*(?::\s*(?:\[[^\[\]:(]+:.*\]|(?:Set|Dictionary)<)|=\s*(?:\[[^\[\]:(]+:.*\]\(|\[:\]|(?:Set|Dictionary)[<(]))/
    }
}
