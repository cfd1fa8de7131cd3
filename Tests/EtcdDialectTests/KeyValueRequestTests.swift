import Coordination
import EtcdProtobuf
import Foundation
import SwiftProtobuf
import Testing

@testable import EtcdDialect

@Suite("Requests of the service KV") struct KeyValueRequestTests {
    private func transaction(
        _ request: EtcdTxnRequest, limit: Int = 128
    ) throws -> (KeyValueTransaction, TransactionTraits) {
        let bytes: [UInt8] = try request.serializedBytes()
        return try bytes.withUnsafeBytes {
            try KeyValueRequestDecoder.transaction($0, operationLimit: limit)
        }
    }

    private func range(_ request: EtcdRangeRequest) throws -> (RangeQuery, serializable: Bool) {
        let bytes: [UInt8] = try request.serializedBytes()
        return try bytes.withUnsafeBytes { try KeyValueRequestDecoder.range($0) }
    }

    private func put(_ key: String, _ value: String = "v") -> EtcdRequestOp {
        .with {
            $0.requestPut = .with {
                $0.key = Data(key.utf8)
                $0.value = Data(value.utf8)
            }
        }
    }

    private func delete(_ key: String, _ end: String = "") -> EtcdRequestOp {
        .with {
            $0.requestDeleteRange = .with {
                $0.key = Data(key.utf8)
                $0.rangeEnd = Data(end.utf8)
            }
        }
    }

    private func get(_ key: String, serializable: Bool = false) -> EtcdRequestOp {
        .with {
            $0.requestRange = .with {
                $0.key = Data(key.utf8)
                $0.serializable = serializable
            }
        }
    }

    private func nested(
        _ success: [EtcdRequestOp], _ failure: [EtcdRequestOp] = []
    ) -> EtcdRequestOp {
        .with {
            $0.requestTxn = .with {
                $0.success = success
                $0.failure = failure
            }
        }
    }

    private func txn(_ success: [EtcdRequestOp], _ failure: [EtcdRequestOp] = []) -> EtcdTxnRequest {
        .with {
            $0.success = success
            $0.failure = failure
        }
    }

    @Test("every field of a range arrives")
    func rangeFields() throws {
        let (query, serializable) = try range(
            .with {
                $0.key = Data("a".utf8)
                $0.rangeEnd = Data("b".utf8)
                $0.limit = 3
                $0.revision = 4
                $0.sortOrder = .descend
                $0.sortTarget = .value
                $0.serializable = true
                $0.keysOnly = true
                $0.countOnly = true
                $0.minModRevision = 5
                $0.maxModRevision = 6
                $0.minCreateRevision = 7
                $0.maxCreateRevision = 8
            })
        var expected = RangeQuery(range: KeyRange(key: Array("a".utf8), end: Array("b".utf8)))
        expected.limit = 3
        expected.revision = 4
        expected.order = .descending
        expected.target = .value
        expected.keysOnly = true
        expected.countOnly = true
        expected.minModRevision = 5
        expected.maxModRevision = 6
        expected.minCreateRevision = 7
        expected.maxCreateRevision = 8
        #expect(query == expected && serializable)
    }

    @Test("an end of one zero byte means everything from the key on, none means the key alone")
    func rangeEnds() throws {
        #expect(KeyRange(key: [1], wireEnd: []) == KeyRange(key: [1]))
        #expect(KeyRange(key: [1], wireEnd: [0]) == KeyRange(key: [1], end: []))
        #expect(KeyRange(key: [1], wireEnd: [0, 0]) == KeyRange(key: [1], end: [0, 0]))
    }

