import Foundation
import SpaceTime
import Testing
import TextForms

@Suite("Space-time diagrams") struct SpaceTimeTests {
    /// p1 sends to p2, which sends to p3; p3 had an event of its own before.
    private static func run(label: String = "m") -> SpaceTimeRun {
        var recorder = SpaceTimeRecorder(title: "a <run>", processes: ["p1", "p2", "p3"])
        let first = recorder.note(
            0, .step, "p1 sends", sending: [.init(to: 1, .application, label)], state: "s")
        recorder.note(2, .step, "p3 does something")
        let second = recorder.note(
            1, .milestone, "p2 passes on", receiving: first[0], sending: [.init(to: 2, .marker, "n")],
            details: [SpaceTimeRun.Detail("held back", ["a", "b"])])
        recorder.note(2, .crash, "p3 receives and crashes", receiving: second[0])
        recorder.note(0, .step, "p1 sends into the void", sending: [.init(to: 2, .control, "lost")])
        recorder.cut("good", [1, 0, 1], note: "before all that follows")
        recorder.cut("bad", [0, 1, 2], note: "an effect without its cause")
        recorder.say("it is over")
        return recorder.run
    }

    @Test("vector timestamps count what happened before, and tell past, future and neither")
    func clocks() {
        let run = Self.run()
        #expect(run.events.map(\.clock) == [[1, 0, 0], [0, 0, 1], [1, 1, 0], [1, 1, 2], [2, 0, 0]])
        #expect(run.isBefore(0, 3) && run.isBefore(1, 3) && !run.isBefore(0, 1) && !run.isBefore(3, 4))
        #expect(run.messages.map(\.receivedBy) == [2, 3, nil])
    }

    @Test("a cut with an effect and without its cause is told to be inconsistent")
    func cuts() { #expect(Self.run().cuts.map(\.isConsistent) == [true, false]) }

    @Test("the transcript is a line for each event")
    func transcript() {
        #expect(
            Self.run().transcript == [
                "a <run>", "", "1  p1  p1 sends  [s]", "2  p3  p3 does something", "3  p2  p2 passes on",
                "4  p3  p3 receives and crashes", "5  p1  p1 sends into the void", "",
                "cut good: p1 after 1, p2 after 0, p3 after 1 event(s); consistent. before all that follows",
                "cut bad: p1 after 0, p2 after 1, p3 after 2 event(s); NOT consistent. an effect without its cause",
                "it is over",
            ])
    }

    @Test("the log for ShiViz is read by the expression that it begins with")
    func shiViz() throws {
        let text = Self.run().shiViz
        let end = try #require(text.range(of: "\n\n"))
        // Where JavaScript takes a brace for itself, Foundation wants it escaped.
        let pattern = text[..<end.lowerBound].replacing("{.*}", with: #"\{.*\}"#)
        let expression = try NSRegularExpression(pattern: String(pattern))
        let log = String(text[end.upperBound...])
        let found = expression.matches(in: log, range: NSRange(log.startIndex..., in: log))
        #expect(found.count == 5)
        let clock = try #require(Range(found[3].range(withName: "clock"), in: log))
        let read = try JSONSerialization.jsonObject(with: Data(log[clock].utf8)) as? [String: Int]
        #expect(read == ["p1": 1, "p2": 1, "p3": 2])
    }

    @Test("JSON can be read, and holds the run", arguments: ["m", "</script><b>\"\u{7}\\", "\u{2028}é日本"])
    func json(label: String) throws {
        let run = Self.run(label: label)
        #expect(!run.json.contains("<"), "it can stand in a page")
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(run.json.utf8)) as? [String: Any])
        let messages = try #require(object["messages"] as? [[String: Any]])
        #expect(messages.count == 3 && messages[0]["label"] as? String == label)
        #expect(messages[2]["receivedBy"] is NSNull)
        #expect((object["events"] as? [Any])?.count == 5 && (object["cuts"] as? [Any])?.count == 2)
    }

    @Test("picture and page hold no tags of the run's own, and the page asks for nothing")
    func escaping() {
        let run = Self.run(label: "</title><script>alert(1)</script>")
        for text in [run.svg, run.page] {
            #expect(!text.contains("alert(1)</script>") && !text.contains("<run>"))
        }
        #expect(run.svg.components(separatedBy: "<circle").count == 6)
        for word in ["http://", "https://", "src=", "@import", "url("] {
            let allowed = run.page.replacing("http://www.w3.org/2000/svg", with: "")
            #expect(!allowed.contains(word), "\(word)")
        }
    }

    @Test("control characters are no part of XML")
    func xml() { #expect(XMLText.escaped("a\u{1}\n<&\">") == "a\u{FFFD} &lt;&amp;&quot;&gt;") }
}
