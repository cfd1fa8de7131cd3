// swift-tools-version: 6.1
import PackageDescription

// The manifest is a table of floors. A target may depend only on targets of a lower floor (or on the
// tools that stand beside the house); `check()` below refuses the package when one does not, and
// `Tests/ArchitectureTests` holds every `import` against the same table.

/// How much of the house a build takes.
enum Part: Int {
    /// What runs in the server and needs neither a network stack nor a C library, and the tools that its tests
    /// need: `SYNOD_CORE=1`, `make core`.
    case core
    /// Also what studies the cores: models, scenarios, checkers and their commands: `SYNOD_LAB=1`, `make lab`.
    case lab
    /// Everything.
    case server
}

let part: Part =
    Context.environment["SYNOD_CORE"] != nil
    ? .core : Context.environment["SYNOD_LAB"] != nil ? .lab : .server

func isBuilt(_ floor: Floor) -> Bool { floor.part.rawValue <= part.rawValue }

let nio = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioEmbedded = Target.Dependency.product(name: "NIOEmbedded", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let protobuf = Target.Dependency.product(name: "SwiftProtobuf", package: "swift-protobuf")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let yaml = Target.Dependency.product(name: "Yams", package: "Yams")

struct Floor {
    let level: Int
    let name: String
    var uses: [String] = []
    var external: [Target.Dependency] = []
    var part = Part.server
}

let floors: [Floor] = [
    // L0 vocabulary
    Floor(level: 0, name: "Automata", part: .core),
    Floor(level: 0, name: "LogicalTime", uses: ["Automata"], part: .core),
    // L1 protocols
    Floor(level: 1, name: "Paxos", uses: ["Automata"], part: .core),
    Floor(level: 1, name: "Consensus", uses: ["Automata"], part: .core),
    Floor(level: 1, name: "Multicast", uses: ["Automata"], part: .core),
    Floor(level: 1, name: "GlobalSnapshot", uses: ["Automata", "LogicalTime"], part: .core),
    Floor(level: 1, name: "PeerLinks", uses: ["Automata"], part: .core),
    // L2 replicated
    Floor(level: 2, name: "Replica", uses: ["Automata", "Paxos"], part: .core),
    Floor(level: 2, name: "Coordination", uses: ["Automata"], part: .core),
    Floor(
        level: 2, name: "GroupCommunication", uses: ["Automata", "Paxos", "Multicast", "Consensus"],
        part: .core
    ),
    // L3 what a member decides, and durability
    Floor(
        level: 3, name: "Member", uses: ["Automata", "Paxos", "Replica", "Coordination"], part: .core),
    Floor(level: 3, name: "WriteAheadLog", uses: ["Automata", "CLinux"], part: .core),
    Floor(level: 3, name: "LMDBStore", uses: ["Automata", "Coordination", "CLMDB", "CLinux"]),
    // L4 runtime
    Floor(
        level: 4, name: "Runtime",
        uses: [
            "Automata", "PeerLinks", "Paxos", "Replica", "Coordination", "Member", "WriteAheadLog",
            "LMDBStore", "CLinux",
        ],
        external: [nio, nioPosix]),
    Floor(level: 4, name: "GRPC", uses: ["CNghttp2"], external: [nio, nioPosix, nioHTTP1]),
    Floor(level: 4, name: "EtcdProtobuf", external: [protobuf]),
    // L5 dialects
    Floor(
        level: 5, name: "EtcdDialect", uses: ["Coordination", "GRPC", "EtcdProtobuf", "CCrypto"],
        external: [nio, nioPosix, nioHTTP1, protobuf]),
    // beside the house
    Floor(level: 0, name: "Simulation", uses: ["Automata", "LogicalTime"], part: .core),
    Floor(level: 0, name: "ModelChecking", uses: ["Automata"], part: .core),
    Floor(level: 0, name: "Linearizability", part: .core),
    Floor(level: 0, name: "TextForms", part: .lab),
    Floor(level: 0, name: "SpaceTime", uses: ["TextForms"], part: .lab),
    // for what takes long on a command line
    Floor(level: 4, name: "LongWork", part: .lab),
    // L6 compose
    Floor(
        level: 6, name: "SnapshotScenarios",
        uses: ["Automata", "LogicalTime", "GlobalSnapshot", "Simulation", "TextForms"], part: .lab),
    Floor(
        level: 6, name: "ReplicaSimulation",
        uses: [
            "Automata", "PeerLinks", "Paxos", "Replica", "Coordination", "Member", "WriteAheadLog",
            "Simulation",
            "Linearizability",
        ], part: .core
    ),
    Floor(
        level: 6, name: "Impossibility",
        uses: ["Automata", "Paxos", "Consensus", "Simulation", "LongWork", "TextForms"],
        part: .lab),
    Floor(
        level: 6, name: "MulticastSimulation",
        uses: ["Automata", "Multicast", "GroupCommunication", "Simulation", "TextForms"], part: .lab),
    Floor(level: 6, name: "LinearizabilityReport", uses: ["Linearizability", "TextForms"], part: .lab),
    Floor(
        level: 6, name: "Models",
        uses: [
            "Automata", "Paxos", "Consensus", "GlobalSnapshot", "Multicast", "GroupCommunication",
            "ModelChecking", "LongWork", "TextForms",
        ], part: .lab),
    // L7 to look at
    Floor(
        level: 7, name: "Lab",
        uses: [
            "Automata", "Paxos", "Consensus", "GlobalSnapshot", "Multicast", "GroupCommunication", "Replica",
            "Simulation", "SpaceTime", "TextForms", "SnapshotScenarios", "Impossibility",
        ], part: .lab),
    // L8 the commands that study
    Floor(
        level: 8, name: "StudyCommands",
        uses: [
            "Simulation", "TextForms", "Lab", "Impossibility", "MulticastSimulation", "LinearizabilityReport",
            "SnapshotScenarios",
            "ReplicaSimulation",
            "Models", "LongWork",
        ],
        part: .lab),
]

/// L9: the commands. `synod` composes everything; `synod-lab` needs no network stack.
let command = Floor(
    level: 9, name: "synod",
    uses: [
        "Automata", "Paxos", "Replica", "Coordination", "WriteAheadLog", "LMDBStore", "Runtime", "GRPC",
        "EtcdDialect", "StudyCommands", "TextForms", "CLinux",
    ],
    external: [nio, nioPosix, arguments, yaml])

let studyProgram = Floor(level: 9, name: "SynodLab", uses: ["StudyCommands"], part: .lab)

/// Test targets, with what they use beyond the target they are named after.
let tests: [Floor] = [
    Floor(level: 10, name: "ArchitectureTests", part: .core),
    Floor(level: 10, name: "AutomataTests", uses: ["Automata"], part: .core),
    Floor(level: 10, name: "LogicalTimeTests", uses: ["LogicalTime", "Automata"], part: .core),
    Floor(level: 10, name: "PeerLinksTests", uses: ["PeerLinks", "Automata"], part: .core),
    Floor(level: 10, name: "PaxosTests", uses: ["Paxos", "Automata"], part: .core),
    Floor(
        level: 10, name: "GlobalSnapshotTests", uses: ["GlobalSnapshot", "Automata", "LogicalTime"],
        part: .core
    ),
    Floor(
        level: 10, name: "SnapshotScenariosTests",
        uses: ["SnapshotScenarios", "GlobalSnapshot", "Simulation", "Automata", "LogicalTime"], part: .lab),
    Floor(level: 10, name: "ReplicaTests", uses: ["Replica", "Paxos", "Automata"], part: .core),
    Floor(
        level: 10, name: "MemberTests", uses: ["Member", "Replica", "Paxos", "Coordination", "Automata"],
        part: .core),
    Floor(
        level: 10, name: "CoordinationTests", uses: ["Coordination", "Member", "Automata"], part: .core),
    Floor(
        level: 10, name: "WriteAheadLogTests", uses: ["WriteAheadLog", "Automata", "Simulation"], part: .core),
    Floor(
        level: 10, name: "SimulationTests",
        uses: ["ReplicaSimulation", "Simulation", "Replica", "Paxos", "Automata", "LogicalTime"], part: .core),
    Floor(level: 10, name: "ConsensusTests", uses: ["Consensus", "Automata", "Simulation"], part: .core),
    Floor(level: 10, name: "SpaceTimeTests", uses: ["SpaceTime", "TextForms"], part: .lab),
    Floor(level: 10, name: "LabTests", uses: ["Lab", "SpaceTime"], part: .lab),
    Floor(
        level: 10, name: "ImpossibilityTests",
        uses: ["Impossibility", "Paxos", "Consensus", "Automata", "Simulation"], part: .lab),
    Floor(
        level: 10, name: "MulticastTests", uses: ["Multicast", "Automata", "Simulation", "ModelChecking"],
        part: .core),
    Floor(
        level: 10, name: "MulticastSimulationTests", uses: ["MulticastSimulation", "Multicast"], part: .lab),
    Floor(
        level: 10, name: "GroupCommunicationTests",
        uses: ["GroupCommunication", "Multicast", "Automata", "Simulation"], part: .core),
    Floor(level: 10, name: "ModelCheckingTests", uses: ["ModelChecking", "Automata"], part: .core),
    Floor(
        level: 10, name: "ModelsTests", uses: ["Models", "ModelChecking", "GlobalSnapshot", "Automata"],
        part: .lab),
    Floor(
        level: 10, name: "PublicInterfaceTests",
        uses: ["Automata", "LogicalTime", "Paxos", "Multicast", "GlobalSnapshot", "Linearizability"],
        part: .lab
    ),
    Floor(
        level: 10, name: "LinearizabilityTests", uses: ["Linearizability", "LinearizabilityReport"],
        part: .lab
    ),
    Floor(level: 10, name: "LMDBStoreTests", uses: ["LMDBStore", "Automata", "Coordination", "CLMDB"]),
    Floor(
        level: 10, name: "RuntimeTests",
        uses: [
            "Runtime", "Member", "Replica", "Paxos", "Automata", "Coordination", "WriteAheadLog", "LMDBStore",
        ],
        external: [nio, nioPosix]),
    Floor(
        level: 10, name: "GRPCTests", uses: ["GRPC", "GRPCTestSupport", "CNghttp2"],
        external: [nio, nioPosix, nioHTTP1, nioEmbedded]),
    Floor(
        level: 10, name: "EtcdDialectTests",
        uses: [
            "EtcdDialect", "EtcdProtobuf", "Automata", "Coordination", "Member", "GRPC", "GRPCTestSupport",
        ],
        external: [nio, nioEmbedded, nioPosix, nioHTTP1, protobuf]),
    Floor(level: 10, name: "SynodTests", uses: ["synod", "Runtime", "Coordination", "EtcdDialect"]),
]

/// What several test targets share.
let testSupport: [Floor] = [
    Floor(level: 10, name: "GRPCTestSupport", uses: ["CNghttp2"], external: [nio, nioPosix])
]

func check(_ floor: Floor) {
    for used in floor.uses {
        guard let below = floors.first(where: { $0.name == used }) else { continue }
        precondition(
            below.part.rawValue <= floor.part.rawValue,
            "\(floor.name) may not depend on \(used): it is not always built")
        let sidewaysInVocabulary = floor.level == 0 && below.level == 0
        precondition(
            below.level < floor.level || sidewaysInVocabulary,
            "\(floor.name) (L\(floor.level)) may not depend on \(used) (L\(below.level)): arrows point down"
        )
    }
}

/// `SYNOD_STRICT=1` makes every warning of our own targets an error (`make check`).
let settings: [SwiftSetting] =
    [.swiftLanguageMode(.v6)]
    + (Context.environment["SYNOD_STRICT"] != nil ? [.unsafeFlags(["-warnings-as-errors"])] : [])

func target(_ floor: Floor) -> Target {
    check(floor)
    return .target(
        name: floor.name, dependencies: floor.uses.map { .init(stringLiteral: $0) } + floor.external,
        exclude: floor.name == "EtcdProtobuf" ? ["proto", "README.md"] : [],
        swiftSettings: settings)
}

/// What tests read as text.
let stories = ["ReplicaTests": ["Scenarios"], "SnapshotScenariosTests": ["Golden"]]

func testTarget(_ floor: Floor) -> Target {
    check(floor)
    return .testTarget(
        name: floor.name, dependencies: floor.uses.map { .init(stringLiteral: $0) } + floor.external,
        exclude: stories[floor.name] ?? [],
        swiftSettings: settings)
}

func testSupportTarget(_ floor: Floor) -> Target {
    check(floor)
    return .target(
        name: floor.name, dependencies: floor.uses.map { .init(stringLiteral: $0) } + floor.external,
        path: "Tests/\(floor.name)", swiftSettings: settings)
}

func executableTarget(_ floor: Floor) -> Target {
    check(floor)
    return .executableTarget(
        name: floor.name, dependencies: floor.uses.map { .init(stringLiteral: $0) } + floor.external,
        swiftSettings: settings)
}

let systemLibraries: [Target] = [
    .systemLibrary(name: "CLMDB", pkgConfig: "lmdb", providers: [.apt(["liblmdb-dev"])]),
    .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(name: "CNghttp2", pkgConfig: "libnghttp2", providers: [.apt(["libnghttp2-dev"])]),
]

/// What Swift's Glibc module leaves out: headers only, so that the cores' build has it too.
let systemCalls = Target.systemLibrary(name: "CLinux")

/// `SYNOD_DOCS=1` adds what writes the pages of the public libraries (`make docs`).
let documentation: [Package.Dependency] =
    Context.environment["SYNOD_DOCS"] == nil
    ? [] : [.package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.5.0")]

let package = Package(
    name: "synod",
    products: [
        .library(name: "Automata", targets: ["Automata"]),
        .library(name: "LogicalTime", targets: ["LogicalTime"]),
        .library(name: "Paxos", targets: ["Paxos"]),
        .library(name: "Consensus", targets: ["Consensus"]),
        .library(name: "Multicast", targets: ["Multicast"]),
        .library(name: "GlobalSnapshot", targets: ["GlobalSnapshot"]),
        .library(name: "GroupCommunication", targets: ["GroupCommunication"]),
        .library(name: "Replica", targets: ["Replica"]),
        .library(name: "Simulation", targets: ["Simulation"]),
        .library(name: "ModelChecking", targets: ["ModelChecking"]),
    ]
        + (part == .core
            ? []
            : [
                .library(name: "Linearizability", targets: ["Linearizability"]),
                .executable(name: "synod-lab", targets: ["SynodLab"]),
            ])
        + (part != .server
            ? []
            : [.executable(name: "synod", targets: ["synod"]), .library(name: "GRPC", targets: ["GRPC"])]),
    dependencies: part != .server
        ? documentation
        : documentation + [
            .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
            .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
            .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
            .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        ],
    targets: floors.filter(isBuilt).map(target) + tests.filter(isBuilt).map(testTarget)
        + testSupport.filter(isBuilt).map(testSupportTarget)
        + [studyProgram, command].filter(isBuilt).map(executableTarget)
        + [systemCalls] + (part == .server ? systemLibraries : [])
)
