import Coordination
import EtcdProtobuf
import Foundation
import SwiftProtobuf
import Testing

@testable import EtcdDialect

@Suite("Responses") struct ResponseTests {
    private let header: ResponseHeader = {
        var header = ResponseHeader()
        header.clusterID = 1
        header.memberID = 2
        header.term = 3
        return header
    }()

    private let keyValue = KeyValue(
        key: Array("k".utf8), value: Array("v".utf8), createRevision: 4, modRevision: 5, version: 6, lease: 7)

    private func outcome<Response: Message>(
        _: Response.Type, _ outcome: KeyValueOutcome
    ) throws -> Response {
        var writer = ProtobufWriter()
        try writer.outcome(outcome, header: header)
        return try Response(serializedBytes: writer.bytes)
    }

    @Test("every field of a key-value pair leaves")
    func keyValueFields() throws {
        let response = try outcome(EtcdPutResponse.self, .put(previous: keyValue, revision: 9))
        #expect(response.header.clusterID == 1 && response.header.memberID == 2)
        #expect(response.header.revision == 9 && response.header.raftTerm == 3)
        #expect(
            response.prevKv
                == MvccKeyValue.with {
                    $0.key = Data("k".utf8)
                    $0.value = Data("v".utf8)
                    $0.createRevision = 4
                    $0.modRevision = 5
                    $0.version = 6
                    $0.lease = 7
                })
        #expect(try !outcome(EtcdPutResponse.self, .put(previous: nil, revision: 9)).hasPrevKv)
    }

    @Test("the answers of a transaction name the revision alone, a nested one nothing")
    func transaction() throws {
        var range = RangeResult()
        range.keyValues = [keyValue]
        range.more = true
        range.count = 8
        range.revision = 9
        let nested = KeyValueTransactionOutcome(
            succeeded: false, answers: [.put(previous: keyValue, revision: 10)])
        let response = try outcome(
            EtcdTxnResponse.self,
            .transaction(
                KeyValueTransactionOutcome(
                    succeeded: true,
                    answers: [
                        .range(range), .put(previous: nil, revision: 10),
                        .deleted(count: 2, previous: [keyValue, keyValue], revision: 10),
                        .transaction(nested, revision: 10),
                    ]), revision: 10))
        #expect(response.header.revision == 10 && response.succeeded && response.responses.count == 4)
        #expect(response.responses[0].responseRange.header == .with { $0.revision = 9 })
        #expect(response.responses[0].responseRange.more && response.responses[0].responseRange.count == 8)
        #expect(response.responses[1].responsePut.header == .with { $0.revision = 10 })
        #expect(response.responses[2].responseDeleteRange.deleted == 2)
        #expect(response.responses[2].responseDeleteRange.prevKvs.count == 2)
        #expect(response.responses[3].responseTxn.hasHeader)
        #expect(response.responses[3].responseTxn.header == EtcdResponseHeader())
        #expect(response.responses[3].responseTxn.responses[0].responsePut.hasPrevKv)
    }

    @Test("a refusal is an error")
    func refusal() {
        #expect(throws: EtcdFault.leaseNotFound) {
            try outcome(EtcdPutResponse.self, .refused(.leaseNotFound, revision: 4))
        }
    }

    @Test("events encoded once are what a watch response holds")
    func events() throws {
        let events = [
            KeyValueEvent(kind: .put, keyValue: keyValue, previous: keyValue),
            KeyValueEvent(kind: .delete, keyValue: KeyValue(key: [1], modRevision: 6)),
        ]
        let encoded = EncodedEvents(events)
        var writer = ProtobufWriter()
        writer.watchEvents(header, revision: 6, watchID: 12, events: encoded.bytes[...], fragment: true)
        let response = try EtcdWatchResponse(serializedBytes: writer.bytes)
        #expect(response.watchID == 12 && response.fragment && response.header.revision == 6)
        #expect(response.events.map(\.type) == [.put, .delete])
        #expect(response.events[0].prevKv.version == 6 && response.events[1].kv.modRevision == 6)
        #expect(encoded.ends.last == encoded.bytes.count)
    }

    @Test("fragments end at events, hold at least one, and are below the limit where they can be")
    func fragments() throws {
        let sizes = [10, 10, 200, 10, 50, 50, 1]
        let events = sizes.map {
            KeyValueEvent(kind: .put, keyValue: KeyValue(key: [1], value: [UInt8](repeating: 0, count: $0)))
        }
        let encoded = EncodedEvents(events)
        for limit in [1, 60, 100, 150, 250, 1000] {
            let fragments = encoded.fragments(limit: limit, overhead: 20)
            #expect(fragments.first?.lowerBound == 0 && fragments.last?.upperBound == encoded.bytes.count)
            for (fragment, next) in zip(fragments, fragments.dropFirst()) {
                #expect(fragment.upperBound == next.lowerBound)
                #expect(encoded.ends.contains(fragment.upperBound))
            }
            for fragment in fragments {
                let events = encoded.ends.filter { fragment.lowerBound < $0 && $0 <= fragment.upperBound }
                    .count
                #expect(events >= 1 && (events == 1 || fragment.count + 20 < limit))
            }
        }
    }

    @Test("equal lists of events are encoded once, other lists for themselves")
    func sharedEncoding() {
        let events = [KeyValueEvent(kind: .put, keyValue: keyValue)]
        let same = events
        let other = [KeyValueEvent(kind: .delete, keyValue: keyValue)]
        var encodings = EventEncodings()
        let first = encodings[events].bytes.withUnsafeBytes { $0.baseAddress }
        let second = encodings[same].bytes.withUnsafeBytes { $0.baseAddress }
        #expect(first == second)
        #expect(encodings[other].bytes != encodings[events].bytes)
        #expect(encodings[[]].bytes.isEmpty)
    }
}
