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
}
