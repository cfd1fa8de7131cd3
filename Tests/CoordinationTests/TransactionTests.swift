import Coordination
import Testing

@Suite("Transactions") struct TransactionTests {
    private typealias Operation = KeyValueTransaction.Operation

    private func put(_ key: String, _ value: String = "x") -> Operation {
        .put(PutOperation(key: bytes(key), value: bytes(value)))
    }
    private func delete(_ key: String, _ end: String? = nil) -> Operation {
        .delete(DeleteOperation(range: keys(key, end)))
    }
    private func read(_ key: String, _ end: String? = nil, at revision: Int64 = 0) -> Operation {
        var query = RangeQuery(range: keys(key, end))
        query.revision = revision
        return .range(query)
    }
    private func nested(_ operations: Operation..., otherwise: [Operation] = []) -> Operation {
        var transaction = KeyValueTransaction()
        transaction.success = operations
        transaction.failure = otherwise
        return .transaction(transaction)
    }
    private func transaction(_ compares: [Compare] = [], _ success: Operation..., otherwise: [Operation] = [])
        -> KeyValueTransaction
    {
        var transaction = KeyValueTransaction()
        transaction.compares = compares
        transaction.success = success
        transaction.failure = otherwise
        return transaction
    }
    private func run(_ harness: SpaceHarness, _ transaction: KeyValueTransaction) throws -> KeyValueOutcome {
        try harness.apply(.transaction(transaction))
    }

    /// `put@3`, `deleted 2@3`, `a=1@2 b=x@3 @3`, and in brackets what a nested transaction did.
    private func describe(_ outcome: KeyValueTransactionOutcome) -> [String] {
        outcome.answers.map { answer in
            switch answer {
            case .put(_, let revision): "put@\(revision)"
            case .deleted(let count, _, let revision): "deleted \(count)@\(revision)"
            case .range(let result):
                (result.keyValues.map(text) + ["@\(result.revision)"]).joined(separator: " ")
            case .transaction(let nested, _): "[\(describe(nested).joined(separator: ", "))]"
            }
        }
    }

    @Test("operations see those before them, at one revision, which the events share")
    func ownWrites() throws {
        let harness = try SpaceHarness()
        try harness.put("a", "1")
        let outcome = try run(
            harness,
            transaction(
                [], read("a", ""), delete("none"), put("b"), read("a", ""), delete("a"),
                nested(read("a", ""), put("c")),
                read("a", "", at: 2)))
        guard case .transaction(let answers, 3) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(
            describe(answers) == [
                "a=1@2 @2", "deleted 0@2", "put@3", "a=1@2 b=x@3 @3", "deleted 1@3", "[b=x@3 @3, put@3]",
                "a=1@2 @3",
            ])
        #expect(harness.events.map { text($0.keyValue) } == ["b=x@3", "a=@3", "c=x@3"])
        #expect(harness.ledger.revision == 3)
    }

