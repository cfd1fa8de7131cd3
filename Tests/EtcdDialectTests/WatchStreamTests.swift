import Automata
import Coordination
import EtcdProtobuf
import Foundation
import GRPC
import Testing

@testable import EtcdDialect

/// The session of one client on one watch stream, against a service that does what the test says. What the
/// client may rely on: events of a watch are ordered, unique, reliable and atomic; a watch is resumable, and
/// bookmarkable by progress.
@Suite("A watch stream") struct WatchStreamTests {
    private final class Client {
        let harness: EndpointHarness
        let call: EtcdCall
        let transport: RecordingCall

        init(
            metadata: [(name: String, value: String)] = [], _ configure: (ScriptedService) -> Void = { _ in }
        ) throws {
            harness = EndpointHarness(configure)
            let (call, transport) = harness.open(.watch, metadata: metadata)
            self.call = try #require(call)
            self.transport = transport
        }

        func create(_ configure: (inout EtcdWatchCreateRequest) -> Void = { _ in }) throws {
            var creation = EtcdWatchCreateRequest.with { $0.key = Data("k".utf8) }
            configure(&creation)
            try harness.send(EtcdWatchRequest.with { $0.createRequest = creation }, to: call)
        }

        func cancel(_ watchID: Int64) throws {
            try harness.send(EtcdWatchRequest.with { $0.cancelRequest.watchID = watchID }, to: call)
        }

        func askProgress() throws {
            try harness.send(EtcdWatchRequest.with { $0.progressRequest = .init() }, to: call)
        }

        func take() throws -> [EtcdWatchResponse] { try transport.take(EtcdWatchResponse.self) }

        func watcher(_ index: Int) -> WatcherID { harness.port.watches[index].id }
    }

    private func batch(_ revisions: Range<Int64>, bytes: Int = 100, value: Int = 1) -> WatchBatch {
        WatchBatch(
            revision: revisions.upperBound - 1,
            events: revisions.map { revision in
                KeyValueEvent(
                    kind: .put,
                    keyValue: KeyValue(
                        key: Array("k".utf8), value: [UInt8](repeating: 1, count: value), createRevision: 1,
                        modRevision: revision, version: revision))
            }, bytes: bytes)
    }

    @Test("created comes first, and from its revision on nothing is missed")
    func created() throws {
        let client = try Client()
        try client.create()
        let responses = try client.take()
        #expect(responses.count == 1 && responses[0].created && responses[0].watchID == 0)
        #expect(responses[0].header.revision == 10 && responses[0].header.raftTerm == 3)
        // "From now on" is a revision, so that it does not matter when the service hears of the watch.
        #expect(client.harness.port.watches[0].specification.startRevision == 11)
    }

    @Test("events reach the client in order, each once, and those of a revision in one response")
    func orderedUniqueAtomic() throws {
        let client = try Client()
        try client.create()
        _ = try client.take()
        client.harness.deliver([
            .events(client.watcher(0), batch(11..<13)), .events(client.watcher(0), batch(13..<14)),
        ])
        client.harness.deliver([.events(client.watcher(0), batch(14..<15))])
        let responses = try client.take()
        #expect(responses.map { $0.events.map(\.kv.modRevision) } == [[11, 12], [13], [14]])
        #expect(responses.map(\.header.revision) == [12, 13, 14])
        #expect(responses.allSatisfy { !$0.fragment && $0.watchID == 0 })
    }

    @Test("a large response is cut into fragments only for a client that allows it")
    func fragments() throws {
        let client = try Client { $0.limits.requestBytes = 1000 }
        try client.create { $0.fragment = true }
        try client.create()
        _ = try client.take()
        client.harness.deliver([
            .events(client.watcher(0), batch(11..<16, value: 400)),
            .events(client.watcher(1), batch(11..<16, value: 400)),
        ])
        let responses = try client.take()
        let cut = responses.filter { $0.watchID == 0 }
        #expect(cut.count == 3 && cut.map(\.fragment) == [true, true, false])
        #expect(cut.flatMap { $0.events.map(\.kv.modRevision) } == Array(11..<16))
        #expect(responses.filter { $0.watchID == 1 }.map(\.events.count) == [5])
    }

