import Foundation
import Testing

@Suite("Floors") struct FloorTests {
    private let tree = SourceTree.package
    private let floors = Floors.package

    @Test("the manifest is read as the table that it is")
    func manifestIsRead() {
        #expect(floors["Automata"]?.level == 0)
        #expect(floors["Replica"]?.uses.contains("Paxos") == true)
        #expect(floors["Runtime"]?.external.contains("NIOCore") == true)
        #expect(floors["Paxos"]?.part == .core && floors["Runtime"]?.part == .server)
        #expect(floors.all.count >= 25)
    }

    @Test("every arrow points down, and there are no circles")
    func arrowsPointDown() {
        for floor in floors.all {
            for used in floor.uses.compactMap({ floors[$0] }) {
                let withinVocabulary = floor.level == 0 && used.level == 0
                #expect(
                    used.level < floor.level || withinVocabulary || floor.isTest,
                    "\(floor.name) (L\(floor.level)) uses \(used.name) (L\(used.level)), which is not below")
                #expect(
                    !(withinVocabulary && used.uses.contains(floor.name)), "\(floor.name) and \(used.name)")
            }
        }
    }

    @Test("every folder of sources is a floor of the table, and every floor has a folder")
    func foldersAreFloors() throws {
        for folder in ["Sources", "Tests"] {
            let path = tree.root.appending(path: folder).path
            for name in try FileManager.default.contentsOfDirectory(atPath: path) where !name.hasPrefix(".") {
                // What tests the built program from outside is not Swift and stands on no floor.
                guard folder == "Sources" || !["Conformance", "Mutations", "System"].contains(name) else {
                    continue
                }
                #expect(
                    floors[name] != nil || floors.systemLibraries.contains(name),
                    "\(folder)/\(name) is not in the table of Package.swift")
            }
        }
        for floor in floors.all {
            let folder = floor.isTest ? "Tests" : "Sources"
            #expect(
                FileManager.default.fileExists(
                    atPath: tree.root.appending(path: "\(folder)/\(floor.name)").path),
                "\(floor.name) is in the table and has no folder")
        }
    }

    /// Modules of the toolchain, and the lowest floor that may import them.
    private static let toolchain: [(module: String, lowest: Int)] = [
        ("Glibc", 3), ("Synchronization", 3), ("Dispatch", 4), ("Foundation", 5), ("FoundationEssentials", 5),
        ("Testing", 7), ("RegexBuilder", 7),
    ]

    /// Folders of a core that hold a host for embedders and tests: several threads may come to it, so that it
    /// needs a lock, which the core itself must not.
    private static let locked = ["Sources/Coordination/InMemory/"]

    /// Tools that host many values at once and need threads for it, which the values themselves must not.
    private static let threaded = ["ModelChecking"]

    @Test(
        "every import is of a floor that the table allows, or of the toolchain's modules from their floor up")
    func importsFollowTheTable() {
        var broken: [String] = []
        for file in tree.sources + tree.tests {
            // The generator of the etcd messages decides what they import.
            guard let floor = floors[file.target], floor.name != "EtcdProtobuf" else { continue }
            for (number, line) in file.code.enumerated() {
                guard line.contains("import "), let match = line.firstMatch(of: Self.importLine) else {
                    continue
                }
                let module = String(match.1)
                let isAllowed =
                    module == floor.name.replacing("Tests", with: "") || floor.uses.contains(module)
                    || floor.external.contains(module)
                    || Self.toolchain.contains { $0.module == module && floor.level >= $0.lowest }
                    || module == "Synchronization" && Self.locked.contains { file.path.hasPrefix($0) }
                    || ["Glibc", "Synchronization"].contains(module) && Self.threaded.contains(floor.name)
                if !isAllowed {
                    broken.append(
                        "\(file.path):\(number + 1): \(floor.name) (L\(floor.level)) may not import \(module)"
                    )
                }
            }
        }
        #expect(broken.isEmpty, "\(broken.joined(separator: "\n"))")
    }

    private static var importLine: Regex<(Substring, Substring)> {
        /^\s*(?:@\w+(?:\(\w+\))?\s+)*(?:\w+\s+)?import\s+(?:(?:struct|class|enum|protocol|func|var|let)\s+)?(\w+)/
    }

    /// Arrows that the levels alone would allow and that must not be.
    @Test(
        "the two legs never touch, dialects know neither the replica nor each other, and nothing that is shipped as a library leans on a tool"
    )
    func legsNeverTouch() {
        let dialects = floors.all.filter { $0.level == 5 }.map(\.name)
        var never: [(String, [String])] = [
            ("Replica", ["Coordination"]), ("Coordination", ["Paxos", "Replica"]),
            ("WriteAheadLog", ["Replica", "Paxos", "Member"]), ("LMDBStore", ["Replica", "Paxos", "Member"]),
            ("Member", ["WriteAheadLog", "LMDBStore", "PeerLinks"]),
            ("Runtime", dialects), ("GRPC", ["Coordination", "Replica", "Runtime"]),
        ]
        for dialect in dialects {
            let others = dialects.filter { $0 != dialect && $0 != "GRPC" && $0 != "EtcdProtobuf" }
            never.append((dialect, ["Replica", "Paxos", "Member", "WriteAheadLog", "Runtime"] + others))
        }
        for floor in floors.all where floor.level <= 5 && !Floors.tools.contains(floor.name) {
            never.append((floor.name, Floors.tools))
        }
        for tool in Floors.tools {
            never.append((tool, floors.all.map(\.name).filter { !["Automata", "LogicalTime"].contains($0) }))
        }
        for (name, forbidden) in never {
            for used in floors[name]?.uses ?? [] {
                #expect(!forbidden.contains(used), "\(name) may not know \(used)")
            }
        }
    }

    @Test("what is built without a network stack uses nothing that needs one")
    func coresStandAlone() {
        for floor in floors.all where floor.part != .server {
            #expect(floor.external.isEmpty, "\(floor.name) is \(floor.part) and uses \(floor.external)")
            // What Glibc's module leaves out is there wherever Glibc is.
            for used in floor.uses where used != "CLinux" {
                let part = floors[used]?.part ?? .server
                #expect(part.rawValue <= floor.part.rawValue, "\(floor.name) uses \(used)")
            }
        }
    }
}