    @Test("a transaction that changes nothing takes no revision")
    func readOnly() throws {
        let harness = try SpaceHarness()
        try harness.put("a", "1")
        let reads = transaction([], read("a"), delete("b"))
        #expect(
            try run(harness, reads)
                == .transaction(
                    .init(
                        succeeded: true,
                        answers: [
                            .range(harness.range(RangeQuery(range: keys("a")))),
                            .deleted(count: 0, previous: [], revision: 2),
                        ]), revision: 2))
        let only = transaction([], read("a"), nested(read("b"), otherwise: [read("c")]))
        #expect(only.isReadOnly && !reads.isReadOnly)
        #expect(try .transaction(harness.read { try $0.readOnly(only) }, revision: 2) == run(harness, only))
        #expect(throws: KeyValueRefusal.unknownCommand) { try harness.read { try $0.readOnly(reads) } }
    }

    @Test("compares, of any nested transaction too, look at the state before the first operation")
    func comparesFirst() throws {
        let harness = try SpaceHarness()
        var inner = KeyValueTransaction()
        inner.compares = [Compare(range: keys("a"), relation: .equal, operand: .version(0))]
        inner.success = [put("was-absent")]
        inner.failure = [put("was-present")]
        _ = try run(harness, transaction([], put("a"), .transaction(inner)))
        #expect(try harness.list("a", "") == ["a=x@2", "was-absent=x@2"])
    }

    @Test(
        "each relation and target compares as etcd does, also over ranges and with what is not there",
        arguments: [
            ("none", nil, .equal, .version(0), true), ("none", nil, .equal, .value([]), false),
            ("none", nil, .notEqual, .value([1]), false), ("none", nil, .less, .createRevision(1), true),
            ("none", "nonf", .equal, .modRevision(0), true), ("none", "nonf", .notEqual, .value([1]), false),
            ("none", nil, .equal, .lease(0), true), ("a", nil, .equal, .value([49]), true),
            ("a", nil, .greater, .value([48, 255]), true), ("a", nil, .less, .value([49, 0]), true),
            ("a", nil, .equal, .modRevision(3), true), ("a", nil, .greater, .modRevision(3), false),
            ("a", nil, .equal, .createRevision(3), true), ("a", nil, .notEqual, .version(1), false),
            ("b", nil, .equal, .lease(7), true), ("a", "", .greater, .version(0), true),
            ("a", "", .equal, .lease(0), false), ("a", "c", .less, .modRevision(4), false),
            ("a", "b", .less, .modRevision(4), true), ("a", "c", .greater, .value([48]), true),
        ] as [(String, String?, Compare.Relation, Compare.Operand, Bool)])
    func compares(
        _ key: String, _ end: String?, _ relation: Compare.Relation, _ operand: Compare.Operand, _ holds: Bool
    ) throws {
        let harness = try SpaceHarness()
        try harness.apply(.grantLease(LeaseID(7), seconds: 10))
        try harness.put("0")
        try harness.put("a", "1")
        try harness.put("b", "2", lease: 7)
        let compare = Compare(range: keys(key, end), relation: relation, operand: operand)
        let outcome = try run(harness, transaction([compare]))
        #expect(outcome == .transaction(.init(succeeded: holds, answers: []), revision: 4))
    }

    @Test("all compares must hold, and the other branch runs when one does not")
    func branches() throws {
        let harness = try SpaceHarness()
        try harness.put("a", "1")
        let holds = Compare(range: keys("a"), relation: .equal, operand: .version(1))
        let fails = Compare(range: keys("a"), relation: .equal, operand: .version(2))
        _ = try run(harness, transaction([holds, fails], put("then"), otherwise: [put("else")]))
        _ = try run(harness, transaction([holds, holds], put("then2"), otherwise: [put("else2")]))
        #expect(try harness.list("b", "") == ["else=x@3", "then2=x@4"])
    }

    @Test("what would be refused is found before anything is written: puts first, then ranges")
    func checkedBefore() throws {
        let harness = try SpaceHarness()
        try harness.put("a", "1")
        var ignoring = PutOperation(key: bytes("none"), value: [])
        ignoring.ignoreValue = true
        var leased = PutOperation(key: bytes("b"), value: [])
        leased.lease = 77
        let dump = try harness.dump()
        #expect(
            try run(harness, transaction([], put("b"), read("a", at: 9), .put(ignoring)))
                == .refused(.keyNotFound, revision: 2))
        #expect(
            try run(harness, transaction([], read("a", at: 9), nested(.put(leased))))
                == .refused(.leaseNotFound, revision: 2))
        #expect(
            try run(harness, transaction([], put("b"), nested(read("a", at: 3))))
                == .refused(.futureRevision, revision: 2))
        #expect(
            try run(harness, transaction([], put("b"), read("a", at: -2)))
                == .refused(.compacted, revision: 2))
        #expect(try harness.dump() == dump && harness.events.isEmpty)
        try harness.apply(.compact(revision: 2))
        #expect(
            try run(harness, transaction([], put("b"), read("a", at: 1))) == .refused(.compacted, revision: 2)
        )
        #expect(
            try run(harness, transaction([], put("b"), otherwise: [read("a", at: 1), .put(leased)]))
                != .refused(.compacted, revision: 2), "the branch that is not taken is not looked at")
    }

    @Test("a key put twice, or put and deleted, is refused at any nesting, except where etcd lets it pass")
    func duplicates() throws {
        func refusal(_ operations: Operation...) -> KeyValueRefusal? {
            var transaction = KeyValueTransaction()
            transaction.success = operations
            var other = KeyValueTransaction()
            other.failure = operations
            #expect(transaction.refusal(maximumOperations: 128) == other.refusal(maximumOperations: 128))
            return transaction.refusal(maximumOperations: 128)
        }
        #expect(refusal(put("a"), put("a")) == .duplicateKey)
        #expect(refusal(put("a"), put("b")) == nil)
        #expect(refusal(put("a"), delete("a")) == .duplicateKey)
        #expect(refusal(delete("a", "c"), put("b")) == .duplicateKey)
        #expect(refusal(delete("a", "b"), put("b")) == nil)
        #expect(refusal(delete("a"), delete("a", "b")) == nil)
        #expect(refusal(nested(put("a")), put("a")) == .duplicateKey)
        #expect(refusal(nested(put("a")), nested(put("a"))) == .duplicateKey)
        #expect(refusal(nested(put("a")), nested(read("b"), otherwise: [put("a")])) == .duplicateKey)
        #expect(refusal(nested(put("a"), otherwise: [put("a")])) == nil)
        #expect(refusal(nested(put("a"), otherwise: [put("a")]), put("a")) == .duplicateKey)
        #expect(refusal(nested(nested(put("a"))), delete("a")) == .duplicateKey)
        #expect(refusal(nested(delete("p")), nested(put("p"))) == .duplicateKey)
        #expect(refusal(nested(put("p")), nested(delete("p"))) == nil)
        #expect(refusal(put("p"), nested(delete("p"))) == .duplicateKey)
        #expect(refusal(delete("a", ""), put("b")) == nil)
    }

    @Test("a key that is put and deleted in one revision keeps both events, and compaction at it too")
    func putAndDeletedTogether() throws {
        let harness = try SpaceHarness()
        _ = try run(harness, transaction([], nested(put("p")), nested(delete("p"))))
        #expect(
            harness.events.map { [$0.kind == .put ? "put" : "delete", text($0.keyValue)] } == [
                ["put", "p=x@2"], ["delete", "p=@2"],
            ])
        #expect(try harness.list("p") == [])
        try harness.apply(.compact(revision: 2))
        try harness.removeAllCompacted()
        #expect(try harness.storedVersions() == 2)
        try harness.put("q")
        try harness.apply(.compact(revision: 3))
        try harness.removeAllCompacted()
        #expect(try harness.storedVersions() == 1)
        _ = try run(harness, transaction([], delete("a", ""), put("q", "y")))
        #expect(
            try harness.range(RangeQuery(range: keys("q"))).keyValues == [
                KeyValue(key: bytes("q"), value: bytes("y"), createRevision: 4, modRevision: 4, version: 1)
            ])
    }

    @Test("a put that ignores the value of a key deleted just before takes it as empty")
    func ignoringDeleted() throws {
        let harness = try SpaceHarness()
        try harness.put("a", "1")
        var ignoring = PutOperation(key: bytes("a"), value: [])
        ignoring.ignoreValue = true
        _ = try run(harness, transaction([], delete("a", ""), .put(ignoring)))
        #expect(try harness.list("a") == ["a=@3"])
    }

    @Test("the longest list counts against the operations allowed, and nested ones have the rest")
    func operationBudget() {
        func refusal(_ transaction: KeyValueTransaction, _ maximum: Int) -> KeyValueRefusal? {
            transaction.refusal(maximumOperations: maximum)
        }
        let three = transaction([], read("a"), read("b"), read("c"))
        #expect(refusal(three, 3) == nil && refusal(three, 2) == .tooManyOperations)
        let compare = Compare(range: keys("a"), relation: .equal, operand: .version(0))
        #expect(refusal(transaction([compare, compare], otherwise: [read("a")]), 1) == .tooManyOperations)
        let nesting = transaction([], nested(read("a"), read("b")), read("c"))
        #expect(refusal(nesting, 4) == nil && refusal(nesting, 3) == .tooManyOperations)
        var deep = transaction([])
        for _ in 1..<KeyValueTransaction.maximumDepth { deep = transaction([], .transaction(deep)) }
        #expect(refusal(deep, .max) == nil)
        #expect(refusal(transaction([], .transaction(deep)), .max) == .tooManyOperations)
    }

    @Test("operations are checked one by one before duplicates are looked for")
    func operationRefusals() {
        var ignoring = PutOperation(key: bytes("a"), value: bytes("1"))
        ignoring.ignoreValue = true
        #expect(
            transaction([], put("a"), put("a"), .put(ignoring)).refusal(maximumOperations: 9)
                == .valueProvided)
        #expect(transaction([], nested(read(""))).refusal(maximumOperations: 9) == .emptyKey)
        #expect(transaction([], otherwise: [delete("", "z")]).refusal(maximumOperations: 9) == .emptyKey)
        let compare = Compare(range: keys(""), relation: .equal, operand: .version(0))
        #expect(transaction([compare], read("a")).refusal(maximumOperations: 9) == .emptyKey)
        #expect(transaction([]).refusal(maximumOperations: 9) == nil)
    }
}
