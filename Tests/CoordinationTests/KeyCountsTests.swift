import Testing

@testable import Coordination

/// A seeded source of random numbers (SplitMix64), so that a failure comes again.
private struct Draws {
    var state: UInt64

    mutating func below(_ bound: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return Int((mixed ^ (mixed >> 31)) % UInt64(bound))
    }
}

@Suite("How many keys are in a range") struct KeyCountsTests {
    private func key(_ number: Int) -> String {
        let digits = String(number)
        return "k" + String(repeating: "0", count: 6 - digits.count) + digits
    }

    private func rows(_ harness: SpaceHarness) throws -> [Int64] {
        try harness.store.read { reader in
            var counts: [Int64] = []
            try KeyCounts.table.visit(in: reader) { _, value in
                counts.append(value.bigEndian(Int64.self, at: 0))
                return true
            }
            return counts
        }
    }

    private func walk(_ range: KeyRange, _ harness: SpaceHarness) throws -> Int64 {
        try harness.store.read { reader in
            var walk = try VersionWalk(over: range, at: .max, in: reader)
            var count: Int64 = 0
            while try walk.next() != nil { count += 1 }
            return count
        }
    }

    private func count(_ range: KeyRange, _ harness: SpaceHarness, limit: Int64 = 0) throws -> RangeResult {
        var query = RangeQuery(range: range)
        query.countOnly = limit == 0
        query.limit = limit
        return try harness.range(query)
    }

    @Test("counts of any range are what a walk finds, while keys come and go", arguments: UInt64(1)...3)
    func random(seed: UInt64) throws {
        var draws = Draws(state: seed)
        let harness = try SpaceHarness()
        var stretches = 0
        for _ in 0..<12 {
            let first = draws.below(3_000)
            let isAscending = draws.below(2) == 0
            for step in 0..<300 {
                try harness.put(key(isAscending ? first + step : draws.below(3_000)))
            }
            if draws.below(3) == 0 {
                let from = draws.below(3_000)
                try harness.delete(key(from), key(from + draws.below(900)))
            }
            stretches = max(stretches, try rows(harness).count)
            for _ in 0..<6 {
                let from = draws.below(3_000)
                let ranges = [
                    keys(key(from), key(from + draws.below(3_000))), keys(key(from), ""), keys("", ""),
                    KeyRange(key: [], end: bytes(key(from))),
                ]
                for range in ranges {
                    let expected = try walk(range, harness)
                    #expect(try count(range, harness).count == expected)
                    let limit = Int64(1 + draws.below(300))
                    let page = try count(range, harness, limit: limit)
                    #expect(page.count == expected && page.more == (expected > limit))
                    #expect(page.keyValues.count == Int(min(limit, expected)))
                }
            }
        }
        #expect(stretches >= 2)
        let counts = try rows(harness)
        #expect(counts.allSatisfy { $0 <= KeyCounts.most })
        try harness.delete("\0", "")
        #expect(try rows(harness) == [0])
        #expect(try count(keys("", ""), harness).count == 0)
    }

    @Test("a transaction counts what it has written itself, and a refused one leaves no trace")
    func transactions() throws {
        let harness = try SpaceHarness()
        for number in 0..<1_500 { try harness.put(key(number)) }
        var all = RangeQuery(range: keys("k", ""))
        all.countOnly = true
        var transaction = KeyValueTransaction()
        transaction.success = [
            .put(PutOperation(key: bytes("new"), value: [])),
            .delete(DeleteOperation(range: keys(key(0), key(1_000)))), .range(all),
        ]
        let outcome = try harness.apply(.transaction(transaction))
        guard case .transaction(let done, _) = outcome, case .range(let result)? = done.answers.last else {
            Issue.record("\(outcome)")
            return
        }
        #expect(result.count == 501)
        let before = try harness.dump()
        var put = PutOperation(key: bytes("other"), value: [])
        put.lease = 77
        try harness.apply(.put(put))
        #expect(try harness.dump() == before)
    }

    @Test("a count and a page of very many keys cost little")
    func cost() throws {
        let harness = try SpaceHarness()
        for number in 0..<6_000 { try harness.put(key(number)) }
        try harness.store.read { reader in
            let reader = KeyValueReader(reader, within: WorkAllowance(units: 2_000))
            var query = RangeQuery(range: keys("k", "l"))
            query.countOnly = true
            let all = try reader.range(query)
            #expect(all.count == 6_000)
        }
        try harness.store.read { reader in
            let reader = KeyValueReader(reader, within: WorkAllowance(units: 3_000))
            var query = RangeQuery(range: keys(key(3_000), "l"))
            query.limit = 500
            let page = try reader.plan(query)
            #expect(page.total == 3_000 && page.count == 500 && page.more)
        }
    }

    @Test("a store that was written without counts gets them with the next batch, and is right before")
    func upgrade() throws {
        let harness = try SpaceHarness()
        for number in 0..<2_500 { try harness.put(key(number)) }
        // A program that keeps no counts goes on with the store.
        try harness.store.write { transaction in
            try AppliedState.setSlot(7, in: transaction)
            for start in [[UInt8](), bytes(key(900)), bytes("kx")] {
                try KeyCounts.table.put([0, 0, 0, 0, 0, 0, 0, 9], for: start, in: transaction)
            }
            try transaction.put([0, 0, 0, 0, 0, 0, 0, 8], for: MetaKey.appliedSlot.bytes, in: .meta)
        }
        // Nor does it help that a slot is set, as where a store is restored.
        try harness.store.write { try AppliedState.setSlot(9, in: $0) }
        let wereKept = try harness.store.read { try KeyCounts.areKept(in: $0) }
        #expect(!wereKept)
        #expect(try count(keys("", ""), harness).count == 2_500)
        var ledger = try harness.store.read { try Ledger(from: $0) }
        try harness.store.write { transaction in
            var turn = Turn(in: transaction)
            try ledger.settle(in: &turn)
            try AppliedState.setSlot(10, in: transaction)
        }
        let areKept = try harness.store.read { try KeyCounts.areKept(in: $0) }
        #expect(areKept)
        #expect(try rows(harness).reduce(0, +) == 2_500)
        let later = try SpaceHarness(store: harness.store)
        try later.delete(key(100), key(2_000))
        try later.put("another")
        #expect(try count(keys("", ""), later).count == 601)
        #expect(try count(keys("k", "l"), later).count == 600)
    }
}
