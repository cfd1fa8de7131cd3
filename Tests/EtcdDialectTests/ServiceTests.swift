import EtcdProtobuf
import Foundation
import GRPC
import GRPCTestSupport
import SwiftProtobuf
import Testing

@testable import EtcdDialect

/// Calls over gRPC on a real connection, against a service in memory.
@Suite("The services over a connection") struct ServiceTests {
    private func call<Response: Message>(
        _ server: ServerHarness, _ path: String, _ request: some Message, _: Response.Type
    ) async throws -> Response {
        let reply = try await server.client.unary(path, try request.serializedBytes())
        #expect(reply.code == 0, "\(reply.message)")
        return try Response(serializedBytes: try #require(reply.messages.first))
    }

    @Test("puts, ranges, deletions and transactions do what they say")
    func keyValues() async throws {
        try await withServer { server in
            for (key, value) in [("a", "1"), ("b", "2"), ("a", "3")] {
                _ = try await call(
                    server, "/etcdserverpb.KV/Put",
                    EtcdPutRequest.with {
                        $0.key = Data(key.utf8)
                        $0.value = Data(value.utf8)
                    },
                    EtcdPutResponse.self)
            }
            let range = try await call(
                server, "/etcdserverpb.KV/Range",
                EtcdRangeRequest.with {
                    $0.key = Data("a".utf8)
                    $0.rangeEnd = Data([0])
                    $0.limit = 1
                },
                EtcdRangeResponse.self)
            #expect(range.kvs.map(\.value) == [Data("3".utf8)] && range.more && range.count == 2)
            #expect(range.header.revision == 4 && range.kvs[0].version == 2)
            let txn = try await call(
                server, "/etcdserverpb.KV/Txn",
                EtcdTxnRequest.with {
                    $0.compare = [
                        .with {
                            $0.key = Data("a".utf8)
                            $0.target = .version
                            $0.version = 2
                        }
                    ]
                    $0.success = [
                        .with {
                            $0.requestDeleteRange = .with {
                                $0.key = Data("a".utf8)
                                $0.prevKv = true
                            }
                        },
                        .with { $0.requestRange = .with { $0.key = Data("a".utf8) } },
                    ]
                }, EtcdTxnResponse.self)
            #expect(txn.succeeded && txn.responses[0].responseDeleteRange.prevKvs.count == 1)
            #expect(txn.responses[1].responseRange.count == 0 && txn.header.revision == 5)
        }
    }

    @Test("a lease that is not kept takes its keys with it")
    func leaseEnds() async throws {
        try await withServer { server in
            let lease = try await call(
                server, "/etcdserverpb.Lease/LeaseGrant", EtcdLeaseGrantRequest.with { $0.ttl = 2 },
                EtcdLeaseGrantResponse.self)
            #expect(lease.ttl == 2 && lease.id > 0)
            let watch = try await server.client.open("/etcdserverpb.Watch/Watch")
            watch.send(try EtcdWatchRequest.with { $0.createRequest.key = Data("l".utf8) }.serializedBytes())
            _ = try await watch.next()
            _ = try await call(
                server, "/etcdserverpb.KV/Put",
                EtcdPutRequest.with {
                    $0.key = Data("l".utf8)
                    $0.lease = lease.id
                },
                EtcdPutResponse.self)
            let put = try EtcdWatchResponse(serializedBytes: try #require(try await watch.next()))
            #expect(put.events.map(\.kv.lease) == [lease.id])
            server.advance(by: .seconds(5))
            let ended = try EtcdWatchResponse(serializedBytes: try #require(try await watch.next()))
            #expect(ended.events.map(\.type) == [.delete])
            let gone = try await call(
                server, "/etcdserverpb.Lease/LeaseTimeToLive",
                EtcdLeaseTimeToLiveRequest.with { $0.id = lease.id },
                EtcdLeaseTimeToLiveResponse.self)
            #expect(gone.ttl == -1)
            watch.reset()
        }
    }

    @Test("a watch over the wire misses nothing and repeats nothing while others write")
    func watchUnderLoad() async throws {
        try await withServer { server in
            let watch = try await server.client.open("/etcdserverpb.Watch/Watch")
            watch.send(
                try EtcdWatchRequest.with {
                    $0.createRequest.key = Data("w".utf8)
                    $0.createRequest.rangeEnd = Data("x".utf8)
                }.serializedBytes())
            _ = try await watch.next()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for writer in 0..<4 {
                    group.addTask {
                        let client = try await GRPCTestClient.connect(port: server.port)
                        for index in 0..<50 {
                            let put = EtcdPutRequest.with { $0.key = Data("w\(writer)-\(index)".utf8) }
                            _ = try await client.unary("/etcdserverpb.KV/Put", try put.serializedBytes())
                        }
                        try await client.close()
                    }
                }
                try await group.waitForAll()
            }
            var revisions: [Int64] = []
            while revisions.count < 200 {
                let response = try EtcdWatchResponse(serializedBytes: try #require(try await watch.next()))
                revisions += response.events.map(\.kv.modRevision)
            }
            #expect(revisions == Array(2...201))
            watch.reset()
        }
    }

    @Test("a snapshot is a whole file of pages, and its SHA-256 follows")
    func snapshot() async throws {
        try await withServer { server in
            for index in 0..<40 {
                _ = try await call(
                    server, "/etcdserverpb.KV/Put",
                    EtcdPutRequest.with {
                        $0.key = Data("k\(index)".utf8)
                        $0.value = Data(repeating: 7, count: 20_000)
                    }, EtcdPutResponse.self)
            }
            let reply = try await server.client.unary("/etcdserverpb.Maintenance/Snapshot", [])
            #expect(reply.code == 0)
            let parts = try reply.messages.map { try EtcdSnapshotResponse(serializedBytes: $0) }
            #expect(parts.allSatisfy { $0.blob.count <= 32 << 10 } && parts.last?.remainingBytes == 0)
            let stream = parts.dropLast().reduce(Data()) { $0 + $1.blob }
            #expect(
                stream.count > 800_000 && stream.count % BoltPage.size == 0
                    && Array(stream[16..<24]) == [0xED, 0xDA, 0x0C, 0xED, 2, 0, 0, 0])
            #expect(parts[0].remainingBytes == UInt64(stream.count - parts[0].blob.count))
            let hash = StreamDigest()
            hash.update(Array(stream))
            #expect(parts.last?.blob == Data(hash.finalize()))
        }
    }

    @Test("the server goes on when a client goes away in the middle of a snapshot")
    func snapshotAbandoned() async throws {
        try await withServer { server in
            for index in 0..<60 {
                _ = try await call(
                    server, "/etcdserverpb.KV/Put",
                    EtcdPutRequest.with {
                        $0.key = Data("k\(index)".utf8)
                        $0.value = Data(repeating: 7, count: 100_000)
                    }, EtcdPutResponse.self)
            }
            let call = try await server.client.open("/etcdserverpb.Maintenance/Snapshot")
            call.send([], ends: true)
            _ = try await call.next()
            call.reset()
            let status = try await self.call(
                server, "/etcdserverpb.Maintenance/Status", EtcdStatusRequest(), EtcdStatusResponse.self)
            #expect(status.header.revision == 61)
        }
    }

    @Test("hashes agree with themselves and change with the store")
    func hashes() async throws {
        try await withServer { server in
            func hash() async throws -> EtcdHashKVResponse {
                try await call(
                    server, "/etcdserverpb.Maintenance/HashKV", EtcdHashKVRequest(), EtcdHashKVResponse.self)
            }
            let before = try await hash()
            #expect(try await hash() == before)
            _ = try await call(
                server, "/etcdserverpb.KV/Put", EtcdPutRequest.with { $0.key = Data([1]) },
                EtcdPutResponse.self)
            #expect(try await hash().hash != before.hash)
        }
    }

    @Test("what there is not is unimplemented with grpc-go's words")
    func unimplemented() async throws {
        try await withServer { server in
            let method = try await server.client.unary("/etcdserverpb.KV/RangeStream", [])
            #expect(method.code == 12)
            #expect(method.message == "unknown method RangeStream for service etcdserverpb.KV")
            let service = try await server.client.unary("/v3lockpb.Lock/Lock", [])
            #expect(service.code == 12 && service.message == "unknown service v3lockpb.Lock")
        }
    }

    @Test("health is served, an unknown service is not found")
    func health() async throws {
        try await withServer { server in
            let check = try await call(
                server, "/grpc.health.v1.Health/Check", GRPCHealthCheckRequest(), GRPCHealthCheckResponse.self
            )
            #expect(check.status == .serving)
            let unknown = try await server.client.unary(
                "/grpc.health.v1.Health/Check",
                try GRPCHealthCheckRequest.with { $0.service = "x" }.serializedBytes())
            #expect(unknown.code == 5 && unknown.message == "unknown service")
        }
    }
}
