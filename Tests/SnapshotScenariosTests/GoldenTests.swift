import Foundation
import SnapshotScenarios
import Testing

@Suite("Golden runs of COS 418") struct GoldenTests {
    /// A `.snap` file: the number, the tokens of each server, and for each destination its messages in order.
    struct Snap: Equatable {
        let number: String
        var tokens: [String: Int] = [:]
        var messages: [String: [String]] = [:]

        init(_ text: String) throws {
            let lines = text.split(whereSeparator: \.isNewline).map {
                $0.split(separator: " ").map(String.init)
            }
            number = try #require(lines.first?.first)
            for words in lines.dropFirst() {
                if words.count == 2 { tokens[words[0]] = Int(words[1]) }
                if words.count == 3 { messages[words[1], default: []].append(words[0] + " " + words[2]) }
            }
        }

        /// On servers and in messages.
        var total: Int {
            let passing = messages.values.joined().map { message in
                Int(message.drop { $0 != "(" }.filter(\.isNumber)) ?? 0
            }
            return tokens.values.reduce(0, +) + passing.reduce(0, +)
        }
    }

    static func check(_ golden: GoldenCase, delays: String) throws {
        let snapshots = try COS418.run(topology: golden.topology, events: golden.events, delays: delays)
        #expect(snapshots.count == golden.snapshots.count, "\(golden.name)")
        let expected = try golden.snapshots.map(Snap.init).sorted { $0.number < $1.number }
        let actual = try snapshots.map(Snap.init).sorted { $0.number < $1.number }
        #expect(actual == expected, "\(golden.name): \(snapshots)")
    }

    @Test("every golden run beside the tree gives its snapshots")
    func shared() throws {
        guard let folder = SharedData.shared else {
            print("skipped: no golden runs beside the tree; name their folder by SYNOD_SHARED_DATA")
            return
        }
        let delays = try SharedData.text("delays.txt", in: folder)
        for golden in try SharedData.cases(in: folder) {
            try Self.check(golden, delays: delays)
            print("\(golden.name): \(golden.snapshots.count) snapshots as they should be")
        }
    }

    @Test("the golden runs of the tree, worked out by hand, give their snapshots word for word")
    func own() throws {
        let cases = try SharedData.cases(in: SharedData.tree)
        #expect(cases.count == 2)
        for golden in cases {
            let delays = try SharedData.text("delays.txt", in: SharedData.tree)
            let snapshots = try COS418.run(topology: golden.topology, events: golden.events, delays: delays)
            #expect(snapshots == golden.snapshots)
        }
    }

    @Test("whatever is drawn, no snapshot of a run gains or loses a token")
    func conserved() throws {
        for golden in try SharedData.cases(in: SharedData.tree) {
            for delays in ["4", "0 4", "3 0 1", "1 2 3 4 0 0"] {
                let snapshots = try COS418.run(
                    topology: golden.topology, events: golden.events, delays: delays)
                for snapshot in snapshots {
                    #expect(try Snap(snapshot).total == (golden.name.hasPrefix("2") ? 6 : 9))
                }
            }
        }
    }

    @Test(
        "runs that are drawn give the snapshots of a second, naive carrying out, and conserve the tokens",
        arguments: [2, 5, 8, 10])
    func drawn(servers: Int) throws {
        var (snapshots, passing) = (0, 0)
        for seed in 1...12 as ClosedRange<UInt64> {
            var drawn = DrawnCOS418(seed: seed, servers: servers)
            let actual = try COS418.run(
                topology: drawn.topology, events: drawn.events, delays: drawn.delays)
            let expected = drawn.naive.finish()
            let files = "seed \(seed)\n\(drawn.topology)\n\(drawn.events)"
            #expect(try actual.map(Snap.init) == expected.map(Snap.init), "\(files)")
            for text in actual {
                let snap = try Snap(text)
                #expect(snap.total == drawn.total, "\(files)")
                passing += snap.messages.count
            }
            snapshots += actual.count
        }
        #expect(snapshots > 20 && passing > 10, "runs in which nothing happens would prove nothing")
    }

    @Test("the command prints every snapshot, or one, and says what is wrong with its files")
    func command() throws {
        let golden = try #require(try SharedData.cases(in: SharedData.tree).first { $0.snapshots.count == 2 })
        let folder = SharedData.tree
        let files = [
            "--topology", folder.appending(path: "2servers.top").path,
            "--events", folder.appending(path: "2servers-concurrent.events").path,
            "--delays=" + folder.appending(path: "delays.txt").path,
        ]
        func run(_ arguments: [String]) -> (code: Int32, text: String) {
            var lines: [String] = []
            let code = Cos418Program { lines.append($0) }.run(arguments)
            return (code, lines.joined(separator: "\n") + "\n")
        }
        #expect(run(files) == (0, golden.snapshots.joined(separator: "\n")))
        #expect(run(files + ["--snapshot", "1"]) == (0, golden.snapshots[1]))
        #expect(run(files + ["--snapshot", "2"]).code == 1)
        #expect(run(Array(files.dropFirst(2))).code == 2)
        #expect(run(files + ["--speed", "3"]).code == 2)
        #expect(run(["--topology", "no such file"] + files.dropFirst(2)).code == 1)
        #expect(run(["--help"]).code == 0)
    }

    @Test("a file that cannot be carried out is refused with the line at fault")
    func faults() {
        let top = "2\nA 1\nB 0\nA B\n"
        let faults: [(String, String, String, String)] = [
            (top, "send A B 2", "0", "events line 1: A has 1 tokens and cannot send 2"),
            (top, "\nsend B A 0", "0", "events line 2: there is no link from B to A"),
            (top, "snapshot C", "0", "events line 1: there is no server C"),
            (top, "tock", "0", "events line 1: write send A B n, snapshot A or tick [n]"),
            (top, "tick", "", "delays: there are none"),
            ("2\nA 1\n", "tick", "0", "topology: the first line says how many servers follow"),
        ]
        for (topology, events, delays, message) in faults {
            #expect(throws: COS418.Fault(message: message)) {
                try COS418.run(topology: topology, events: events, delays: delays)
            }
        }
        #expect(throws: COS418.Fault.self) {
            try COS418.run(topology: top, events: "snapshot B", delays: "0")
        }
    }
}
