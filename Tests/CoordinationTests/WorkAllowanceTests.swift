import Coordination
import Testing

@Suite("Work that is bounded") struct WorkAllowanceTests {
    private func filled(_ count: Int, value: String = "v") throws -> SpaceHarness {
        let harness = try SpaceHarness()
        for number in 0..<count { try harness.put("k\(1000 + number)", value) }
        return harness
    }

    private func isGivenUp(_ harness: SpaceHarness, units: Int, _ query: RangeQuery) throws -> Bool {
        do {
            _ = try harness.store.read {
                try KeyValueReader($0, within: WorkAllowance(units: units)).range(query)
            }
            return false
        } catch is WorkAllowance.Spent { return true }
    }

    @Test("a range that costs more than it may is given up, whatever it leaves out of its answer")
    func ranges() throws {
        let harness = try filled(100)
        var queries = [RangeQuery](repeating: RangeQuery(range: keys("k", "l")), count: 6)
        queries[1].countOnly = true
        queries[2].keysOnly = true
        queries[3].limit = 1
        queries[4].target = .modRevision
        queries[5].target = .value
        for query in queries {
            #expect(try isGivenUp(harness, units: 60, query), "\(query)")
            #expect(try !isGivenUp(harness, units: 120, query), "\(query)")
        }
    }

    @Test("deleted keys and large values count as well")
    func hiddenWork() throws {
        let harness = try filled(100)
        try harness.apply(.delete(DeleteOperation(range: keys("k", "l"))))
        #expect(try isGivenUp(harness, units: 60, RangeQuery(range: keys("k", "l"))))
        let large = try filled(10, value: String(repeating: "x", count: 20 << 10))
        #expect(try isGivenUp(large, units: 150, RangeQuery(range: keys("k", "l"))))
        #expect(try !isGivenUp(large, units: 250, RangeQuery(range: keys("k", "l"))))
    }

    @Test("a compare over a range counts")
    func compares() throws {
        let harness = try filled(100)
        var transaction = KeyValueTransaction()
        transaction.compares = [
            Compare(range: keys("k", "l"), relation: .greater, operand: .version(0))
        ]
        #expect(throws: WorkAllowance.Spent.self) {
            try harness.store.read {
                try KeyValueReader($0, within: WorkAllowance(units: 60)).readOnly(transaction)
            }
        }
    }

    @Test(
        "a command that is given up leaves nothing, and has its effect when it is applied anew",
        arguments: [false, true])
    func commands(inTransaction: Bool) throws {
        let harness = try filled(100)
        let delete = DeleteOperation(range: keys("k", "l"))
        var transaction = KeyValueTransaction()
        transaction.success = [.delete(delete)]
        let command = inTransaction ? KeyValueCommand.transaction(transaction) : .delete(delete)
        var ledger = harness.ledger
        var consequences = Consequences()
        #expect(throws: WorkAllowance.Spent.self) {
            try harness.store.write {
                try ledger.apply(
                    command.command, in: $0, into: &consequences, within: WorkAllowance(units: 500))
            }
        }
        #expect(try harness.range(RangeQuery(range: keys("k", "l"))).count == 100)
        try harness.apply(command)
        #expect(harness.events.count == 100)
        #expect(try harness.range(RangeQuery(range: keys("k", "l"))).count == 0)
    }
}
