import Testing

@testable import Linearizability

/// Large histories of an object that works, drawn from a seed, and the same with one answer made wrong.
private struct HistoryMaker {
    struct Shape {
        var clients: Int
        var keys: Int
        var operations: Int
        /// Of a hundred: puts, appends; the others are gets.
        var puts: Int
        var appends: Int
        /// Of a hundred operations so many have no known end.
        var unknown = 0
    }

    private var state: UInt64
    private let shape: Shape

    init(seed: UInt64, _ shape: Shape) {
        state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
        self.shape = shape
    }

    private mutating func below(_ bound: Int) -> Int {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return Int(state % UInt64(bound))
    }

    /// Each operation takes effect at a moment between its beginning and its end.
    mutating func events() -> [HistoryEvent] {
        struct Pending {
            var event: HistoryEvent
            var hasHappened = false
            var answer: String?
        }
        var events: [HistoryEvent] = []
        var values: [String: String] = [:]
        var pending: [Int: Pending] = [:]
        var begun = 0
        var process = Array(0..<shape.clients)
        while begun < shape.operations || !pending.isEmpty {
            let client = below(shape.clients)
            guard var its = pending[client] else {
                guard begun < shape.operations else { continue }
                let choice = below(100)
                let function =
                    choice < shape.puts ? "put" : choice < shape.puts + shape.appends ? "append" : "get"
                let event = HistoryEvent(
                    process: process[client], kind: .invoke, function: function, key: "\(below(shape.keys))",
                    value: function == "get" ? nil : "<\(client) \(begun)>")
                begun += 1
                events.append(event)
                pending[client] = Pending(event: event)
                continue
            }
            let key = its.event.key ?? ""
            if !its.hasHappened {
                switch its.event.function {
                case "put": values[key] = its.event.value
                case "append": values[key, default: ""] += its.event.value ?? ""
                default: its.answer = values[key] ?? ""
                }
                its.hasHappened = true
                pending[client] = its
            } else {
                var end = its.event
                end.kind = .ok
                if its.event.function == "get" { end.value = its.answer }
                if below(100) < shape.unknown {
                    end.kind = .info
                    process[client] += shape.clients
                }
                events.append(end)
                pending[client] = nil
            }
        }
        return events
    }

    /// With one answer of a get replaced by one that it cannot have given.
    mutating func wrong(_ events: [HistoryEvent]) -> [HistoryEvent] {
        var events = events
        let gets = events.indices.filter {
            events[$0].kind == .ok && events[$0].function == "get" && events[$0].value?.contains("><") == true
        }
        let place = gets[below(gets.count)]
        let parts = (events[place].value ?? "").split(separator: ">").map { $0 + ">" }
        switch below(4) {
        case 0: events[place].value = parts.reversed().joined()
        case 1: events[place].value = (parts + [parts[0]]).joined()
        case 2: events[place].value = parts.joined() + "<never written>"
        default: events[place].value = (["<never written>"] + parts.dropFirst()).joined()
        }
        return events
    }
}

@Suite("Large histories") struct LargeHistoryTests {
    /// So many configurations are enough for each of these: a search that tries orders in vain needs more.
    private static let limits = HistoryLimits(configurations: 40_000, cutDownTime: .zero)

    private static let shapes = [
        HistoryMaker.Shape(clients: 50, keys: 10, operations: 2000, puts: 5, appends: 50),
        HistoryMaker.Shape(clients: 50, keys: 10, operations: 2000, puts: 20, appends: 30),
        HistoryMaker.Shape(clients: 20, keys: 1, operations: 600, puts: 3, appends: 47),
        HistoryMaker.Shape(clients: 50, keys: 10, operations: 2000, puts: 5, appends: 50, unknown: 1),
        HistoryMaker.Shape(clients: 5, keys: 40, operations: 10_000, puts: 30, appends: 5),
    ]

    @Test("right ones are found right and wrong ones wrong, with little work", arguments: shapes.indices)
    func verdicts(shape: Int) throws {
        for seed in UInt64(1)...6 {
            var maker = HistoryMaker(seed: seed, Self.shapes[shape])
            let right = maker.events()
            #expect(
                try ObjectModel.keyValue.check(History(right), limits: Self.limits).outcome == .linearizable,
                "seed \(seed)")
            for _ in 0..<3 {
                let wrong = try History(maker.wrong(right))
                let verdict = try ObjectModel.keyValue.check(wrong, limits: Self.limits)
                #expect(verdict.outcome == .violated, "seed \(seed)")
            }
        }
    }

    @Test("how far a wrong history can be explained is found too, up to the wrong answer or beyond")
    func prefix() throws {
        var maker = HistoryMaker(seed: 9, Self.shapes[0])
        let right = maker.events()
        let wrong = maker.wrong(right)
        let place = try #require(right.indices.first { right[$0] != wrong[$0] })
        let verdict = try ObjectModel.keyValue.check(
            History(wrong), limits: HistoryLimits(configurations: 40_000, cutDownTime: .seconds(120)))
        let part = try #require(verdict.clearestViolation)
        #expect(part.isLongestExplained && part.explainedEvents == place)
    }

    @Test("one register of many operations takes time in proportion")
    func long() throws {
        var maker = HistoryMaker(
            seed: 4, HistoryMaker.Shape(clients: 6, keys: 1, operations: 20_000, puts: 40, appends: 0))
        let history = try History(maker.events())
        let verdict = try ObjectModel.keyValue.check(
            history, limits: HistoryLimits(configurations: 400_000, cutDownTime: .zero))
        #expect(verdict.outcome == .linearizable)
    }
}
