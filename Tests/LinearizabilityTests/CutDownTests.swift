import Testing

@testable import Linearizability

@Suite("Cutting down") struct CutDownTests {
    private func verdict(_ text: String, _ model: ObjectModel) throws -> HistoryVerdict {
        try model.check(
            HistoryReader(hasKeys: model.hasKeys).read(text), limits: HistoryLimits(cutDownTime: .seconds(60))
        )
    }

    @Test("a stale read is left with the two writes that make it stale")
    func staleRead() throws {
        let verdict = try verdict(
            """
            0 invoke write 1
            1 invoke read
            0 ok write 1
            1 ok read 1
            0 invoke write 2
            0 ok write 2
            1 invoke read
            1 ok read 2
            2 invoke write 7
            2 ok write 7
            0 invoke read
            0 ok read 7
            1 invoke write 3
            1 ok write 3
            2 invoke read
            2 ok read 1
            1 invoke read
            1 ok read 3
            """, .register)
        let part = try #require(verdict.clearestViolation)
        #expect(part.explainedEvents == 15)
        #expect(part.cutDown.map(\.text) == ["write 1", "write 3", "read -> 1"])
    }

    @Test("of a queue, only the values that came out in the wrong order are left")
    func queue() throws {
        var text = ""
        for value in 0..<20 { text += "0 invoke enqueue \(value)\n0 ok enqueue \(value)\n" }
        for value in [0, 1, 2, 4, 3, 5] { text += "1 invoke dequeue\n1 ok dequeue \(value)\n" }
        let part = try #require(try verdict(text, .queue).clearestViolation)
        #expect(part.cutDown.map(\.text) == ["enqueue 3", "enqueue 4", "dequeue -> 4"])
    }

    @Test("what is cut down has no explanation either, and nothing more can be left out")
    func soundAndSmall() throws {
        let text = """
            0 invoke cas [1 2]
            1 invoke write 1
            1 ok write 1
            0 ok cas [1 2]
            2 invoke read
            2 ok read 2
            1 invoke write 5
            1 info write
            2 invoke read
            2 ok read 1
            """
        let part = try #require(try verdict(text, .compareAndSetRegister).clearestViolation)
        let operations = try part.cutDown.map(Register.operation)
        guard case .violated = LinearizabilitySearch<Register>().run(operations) else {
            Issue.record("\(part.cutDown.map(\.text)) has an explanation")
            return
        }
        #expect(part.cutDown.map(\.text) == ["cas [1 2]", "write 1", "read -> 1"])
    }

    @Test("a limit on configurations ends a search without a verdict")
    func bound() throws {
        var text = ""
        for process in 0..<6 { text += "\(process) invoke enqueue \(process)\n" }
        for process in 0..<6 { text += "\(process) ok enqueue \(process)\n" }
        text += "0 invoke dequeue\n0 ok dequeue 99\n"
        let history = try HistoryReader(hasKeys: false).read(text)
        #expect(try ObjectModel.queue.check(history).outcome == .violated)
        let limits = HistoryLimits(configurations: 100)
        #expect(try ObjectModel.queue.check(history, limits: limits).outcome == .boundReached)
    }

    @Test("where the time is over, what is shown has no explanation all the same")
    func noTime() throws {
        var text = ""
        for value in 0..<20 { text += "0 invoke enqueue \(value)\n0 ok enqueue \(value)\n" }
        for value in [0, 1, 2, 4, 3, 5] { text += "1 invoke dequeue\n1 ok dequeue \(value)\n" }
        let history = try HistoryReader(hasKeys: false).read(text)
        let verdict = try ObjectModel.queue.check(history, limits: HistoryLimits(cutDownTime: .zero))
        let part = try #require(verdict.clearestViolation)
        #expect(part.cutDown.count > 3)
        let operations = try part.cutDown.map(Queue.operation)
        guard case .violated = LinearizabilitySearch<Queue>().run(operations) else {
            Issue.record("\(part.cutDown.map(\.text)) has an explanation")
            return
        }
    }

    @Test("the verdict is told before the time begins that is spent on showing why")
    func verdictFirst() throws {
        let history = try HistoryReader(hasKeys: false).read(
            "0 invoke write 1\n0 ok write 1\n0 invoke write 2\n0 ok write 2\n0 invoke read\n0 ok read 1\n")
        var told: [HistoryVerdict] = []
        let verdict = try ObjectModel.register.check(history) { told.append($0) }
        #expect(told.map(\.outcome) == [.violated] && told[0].parts[0].cutDown.isEmpty)
        #expect(verdict.parts[0].cutDown.count == 3)
    }

    @Test("the first key that is refuted ends the search, whatever another would take")
    func sideBySide() throws {
        // All sets of the appends of key "a" are to be tried in vain: what the answer begins with is still to be put.
        var text = ""
        for process in 0..<20 { text += "\(process) invoke append a \(process)\n" }
        text += "20 invoke put a x\n21 invoke get a\n21 ok get a x-\n"
        text += "22 invoke get b\n22 ok get b 1\n"
        let history = try HistoryReader(hasKeys: true).read(text)
        let verdict = try ObjectModel.keyValue.check(
            history, limits: HistoryLimits(configurations: 1_000_000, cutDownTime: .zero))
        #expect(verdict.outcome == .violated)
        #expect(verdict.parts.map(\.outcome) == [.undecided, .violated])
    }
}
