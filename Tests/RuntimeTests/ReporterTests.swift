import Automata
import Synchronization
import Testing

@testable import Runtime

@Suite struct ReporterTests {
    private final class Lines: Sendable {
        let records = Mutex([LogRecord]())
        func reporter(minimum: ServerOptions.LogLevel = .debug) -> Reporter {
            Reporter(minimum: minimum) { [self] record in records.withLock { $0.append(record) } }
        }
        var last: LogRecord? { records.withLock { $0.last } }
    }

    @Test("a member stands with its name beside its id once its name is known, and by its id under its field")
    func names() {
        let lines = Lines()
        let report = lines.reporter()
        report(.info, "\(member: ProcessID(0xab)) leads")
        #expect(lines.last?.message == "ab leads")
        report.names.use([.init(id: ProcessID(0xab), name: "s1", peerURLs: [])])
        report(.info, "\(member: ProcessID(0xab), as: "leader") leads at \(7, as: "round")")
        #expect(lines.last?.message == "s1 (ab) leads at 7")
        #expect(
            lines.last?.fields == [
                LogField(name: "leader", value: .text("ab")), LogField(name: "round", value: .number(7)),
            ])
        #expect(lines.last?.caller.hasPrefix("RuntimeTests/ReporterTests.swift:") == true)
    }

    @Test("what is below the least level is not even written down")
    func levels() {
        let lines = Lines()
        let report = lines.reporter(minimum: .warning)
        func costly() -> LogLine {
            Issue.record("a line that nobody reads was made")
            return ""
        }
        report(.info, costly())
        report(.warning, "a")
        report(.fatal, "b")
        #expect(lines.records.withLock { $0.map(\.message) } == ["a", "b"])
    }

    @Test("lines that are put together keep the values of both")
    func together() {
        let line: LogLine = "a \(1, as: "x")" + " b \("t", as: "y")"
        #expect(line.with("z", .flag(false)).fields.map(\.name) == ["x", "y", "z"])
    }
}
