import Foundation
import Testing

/// The stories in `Scenarios/`. `SYNOD_REWRITE_SCENARIOS=1` writes what happens into them, for review.
@Suite("Scenarios") struct ScenarioTests {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Scenarios")

    static var names: [String] {
        let all = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return all.filter { $0.hasSuffix(".txt") }.sorted()
    }

    @Test("there are stories to tell")
    func some() { #expect(Self.names.count >= 10) }

    @Test("what happens is what the story tells, word for word", arguments: names)
    func replay(name: String) throws {
        let file = Self.folder.appendingPathComponent(name)
        let told = try String(contentsOf: file, encoding: .utf8)
        let happened = Scenario.replay(told)
        #expect(!happened.contains("VIOLATION") && !happened.contains("this is no command"))
        if ProcessInfo.processInfo.environment["SYNOD_REWRITE_SCENARIOS"] != nil {
            try happened.write(to: file, atomically: true, encoding: .utf8)
            return
        }
        let differing = zip(
            told.components(separatedBy: "\n"), happened.components(separatedBy: "\n")
        ).first { $0 != $1 }
        #expect(
            told == happened, "told: \(differing?.0 ?? "the end"), happened: \(differing?.1 ?? "the end")")
    }
}
