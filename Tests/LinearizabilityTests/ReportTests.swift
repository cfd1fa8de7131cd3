import Foundation
import Testing

@testable import Linearizability
@testable import LinearizabilityReport

@Suite("Reports of histories") struct ReportTests {
    private static let stale = """
        0 invoke write 1
        0 ok write 1
        0 invoke write 2
        0 ok write 2
        1 invoke read
        1 ok read 1
        """

    private func verdict(_ text: String, _ model: ObjectModel = .register) throws -> HistoryVerdict {
        try model.check(HistoryReader(hasKeys: model.hasKeys).read(text))
    }

    @Test("a history without an explanation is shown cut down, a lane for each process")
    func text() throws {
        let lines = try verdict(Self.stale).lines(name: "h", model: .register)
        #expect(
            lines == [
                "h: NOT linearizable as register (3 operations, 6 events)", "",
                "The first 5 events can be explained by this order:", "  process 0: write 1",
                "  process 0: write 2", "and no order explains what came next, the end of",
                "  process 1: read -> 1 (begun in line 5)", "", "3 operations that no order explains:", "",
                "  process 0  ├ write 1 ─┤ ├ write 2 ─┤",
                "  process 1                            ├ read -> 1 ─┤",
            ])
    }

    @Test("JSON can be read, whatever the values hold")
    func json() throws {
        let text = """
            {"process": 0, "type": "invoke", "f": "put", "key": "a\\"\\u0007", "value": "\\\\ é"}
            {"process": 0, "type": "ok", "f": "put", "key": "a", "value": null}
            """
        let json = try verdict(text, .keyValue).json(name: "\"quoted\"", model: .keyValue)
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any])
        #expect(
            object["verdict"] as? String == "linearizable" && object["history"] as? String == "\"quoted\"")
        let part = try #require((object["parts"] as? [[String: Any]])?.first)
        #expect(part["key"] as? String == "a\"\u{7}" && (part["order"] as? [Any])?.count == 1)
    }

    @Test("the verdict stands on a line of its own, before what explains it")
    func headlineFirst() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "synod-\(UUID().uuidString)").path
        try Self.stale.write(toFile: path, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: path) }
        var said: [String] = []
        let program = LinearizableProgram(say: { said.append($0) }, complain: { _ in })
        #expect(program.run(["--model", "register", path]) == 1)
        #expect(said.first == "\(path): NOT linearizable as register (3 operations, 6 events)")
        #expect(said.count { $0.contains("NOT linearizable") } == 1 && said.count > 5)
    }

    @Test("long values and long histories are shown in part")
    func longHistories() throws {
        var text = ""
        for value in 0..<100 { text += "0 invoke append k v\(value);\n0 ok append k v\(value);\n" }
        text = text.replacing(";", with: "")
        text += "1 invoke get k\n1 ok get k " + (0..<99).map { "v\($0)" }.joined() + "\n"
        let lines = try verdict(text, .keyValue).lines(name: "h", model: .keyValue)
        #expect(lines.allSatisfy { $0.count < 2000 } && lines.contains { $0.contains("more …") })
        #expect(lines.contains("  (the last 40; --json has the 61 before them)"))
    }

    @Test("the picture marks the answer that cannot be, and holds no tags of the history's own")
    func picture() throws {
        let svg = try verdict(Self.stale.replacing(" 1", with: " <b>")).svg(name: "a&b", model: .register)
        #expect(
            svg.contains("class=\"culprit\"") && svg.contains("read -&gt; &lt;b&gt;")
                && svg.contains("a&amp;b"))
        #expect(!svg.contains("<b>"))
        let good = try verdict("0 invoke write 1\n0 ok write 1\n").svg(name: "x", model: .register)
        #expect(good.contains("1. write 1") && !good.contains("class=\"culprit\""))
    }

    @Test(
        "a wrong command line ends with 2",
        arguments: [
            [], ["--model", "register"], ["--model", "tree", "f"], ["f"],
            ["--model=queue", "--memory", "x", "f"],
            ["--model", "queue", "--sv", "f"], ["--model", "lock", "--svg", "o", "f", "g"],
            ["--model", "register", "/nonexistent/file"],
        ])
    func usage(arguments: [String]) {
        var complaints = 0
        let program = LinearizableProgram(say: { _ in }, complain: { _ in complaints += 1 })
        #expect(program.run(arguments) == 2 && complaints == 1)
    }

    @Test("exit codes: 0, 1 and 3")
    func exitCodes() throws {
        let folder = FileManager.default.temporaryDirectory.appending(
            path: "synod-histories-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        var hard = ""
        for process in 0..<8 { hard += "\(process) invoke enqueue \(process)\n" }
        for process in 0..<8 { hard += "\(process) ok enqueue \(process)\n" }
        hard += "0 invoke dequeue\n0 ok dequeue 99\n"
        for (name, model, text, code) in [
            ("good", "register", "0 invoke read\n0 ok read nil\n", 0 as Int32),
            ("stale", "register", Self.stale, 1), ("hard", "queue", hard, 3),
            ("empty", "register", "# nothing\n", 2),
        ] {
            let path = folder.appending(path: name).path
            try text.write(toFile: path, atomically: true, encoding: .utf8)
            let program = LinearizableProgram(say: { _ in }, complain: { _ in })
            #expect(program.run(["--model", model, "--memory", "1", path]) == code, "\(name)")
        }
    }
}
