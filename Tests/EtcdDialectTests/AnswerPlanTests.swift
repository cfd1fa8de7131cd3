import Coordination
import Testing

@testable import EtcdDialect

@Suite("Answers from where their values lie") struct AnswerPlanTests {
    private func store() throws -> MemoryStore {
        let store = MemoryStore()
        var ledger = try store.read { try Ledger(from: $0) }
        var consequences = Consequences()
        for number in 0..<300 {
            var put = PutOperation(key: Array("k\(number % 200)".utf8), value: [])
            put.value = [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: number * number % 5000)
            try store.write {
                _ = try ledger.apply(KeyValueCommand.put(put).command, in: $0, into: &consequences)
            }
        }
        return store
    }

    private var queries: [RangeQuery] {
        let all = RangeQuery(range: KeyRange(key: Array("k".utf8), end: Array("l".utf8)))
        var queries = [RangeQuery](repeating: all, count: 10)
        queries[1].keysOnly = true
        queries[2].countOnly = true
        queries[3].limit = 7
        queries[4].order = .descending
        queries[5].target = .value
        queries[6].target = .value
        queries[6].keysOnly = true
        queries[7].target = .version
        queries[7].order = .descending
        queries[8].revision = 120
        queries[9].range = KeyRange(key: Array("nothing".utf8))
        return queries
    }

    private func pieces(_ plan: ReadPlan, _ header: ResponseHeader, of size: Int) throws -> [[UInt8]] {
        var plan = try AnswerPlan(plan, header: header)
        var pieces: [[UInt8]] = []
        while case let piece = try plan.next(size), !piece.isEmpty { pieces.append(piece) }
        #expect(plan.byteCount == pieces.reduce(0) { $0 + $1.count })
        return pieces
    }

    @Test("the pieces are together what is written at once", arguments: [1, 100, 4096, 1 << 20])
    func ranges(size: Int) throws {
        let header = ResponseHeader(ServiceStatus())
        try store().read { view in
            let reader = KeyValueReader(view)
            for query in queries {
                let result = try reader.range(query)
                var writer = ProtobufWriter()
                writer.header(header, revision: result.revision)
                writer.rangeResult(result)
                let pieces = try pieces(.range(try reader.plan(query)), header, of: size)
                #expect(Array(pieces.joined()) == writer.bytes, "\(query)")
                // No piece is longer than asked for by more than a pair.
                #expect(pieces.allSatisfy { $0.count < size + 5100 })
            }
        }
    }

    @Test("transactions too, however deep they are nested", arguments: [1, 4096])
    func transactions(size: Int) throws {
        var inner = KeyValueTransaction()
        inner.success = [.range(queries[0]), .range(queries[2])]
        var transaction = KeyValueTransaction()
        transaction.compares = [
            Compare(range: KeyRange(key: Array("k1".utf8)), relation: .equal, operand: .version(1))
        ]
        transaction.success = [.range(queries[3])]
        transaction.failure =
            queries.map { .range($0) } + [.transaction(inner), .transaction(KeyValueTransaction())]
        let header = ResponseHeader(ServiceStatus())
        try store().read { view in
            let reader = KeyValueReader(view)
            var writer = ProtobufWriter()
            writer.header(header, revision: try reader.revision())
            writer.transactionResult(try reader.readOnly(transaction))
            let pieces = try pieces(try reader.plan(transaction), header, of: size)
            #expect(Array(pieces.joined()) == writer.bytes)
        }
    }
}
