import Foundation

/// Files of the golden runs: those of the tree, and those that stand beside it on a machine which has them.
struct SharedData {
    static let tree = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Golden")

    /// `SYNOD_SHARED_DATA`, or the folder `shared/data` beside the package; `nil` where neither is there.
    static var shared: URL? {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        var places = [root.deletingLastPathComponent().appending(path: "shared/data/chandy-lamport")]
        if let named = ProcessInfo.processInfo.environment["SYNOD_SHARED_DATA"] {
            places = [URL(filePath: named).appending(path: "chandy-lamport"), URL(filePath: named)]
        }
        return places.first {
            FileManager.default.fileExists(atPath: $0.appending(path: "delays.txt").path)
        }
    }

    static func text(_ name: String, in folder: URL) throws -> String {
        try String(contentsOf: folder.appending(path: name), encoding: .utf8)
    }

    /// Every `.events` file of the folder with its topology and its expected snapshots.
    static func cases(in folder: URL) throws -> [GoldenCase] {
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        return try names.filter { $0.hasSuffix(".events") }.map { file in
            let name = String(file.dropLast(".events".count))
            // The topology is named by what comes before the first dash.
            let topology = String(name.prefix { $0 != "-" }) + ".top"
            let snaps = names.filter {
                $0.hasPrefix(name) && $0.hasSuffix(".snap")
                    && $0.dropFirst(name.count).dropLast(".snap".count).allSatisfy(\.isNumber)
            }
            return GoldenCase(
                name: name, topology: try text(topology, in: folder), events: try text(file, in: folder),
                snapshots: try snaps.map { try text($0, in: folder) })
        }
    }
}

struct GoldenCase {
    let name: String
    let topology: String
    let events: String
    let snapshots: [String]
}
