import Foundation
import Runtime
import Testing

@testable import synod

@Suite struct LogFormTests {
    private let time = timespec(tv_sec: 1_700_000_000, tv_nsec: 12_345_678)

    private func record(_ message: String, _ fields: [LogField] = []) -> LogRecord {
        LogRecord(level: .warning, message: message, fields: fields, caller: "Runtime/PeerLink.swift:142")
    }

    @Test("a line in JSON has the keys that etcd's have, in their order, and then its values")
    func json() throws {
        let fields = [
            LogField(name: "slot", value: .number(-7)), LogField(name: "full", value: .flag(true)),
            LogField(name: "urls", value: .texts(["a", "b"])), LogField(name: "error", value: .text("x")),
        ]
        #expect(
            LogForm.json.line(record("it is so", fields), at: time)
                == #"{"level":"warn","ts":"2023-11-14T22:13:20.012345Z","caller":"Runtime/PeerLink.swift:142","#
                + #""msg":"it is so","slot":-7,"full":true,"urls":["a","b"],"error":"x"}"#)
    }

    @Test("whatever a message holds, a line is one line of valid JSON")
    func quoting() throws {
        let message = "a \"quoted\" \\ back\nline\ttab\r\u{1}\u{7f}é\u{1F600}"
        let line = LogForm.json.line(record(message), at: time)
        #expect(!line.contains("\n"))
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: String])
        #expect(object["msg"] == message)
    }

    @Test("a line for people is time, level and sentence")
    func console() {
        #expect(
            LogForm.console.line(record("it is so"), at: time) == "2023-11-14T22:13:20.012345Z warn it is so")
    }
}