    @Test("a client resumes where it was, and what it asks for reaches the service")
    func resumable() throws {
        let client = try Client()
        try client.create {
            $0.startRevision = 5
            $0.rangeEnd = Data("l".utf8)
            $0.prevKv = true
            $0.filters = [.noput]
        }
        var expected = WatchSpecification(
            range: KeyRange(key: Array("k".utf8), end: Array("l".utf8)), startRevision: 5)
        expected.previousKeyValue = true
        expected.withoutPuts = true
        #expect(client.harness.port.watches[0].specification == expected)
    }

    @Test("a watch whose history is compacted is created, then canceled without a revision")
    func compacted() throws {
        let client = try Client()
        try client.create { $0.startRevision = 2 }
        client.harness.deliver([.watchCompacted(client.watcher(0), compactRevision: 7)])
        let responses = try client.take()
        #expect(responses.count == 2 && responses[0].created)
        #expect(responses[1].canceled && responses[1].compactRevision == 7)
        #expect(responses[1].header.revision == 0 && responses[1].events.isEmpty)
        // The id is taken until the client cancels it; the service has nothing more to cancel.
        try client.create { $0.watchID = 0 }
        #expect(try client.take()[0].watchID == 1)
        try client.cancel(0)
        #expect(try client.take().map(\.canceled) == [true])
        #expect(client.harness.port.cancelled.isEmpty)
    }

    @Test("a revision before the first is compacted")
    func negativeStart() throws {
        let client = try Client { $0.status.compactRevision = 4 }
        try client.create { $0.startRevision = -3 }
        let responses = try client.take()
        #expect(responses.map(\.created) == [true, false] && responses[1].compactRevision == 4)
        #expect(client.harness.port.watches.isEmpty)
    }

    @Test("progress is told only when the service answers, in front of the client's other watches")
    func bookmarkable() throws {
        let client = try Client()
        try client.create()
        try client.create { $0.startRevision = 50 }
        _ = try client.take()
        try client.askProgress()
        #expect(try client.take().isEmpty)
        let request = try #require(client.harness.port.progressRequests.first)
        #expect(Set(request.watchers) == [client.watcher(0), client.watcher(1)])
        // A watch that starts at 50 has no part in revision 12.
        client.harness.deliver([.progress(token: request.token, revision: 12)])
        #expect(try client.take().isEmpty)
        try client.cancel(1)
        _ = try client.take()
        client.harness.deliver([
            .events(client.watcher(0), batch(11..<13)), .progress(token: request.token, revision: 12),
        ])
        let responses = try client.take()
        #expect(responses.map(\.watchID) == [0, -1] && responses[1].events.isEmpty)
        #expect(responses[1].header.revision == 12 && !responses[1].created)
    }

    @Test("progress of a stream without watches is what the store has")
    func progressOfNothing() throws {
        let client = try Client()
        try client.askProgress()
        let responses = try client.take()
        #expect(responses.map(\.watchID) == [-1] && responses[0].header.revision == 10)
    }

    @Test("a quiet watch that wants it is notified of progress, one with events is not")
    func progressNotify() throws {
        let client = try Client { $0.limits.watchProgressInterval = .seconds(10) }
        try client.create { $0.progressNotify = true }
        _ = try client.take()
        client.harness.loop.advanceTime(by: .seconds(12))
        let first = try #require(client.harness.port.progressRequests.first)
        client.harness.deliver([.progress(token: first.token, revision: 20)])
        #expect(try client.take().map(\.header.revision) == [20])
        client.harness.deliver([.events(client.watcher(0), batch(21..<22))])
        client.harness.loop.advanceTime(by: .seconds(12))
        #expect(client.harness.port.progressRequests.count == 1)
        client.harness.loop.advanceTime(by: .seconds(12))
        #expect(client.harness.port.progressRequests.count == 2)
        client.call.cancelled()
        client.harness.loop.advanceTime(by: .seconds(100))
        #expect(client.harness.port.progressRequests.count == 2)
    }

