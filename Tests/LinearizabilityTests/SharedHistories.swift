import Foundation
import Linearizability
import Testing

/// Histories with known verdicts that stand beside the tree on a machine which has them.
struct SharedHistories {
    /// `SYNOD_SHARED_DATA`, or the folder `shared/data` beside the package; `nil` where neither is there.
    static var folder: URL? {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let named = ProcessInfo.processInfo.environment["SYNOD_SHARED_DATA"].map { URL(filePath: $0) }
        let folder = (named ?? root.deletingLastPathComponent().appending(path: "shared/data"))
            .appending(path: "linearizability")
        return FileManager.default.fileExists(atPath: folder.appending(path: "etcd_000.log").path)
            ? folder : nil
    }

    static func verdict(_ name: String, _ model: ObjectModel, in folder: URL) throws -> HistoryVerdict {
        let text = try String(contentsOf: folder.appending(path: name), encoding: .utf8)
        return try model.check(
            HistoryReader(hasKeys: model.hasKeys).read(text), limits: HistoryLimits(cutDownTime: .seconds(60))
        )
    }
}

@Suite(
    "Histories with known verdicts",
    .enabled(if: SharedHistories.folder != nil, "they are not on this machine"))
struct SharedHistoryTests {
    @Test("a compare-and-set register: five of thirty are linearizable")
    func compareAndSet() throws {
        let folder = try #require(SharedHistories.folder)
        var linearizable: [Int] = []
        for number in 0..<30 {
            let name = "etcd_" + String(repeating: "0", count: number < 10 ? 2 : 1) + "\(number).log"
            let verdict = try SharedHistories.verdict(name, .compareAndSetRegister, in: folder)
            if verdict.outcome == .linearizable { linearizable.append(number) }
            if let part = verdict.clearestViolation {
                #expect(part.cutDown.count < part.operations.count, "\(name) is cut down")
            }
        }
        #expect(linearizable == [2, 5, 7, 18, 25])
    }

    @Test("a key-value store with appends", arguments: ["c01", "c10"])
    func keyValue(name: String) throws {
        let folder = try #require(SharedHistories.folder)
        #expect(
            try SharedHistories.verdict("\(name)-ok.txt", .keyValue, in: folder).outcome == .linearizable)
        #expect(try SharedHistories.verdict("\(name)-bad.txt", .keyValue, in: folder).outcome == .violated)
    }
}