    @Test("a range without a key, or ordered by nobody knows what, is refused")
    func rangeChecks() {
        #expect(throws: EtcdFault.keyNotProvided) { try range(.with { $0.sortTarget = .UNRECOGNIZED(9) }) }
        #expect(throws: EtcdFault.invalidSortOption) {
            try range(
                .with {
                    $0.key = Data([1])
                    $0.sortTarget = .UNRECOGNIZED(9)
                })
        }
        #expect(throws: EtcdFault.invalidSortOption) {
            try range(
                .with {
                    $0.key = Data([1])
                    $0.sortOrder = .UNRECOGNIZED(9)
                })
        }
    }

    @Test("a put that ignores what it gives is refused")
    func putChecks() throws {
        func check(_ request: EtcdPutRequest) throws {
            let bytes: [UInt8] = try request.serializedBytes()
            _ = try bytes.withUnsafeBytes { try KeyValueRequestDecoder.put($0) }
        }
        #expect(throws: EtcdFault.keyNotProvided) {
            try check(
                .with {
                    $0.ignoreValue = true
                    $0.value = Data([1])
                })
        }
        #expect(throws: EtcdFault.valueProvided) {
            try check(
                .with {
                    $0.key = Data([1])
                    $0.ignoreValue = true
                    $0.value = Data([1])
                })
        }
        #expect(throws: EtcdFault.leaseProvided) {
            try check(
                .with {
                    $0.key = Data([1])
                    $0.ignoreLease = true
                    $0.lease = 1
                })
        }
    }

    @Test("the operand of a comparison counts only when it is of the target's kind")
    func operands() throws {
        let compare = { (compare: EtcdCompare) in try transaction(.with { $0.compare = [compare] }).0.compares
        }
        let key = Data("k".utf8)
        #expect(
            try compare(
                .with {
                    $0.key = key
                    $0.target = .value
                    $0.version = 5
                }
            ).first?.operand == .value([]))
        #expect(
            try compare(
                .with {
                    $0.key = key
                    $0.target = .mod
                    $0.modRevision = 5
                }
            ).first?.operand == .modRevision(5))
        #expect(
            try compare(
                .with {
                    $0.key = key
                    $0.target = .lease
                    $0.lease = 5
                    $0.result = .notEqual
                }
            ).first
                == Compare(range: KeyRange(key: Array("k".utf8)), relation: .notEqual, operand: .lease(5)))
        #expect(
            try compare(
                .with {
                    $0.key = key
                    $0.result = .UNRECOGNIZED(9)
                }
            ).isEmpty)
        #expect(throws: EtcdFault.keyNotProvided) { try compare(.init()) }
    }

    @Test("the longest list of a transaction is bounded, and a nested one has what is left")
    func operationLimit() throws {
        let gets = { (count: Int) in Array(repeating: get("a"), count: count) }
        _ = try transaction(txn(gets(4), gets(4)), limit: 4)
        #expect(throws: EtcdFault.tooManyOperations) { try transaction(txn(gets(5)), limit: 4) }
        #expect(throws: EtcdFault.tooManyOperations) { try transaction(txn([], gets(5)), limit: 4) }
        _ = try transaction(txn([nested(gets(3))]), limit: 4)
        #expect(throws: EtcdFault.tooManyOperations) { try transaction(txn([nested(gets(4))]), limit: 4) }
    }

    @Test("a transaction nested deeper than operations are allowed is refused, however deep")
    func depth() throws {
        var operation = get("a")
        for _ in 0..<60 { operation = nested([operation]) }
        #expect(throws: EtcdFault.tooManyOperations) { try transaction(txn([operation]), limit: 50) }
        _ = try transaction(txn([operation]), limit: 128)
    }

    @Test("what decides how a transaction is carried out is found at every depth")
    func traits() throws {
        #expect(
            try transaction(txn([])).1 == TransactionTraits(readsOnly: true, serializable: true, puts: false))
        #expect(
            try transaction(txn([get("a", serializable: true)], [get("b")])).1
                == TransactionTraits(readsOnly: true, serializable: false, puts: false))
        #expect(
            try transaction(txn([nested([put("a")])])).1
                == TransactionTraits(readsOnly: false, serializable: true, puts: true))
        #expect(
            try transaction(txn([], [delete("a")])).1
                == TransactionTraits(readsOnly: false, serializable: true, puts: false))
    }

    @Test("a key may be written once in every way through a transaction")
    func duplicates() throws {
        func isRefused(_ success: [EtcdRequestOp], _ failure: [EtcdRequestOp] = []) -> Bool {
            do {
                _ = try transaction(txn(success, failure))
                return false
            } catch { return error as? EtcdFault == .duplicateKey }
        }
        #expect(isRefused([put("a"), put("a")]))
        #expect(isRefused([], [put("a"), put("a")]))
        #expect(!isRefused([put("a")], [put("a")]))
        #expect(isRefused([put("a"), delete("a")]))
        #expect(isRefused([put("b"), delete("a", "c")]))
        #expect(!isRefused([put("c"), delete("a", "c")]))
        #expect(!isRefused([delete("a", "c"), delete("b")]))
        #expect(isRefused([put("a"), nested([put("a")])]))
        #expect(!isRefused([nested([put("a")], [put("a")])]))
        #expect(isRefused([nested([put("a")]), nested([], [put("a")])]))
        #expect(isRefused([nested([delete("a")]), put("a")]))
        #expect(isRefused([nested([nested([put("a")])]), delete("a")]))
    }

    @Test("an operation that is none is called a key that is not found")
    func emptyOperation() {
        #expect(throws: EtcdFault.keyNotFound) { try transaction(txn([.init()])) }
    }
}