    @Test("ids are the client's or the next free one; one in use and an empty range are refused")
    func ids() throws {
        let client = try Client()
        try client.create { $0.watchID = 1 }
        try client.create()
        try client.create()
        try client.create { $0.watchID = 2 }
        try client.create { $0.rangeEnd = Data("a".utf8) }
        let responses = try client.take()
        #expect(responses.map(\.watchID) == [1, 0, 2, -1, -1])
        #expect(
            responses.map(\.cancelReason) == [
                "", "", "", "mvcc: duplicate watch ID provided on the WatchStream",
                "mvcc: watcher range is empty",
            ])
        #expect(responses[3].created && responses[3].canceled)
        #expect(client.harness.port.watches.count == 3)
    }

    @Test(
        "a canceled watch says so and is silent afterwards, whatever is on the way; an unknown one is passed over"
    )
    func cancels() throws {
        let client = try Client()
        try client.create()
        _ = try client.take()
        try client.cancel(0)
        try client.cancel(0)
        try client.cancel(9)
        let responses = try client.take()
        #expect(responses.map(\.canceled) == [true] && responses[0].header.revision == 10)
        #expect(client.harness.port.cancelled == [client.watcher(0)])
        client.harness.deliver([.events(client.watcher(0), batch(11..<12))])
        #expect(try client.take().isEmpty)
    }

    @Test("what a slow client has not taken is not reported as gone until it has")
    func backPressure() throws {
        let client = try Client()
        try client.create()
        let watcher = client.watcher(0)
        client.harness.deliver([.events(watcher, batch(11..<12, bytes: 100))])
        #expect(client.harness.port.consumedBytes[watcher] == 100)
        client.transport.queuedBytes = 2 << 20
        client.harness.deliver([.events(watcher, batch(12..<13, bytes: 200))])
        client.harness.deliver([.events(watcher, batch(13..<14, bytes: 300))])
        #expect(client.harness.port.consumedBytes[watcher] == 100)
        client.transport.queuedBytes = 0
        client.call.drained()
        #expect(client.harness.port.consumedBytes[watcher] == 600)
    }

    @Test("a half-closed stream goes on, one that is over lets go of its watches")
    func ends() throws {
        let client = try Client()
        try client.create()
        try client.create()
        _ = try client.take()
        client.call.halfClosed()
        client.harness.deliver([.events(client.watcher(0), batch(11..<12))])
        #expect(try client.take().count == 1)
        client.call.cancelled()
        client.harness.loop.run()
        #expect(Set(client.harness.port.cancelled) == [client.watcher(0), client.watcher(1)])
        client.harness.deliver([.events(client.watcher(0), batch(12..<13))])
        #expect(client.transport.messages.isEmpty && client.transport.status == nil)
    }

    @Test("a stream that needs a leader ends when there is none, another goes on")
    func leader() throws {
        let client = try Client(metadata: [("hasleader", "true")])
        let (other, otherTransport) = client.harness.open(.watch)
        _ = other
        client.harness.deliver([.leaderLost])
        #expect(client.transport.status == GRPCStatus(.unavailable, "etcdserver: no leader"))
        #expect(otherTransport.status == nil)
        client.harness.service.status.leaderID = 0
        let (refused, transport) = client.harness.open(.watch, metadata: [("hasleader", "true")])
        #expect(refused == nil && transport.status?.message == "etcdserver: no leader")
    }

    @Test("a thousand watchers of one key are told with one encoding")
    func fanOut() throws {
        let client = try Client()
        for _ in 0..<1000 { try client.create() }
        _ = try client.take()
        let batch = batch(11..<12)
        client.harness.deliver((0..<1000).map { .events(client.watcher($0), batch) })
        let responses = try client.take()
        #expect(responses.count == 1000 && Set(responses.map(\.watchID)) == Set(0..<1000))
        #expect(responses.allSatisfy { $0.events.map(\.kv.modRevision) == [11] })
    }

    @Test("bytes that are no message end the stream")
    func malformed() throws {
        let client = try Client()
        [0x0a, 0xff].withUnsafeBytes { client.call.received($0) }
        #expect(client.transport.status?.code == .internalError)
    }
}
