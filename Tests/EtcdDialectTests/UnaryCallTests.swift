import Coordination
import EtcdProtobuf
import Foundation
import GRPC
import SwiftProtobuf
import Testing

@testable import EtcdDialect

@Suite("Unary calls and keepalives") struct UnaryCallTests {
    private func request(_ key: String) -> EtcdRangeRequest { .with { $0.key = Data(key.utf8) } }

    @Test("linearizable reads of one batch wait for the service and read in one view")
    func linearizableReads() throws {
        let harness = EndpointHarness()
        var transports: [RecordingCall] = []
        for key in ["a", "b"] {
            let (call, transport) = harness.open(.range)
            try harness.send(request(key), to: try #require(call))
            transports.append(transport)
        }
        #expect(transports.allSatisfy { $0.status == nil } && harness.port.submitted.count == 2)
        harness.deliver(harness.port.submitted.map { .answer(token: $0.token, .success(.ready)) })
        #expect(transports.allSatisfy { $0.status == .ok && $0.messages.count == 1 })
    }

    @Test("a serializable read asks the service nothing")
    func serializableRead() throws {
        let harness = EndpointHarness()
        let (call, transport) = harness.open(.range)
        var request = request("a")
        request.serializable = true
        try harness.send(request, to: try #require(call))
        #expect(transport.status == .ok && harness.port.submitted.isEmpty)
        #expect(try transport.take(EtcdRangeResponse.self)[0].header.memberID == 2)
    }

    @Test("an answer that comes after the client has gone is dropped")
    func cancelled() throws {
        let harness = EndpointHarness()
        let (call, transport) = harness.open(.put)
        try harness.send(EtcdPutRequest.with { $0.key = Data([1]) }, to: try #require(call))
        call?.cancelled()
        harness.deliver([
            .answer(
                token: harness.port.submitted[0].token,
                .success(.outcome(KeyValueOutcome.put(previous: nil, revision: 2), slot: 1)))
        ])
        #expect(transport.messages.isEmpty && transport.status == nil)
    }

    @Test("what the service could not do is the call's error")
    func failure() throws {
        let harness = EndpointHarness()
        let (call, transport) = harness.open(.put)
        try harness.send(EtcdPutRequest.with { $0.key = Data([1]) }, to: try #require(call))
        harness.deliver([.answer(token: harness.port.submitted[0].token, .failure(.tooManyRequests))])
        #expect(transport.status == GRPCStatus(.resourceExhausted, "etcdserver: too many requests"))
    }

    @Test("a request that is too large for the log is refused before it is asked")
    func tooLarge() throws {
        let harness = EndpointHarness { $0.limits.requestBytes = 100 }
        for (bytes, isRefused) in [(70, false), (90, true)] {
            let (call, transport) = harness.open(.put)
            try harness.send(
                EtcdPutRequest.with {
                    $0.key = Data([1])
                    $0.value = Data(repeating: 1, count: bytes)
                },
                to: try #require(call))
            #expect((transport.status?.message == "etcdserver: request is too large") == isRefused)
        }
    }

    @Test("a physical compaction is answered when this member has removed what was compacted")
    func physicalCompaction() throws {
        let harness = EndpointHarness()
        let (call, transport) = harness.open(.compact)
        try harness.send(
            EtcdCompactionRequest.with {
                $0.revision = 5
                $0.physical = true
            }, to: try #require(call))
        harness.deliver([
            .answer(
                token: harness.port.submitted[0].token,
                .success(.outcome(KeyValueOutcome.compacted(revision: 10), slot: 1)))
        ])
        #expect(transport.status == nil)
        guard case .compactionFinished(5) = harness.port.submitted[1].request else {
            Issue.record("asked \(harness.port.submitted[1].request)")
            return
        }
        harness.deliver([.answer(token: harness.port.submitted[1].token, .success(.done))])
        #expect(transport.status == .ok)
    }

    @Test("a lease without an id gets one, and a time below the shortest is raised")
    func leaseGrant() throws {
        let harness = EndpointHarness()
        for id in [0, 7] as [Int64] {
            let (call, _) = harness.open(.leaseGrant)
            try harness.send(
                EtcdLeaseGrantRequest.with {
                    $0.id = id
                    $0.ttl = 1
                }, to: try #require(call))
            guard case .command(let command) = harness.port.submitted.last?.request,
                case .grantLease(let lease, 2) = try LedgerCommand(
                    decoding: command.payload, version: command.version)
            else {
                Issue.record("no grant was asked for")
                return
            }
            #expect(id == 0 ? lease.rawValue > 0 : lease.rawValue == 7)
        }
    }

    @Test("renewals are answered in the order in which they were asked, and the stream ends after the last")
    func keepAlive() throws {
        let harness = EndpointHarness()
        let (stream, transport) = harness.open(.leaseKeepAlive)
        let call = try #require(stream)
        for id in 1...3 as ClosedRange<Int64> {
            try harness.send(EtcdLeaseKeepAliveRequest.with { $0.id = id }, to: call)
        }
        call.halfClosed()
        let tokens = harness.port.submitted.map(\.token)
        harness.deliver([
            .answer(token: tokens[2], .success(.leaseRenewed(seconds: 30))),
            .answer(token: tokens[1], .success(.leaseRenewed(seconds: 0))),
        ])
        #expect(transport.messages.isEmpty && transport.status == nil)
        harness.deliver([.answer(token: tokens[0], .success(.leaseRenewed(seconds: 10)))])
        let responses = try transport.take(EtcdLeaseKeepAliveResponse.self)
        #expect(responses.map(\.id) == [1, 2, 3] && responses.map(\.ttl) == [10, 0, 30])
        #expect(transport.status == .ok)
    }

    @Test("a drain answers what was asked, tells watchers what was applied, and only then ends streams")
    func drain() throws {
        let harness = EndpointHarness()
        let stopped = GRPCStatus(.unavailable, "etcdserver: server stopped")
        let (put, putTransport) = harness.open(.put)
        try harness.send(EtcdPutRequest.with { $0.key = Data([1]) }, to: try #require(put))
        let (watch, watchTransport) = harness.open(.watch)
        try harness.send(
            EtcdWatchRequest.with { $0.createRequest.key = Data("k".utf8) }, to: try #require(watch))
        let (renewals, renewalTransport) = harness.open(.leaseKeepAlive)
        try harness.send(EtcdLeaseKeepAliveRequest.with { $0.id = 7 }, to: try #require(renewals))
        let tokens = harness.port.submitted.map(\.token)

        harness.endpoint.drain()
        harness.loop.run()
        #expect(harness.port.progressRequests.isEmpty && watchTransport.status == nil)
        // What comes now is served as ever.
        let (late, lateTransport) = harness.open(.put)
        try harness.send(EtcdPutRequest.with { $0.key = Data([2]) }, to: try #require(late))
        let lateToken = harness.port.submitted.last!.token
        let outcome = ServiceAnswer.outcome(KeyValueOutcome.put(previous: nil, revision: 2), slot: 2)
        harness.deliver([.answer(token: tokens[0], .success(outcome))])
        #expect(putTransport.status == .ok && harness.port.progressRequests.isEmpty)
        harness.deliver([.answer(token: lateToken, .success(outcome))])
        #expect(lateTransport.status == .ok && watchTransport.status == nil)

        // The event of the put comes before the word that everything has been told.
        let told = try #require(harness.port.progressRequests.last)
        #expect(told.watchers.isEmpty)
        _ = try watchTransport.take(EtcdWatchResponse.self)
        let event = KeyValueEvent(
            kind: .put,
            keyValue: KeyValue(
                key: Array("k".utf8), value: [], createRevision: 2, modRevision: 2, version: 1))
        harness.deliver([
            .events(harness.port.watches[0].id, WatchBatch(revision: 2, events: [event], bytes: 10)),
            .progress(token: told.token, revision: 2),
        ])
        #expect(try watchTransport.take(EtcdWatchResponse.self).map(\.events.count) == [1])
        #expect(watchTransport.status == stopped)
        // A renewal that has arrived is answered.
        #expect(renewalTransport.status == nil)
        harness.deliver([.answer(token: tokens[1], .success(.leaseRenewed(seconds: 9)))])
        #expect(try renewalTransport.take(EtcdLeaseKeepAliveResponse.self).map(\.ttl) == [9])
        #expect(renewalTransport.status == stopped)
        #expect(harness.open(.watch).1.status == stopped)
    }

    @Test("a learner answers what it can know by itself")
    func learner() throws {
        let harness = EndpointHarness { $0.status.isLearner = true }
        let refusal = GRPCStatus(.unavailable, "etcdserver: rpc not supported for learner")
        let (read, readTransport) = harness.open(.range)
        try harness.send(request("a"), to: try #require(read))
        #expect(readTransport.status == refusal)
        let (put, putTransport) = harness.open(.put)
        try harness.send(EtcdPutRequest.with { $0.key = Data([1]) }, to: try #require(put))
        #expect(putTransport.status == refusal)
        let (status, statusTransport) = harness.open(.status)
        try harness.send(EtcdStatusRequest(), to: try #require(status))
        #expect(try statusTransport.take(EtcdStatusResponse.self)[0].isLearner)
        let (local, localTransport) = harness.open(.range)
        try harness.send(
            EtcdRangeRequest.with {
                $0.key = Data([1])
                $0.serializable = true
            }, to: try #require(local))
        #expect(localTransport.status == .ok)
    }

    @Test("a status tells the member's own view")
    func status() throws {
        let harness = EndpointHarness {
            $0.status.chosenSlot = 20
            $0.status.appliedSlot = 19
            $0.status.storeBytes = 4096
            $0.status.storeBytesInUse = 1024
            $0.status.leaderID = 0
            $0.status.alarms = [Alarm(member: 5, kind: .noSpace)]
        }
        let (call, transport) = harness.open(.status)
        try harness.send(EtcdStatusRequest(), to: try #require(call))
        let response = try transport.take(EtcdStatusResponse.self)[0]
        #expect(response.version == "3.5.21" && response.raftIndex == 20 && response.raftAppliedIndex == 19)
        #expect(response.dbSize == 4096 && response.dbSizeInUse == 1024 && response.raftTerm == 3)
        #expect(response.errors == ["etcdserver: no leader", "memberID:5 alarm:NOSPACE "])
    }

    @Test("closing the endpoint ends what waits and what streams")
    func close() throws {
        let harness = EndpointHarness()
        let (put, putTransport) = harness.open(.put)
        try harness.send(EtcdPutRequest.with { $0.key = Data([1]) }, to: try #require(put))
        let (watch, watchTransport) = harness.open(.watch)
        _ = watch
        harness.endpoint.close()
        let stopped = GRPCStatus(.unavailable, "etcdserver: server stopped")
        #expect(putTransport.status == stopped && watchTransport.status == stopped && harness.port.isClosed)
        let (late, lateTransport) = harness.open(.put)
        try harness.send(EtcdPutRequest.with { $0.key = Data([1]) }, to: try #require(late))
        #expect(lateTransport.status == stopped)
    }

    @Test("the metrics page counts calls and names what dashboards read")
    func metrics() throws {
        let harness = EndpointHarness {
            $0.status.metrics = [
                ServiceMetric(
                    name: "wal_sync_seconds",
                    value: .histogram(bounds: [0.001, 0.1], counts: [1, 3], count: 4, sum: 0.5)),
                ServiceMetric(name: "own_thing", value: .gauge(1.5)),
            ]
        }
        let (call, _) = harness.open(.range)
        try harness.send(EtcdRangeRequest(), to: try #require(call))
        let page = MetricsPage.render(
            harness.service.status, harness.service.limits, [harness.endpoint.counters], ProcessSample.current
        )
        for line in [
            "etcd_server_has_leader 1", "etcd_server_version{server_version=\"3.5.21\"} 1",
            "# TYPE etcd_disk_wal_fsync_duration_seconds histogram",
            "etcd_disk_wal_fsync_duration_seconds_bucket{le=\"0.1\"} 3",
            "etcd_disk_wal_fsync_duration_seconds_bucket{le=\"+Inf\"} 4",
            "etcd_disk_wal_fsync_duration_seconds_sum 0.5", "synod_own_thing 1.5",
            "# HELP etcd_disk_wal_fsync_duration_seconds How long it takes to make records of the log durable.",
            "grpc_server_handling_seconds_count{grpc_method=\"Range\",grpc_service=\"etcdserverpb.KV\",grpc_type=\"unary\"} 1",

            "grpc_server_started_total{grpc_method=\"Range\",grpc_service=\"etcdserverpb.KV\",grpc_type=\"unary\"} 1",
            "grpc_server_handled_total{grpc_code=\"InvalidArgument\",grpc_method=\"Range\",grpc_service=\"etcdserverpb.KV\",grpc_type=\"unary\"} 1",
        ] {
            #expect(page.contains(line + "\n"), "\(line) is missing")
        }
        #expect(page.contains("process_resident_memory_bytes ") && page.contains("process_open_fds "))
        let types = page.split(separator: "\n").filter { $0.hasPrefix("# TYPE") }
        #expect(Set(types).count == types.count, "a family stands twice")
        // Each family is explained, in a line before its type.
        let helps = page.split(separator: "\n").filter { $0.hasPrefix("# HELP") }
        #expect(helps.map { $0.split(separator: " ")[2] } == types.map { $0.split(separator: " ")[2] })
        #expect(helps.filter { $0.hasSuffix(" A reading of this member.") }.count == 1)
    }
}
