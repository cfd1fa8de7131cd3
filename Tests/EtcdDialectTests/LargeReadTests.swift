import Coordination
import EtcdProtobuf
import Foundation
import GRPCTestSupport
import Member
import NIOPosix
import SwiftProtobuf
import Synchronization
import Testing

@testable import EtcdDialect

@Suite("Large reads") struct LargeReadTests {
    private static let count = 3000
    private static let value = [UInt8](repeating: 120, count: 1000)

    private func fill(_ service: MemoryService) throws {
        let port = service.openPort { _ in }
        for start in stride(from: 0, to: Self.count, by: 100) {
            var transaction = KeyValueTransaction()
            transaction.success = (start..<start + 100).map {
                .put(PutOperation(key: Array("k\(10_000 + $0)".utf8), value: Self.value))
            }
            port.submit(.command(KeyValueCommand.transaction(transaction).command), token: UInt64(start))
        }
        port.flush()
        port.close()
    }

    private var everything: EtcdRangeRequest {
        .with {
            $0.key = Data("k".utf8)
            $0.rangeEnd = Data("l".utf8)
        }
    }

    private func range(_ server: ServerHarness, _ request: EtcdRangeRequest) async throws -> EtcdRangeResponse
    {
        let reply = try await server.client.unary("/etcdserverpb.KV/Range", try request.serializedBytes())
        #expect(reply.code == 0, "\(reply.message)")
        return try EtcdRangeResponse(serializedBytes: try #require(reply.messages.first))
    }

    @Test("are answered in full over gRPC, in every form")
    func forms() async throws {
        try await withServer { server in
            try fill(server.service)
            let all = try await range(server, everything)
            #expect(all.kvs.count == Self.count && all.count == Self.count && !all.more)
            #expect(all.kvs.allSatisfy { $0.value.count == Self.value.count })
            #expect(all.header.revision == 31 && all.header.memberID != 0)
            var request = everything
            request.countOnly = true
            let counted = try await range(server, request)
            #expect(counted.kvs.isEmpty && counted.count == Self.count)
            request = everything
            request.keysOnly = true
            request.serializable = true
            let keys = try await range(server, request)
            #expect(keys.kvs.map(\.key) == all.kvs.map(\.key) && keys.kvs.allSatisfy(\.value.isEmpty))
            request = everything
            request.limit = 1
            #expect(try await range(server, request).count == Self.count)
            request.revision = 99
            let reply = try await server.client.unary(
                "/etcdserverpb.KV/Range", try request.serializedBytes())
            #expect(reply.message == "etcdserver: mvcc: required revision is a future revision")
        }
    }

    @Test("in transactions, and what deletions answer with, are complete as well")
    func others() async throws {
        try await withServer { server in
            try fill(server.service)
            let request = EtcdTxnRequest.with { $0.success = [.with { $0.requestRange = everything }] }
            let reply = try await server.client.unary("/etcdserverpb.KV/Txn", try request.serializedBytes())
            let response = try EtcdTxnResponse(serializedBytes: try #require(reply.messages.first))
            #expect(response.succeeded && response.responses[0].responseRange.kvs.count == Self.count)
            let delete = EtcdDeleteRangeRequest.with {
                $0.key = everything.key
                $0.rangeEnd = everything.rangeEnd
                $0.prevKv = true
            }
            let deleted = try await server.client.unary(
                "/etcdserverpb.KV/DeleteRange", try delete.serializedBytes())
            let previous = try EtcdDeleteRangeResponse(serializedBytes: try #require(deleted.messages.first))
            #expect(previous.deleted == Self.count && previous.prevKvs.count == Self.count)
        }
    }

    @Test("have their form in JSON, and the connection goes on")
    func gateway() async throws {
        try await withServer { server in
            try fill(server.service)
            try await HTTPTestClient.with(port: server.port) { client in
                for _ in 0..<2 {
                    try await client.request(
                        "POST", "/v3/kv/range", #"{"key":"aw==","range_end":"bA=="}"#)
                    let response = try await client.response()
                    #expect(response.status == 200)
                    let parsed = try EtcdRangeResponse(jsonString: response.body)
                    #expect(parsed.kvs.count == Self.count && parsed.count == Self.count)
                }
                try await client.request("GET", "/version")
                #expect(try await client.response().status == 200)
            }
        }
    }

    @Test("tell the service of the damage that they meet, as a snapshot does")
    func damaged() async throws {
        var damaged: DamagedService?
        func wrap(_ service: MemoryService) -> any CoordinationService {
            let service = DamagedService(service)
            damaged = service
            return service
        }
        try await withServer(wrap: wrap) { server in
            try fill(server.service)
            let service = try #require(damaged)
            let request: [UInt8] = try everything.serializedBytes()
            let read = try await server.client.unary("/etcdserverpb.KV/Range", request)
            #expect(read.code != 0 && read.message == service.damage.message)
            #expect(service.told == [service.damage])
            let snapshot = try await server.client.unary("/etcdserverpb.Maintenance/Snapshot", [])
            #expect(snapshot.code != 0)
            #expect(service.told == [service.damage, service.damage])
        }
    }

    @Test("end with their client, and let go of the store")
    func cancelled() async throws {
        try await withServer { server in
            try fill(server.service)
            let other = try await GRPCTestClient.connect(to: server.server.localAddresses[0], window: 1000)
            async let stuck = other.unary("/etcdserverpb.KV/Range", try everything.serializedBytes())
            #expect(try await range(server, everything).count == Self.count)
            try await other.close()
            _ = try? await stuck
            #expect(try await range(server, everything).count == Self.count)
        }
    }

    @Test("reads that together take long leave the event loop to others in between")
    func turns() throws {
        let harness = EndpointHarness()
        try harness.service.store.write { transaction in
            var ledger = try Ledger(from: transaction)
            var consequences = Consequences()
            for number in 0..<200 {
                let put = PutOperation(key: Array("k\(1000 + number)".utf8), value: [1])
                _ = try ledger.apply(
                    KeyValueCommand.put(put).command, in: transaction, into: &consequences)
            }
        }
        var request = everything
        request.serializable = true
        let transports = try (0..<50).map { _ in
            let (call, transport) = harness.open(.range)
            let bytes: [UInt8] = try request.serializedBytes()
            bytes.withUnsafeBytes { call?.received($0) }
            return transport
        }
        harness.endpoint.flush()
        let first = transports.filter { $0.status == .ok }.count
        #expect(first > 0 && first < 20, "\(first) in one turn")
        for _ in 0..<50 { harness.loop.advanceTime(by: .milliseconds(1)) }
        #expect(transports.allSatisfy { $0.status == .ok && $0.messages.count == 1 })
    }
}

@Suite("Turns of clients") struct ReadPoolTests {
    private final class Owner {}

    @Test("each client has one job at a time, and a late client waits for one job of the others at most")
    func turns() throws {
        let threads = NIOThreadPool(numberOfThreads: 2)
        threads.start()
        defer { try? threads.syncShutdownGracefully() }
        let pool = ReadPool(threads, limit: 1)
        let owners = (0..<2).map { _ in Owner() }
        let order = Mutex<[Int]>([])
        let gate = DispatchSemaphore(value: 0)
        let done = DispatchSemaphore(value: 0)
        pool.submit(for: ObjectIdentifier(owners[0])) { gate.wait() }
        for client in [0, 0, 0, 1, 1] {
            pool.submit(for: ObjectIdentifier(owners[client])) {
                order.withLock { $0.append(client) }
                done.signal()
            }
        }
        gate.signal()
        for _ in 0..<5 { done.wait() }
        #expect(order.withLock { $0 } == [1, 0, 1, 0, 0])
        withExtendedLifetime(owners) {}
    }

    @Test("with threads to spare a client's jobs still come one after the other")
    func oneAtATime() throws {
        let threads = NIOThreadPool(numberOfThreads: 4)
        threads.start()
        defer { try? threads.syncShutdownGracefully() }
        let pool = ReadPool(threads, limit: 4)
        let owner = Owner()
        let running = Atomic<Int>(0)
        let overlaps = Atomic<Int>(0)
        let order = Mutex<[Int]>([])
        let done = DispatchSemaphore(value: 0)
        for number in 0..<200 {
            pool.submit(for: ObjectIdentifier(owner)) {
                if running.add(1, ordering: .relaxed).newValue > 1 { overlaps.add(1, ordering: .relaxed) }
                order.withLock { $0.append(number) }
                running.subtract(1, ordering: .relaxed)
                done.signal()
            }
        }
        for _ in 0..<200 { done.wait() }
        #expect(overlaps.load(ordering: .relaxed) == 0)
        #expect(order.withLock { $0 } == Array(0..<200))
        withExtendedLifetime(owner) {}
    }
}
