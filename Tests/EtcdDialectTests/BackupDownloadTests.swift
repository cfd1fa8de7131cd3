import Coordination
import Member
import Testing

@testable import EtcdDialect

/// The page from which `synod backup` reads.
@Suite("Backups over HTTP") struct BackupDownloadTests {
    private func request(_ method: String = "GET", version: String = "1.0") -> String {
        "\(method) /synod/backup HTTP/\(version)\r\nHost: x\r\n\r\n"
    }

    /// Keys with values of 5 kB, several pieces of a checkpoint.
    private func fill(_ server: ServerHarness, keys: Int = 300) throws {
        var ledger = try server.service.store.read { try Ledger(from: $0) }
        var consequences = Consequences()
        try server.service.store.write { transaction in
            for number in 0..<keys {
                let put = PutOperation(
                    key: Array("key \(number)".utf8), value: [UInt8](repeating: 7, count: 5000))
                _ = try ledger.apply(
                    KeyValueCommand.put(put).command, in: transaction, into: &consequences)
            }
        }
    }

    @Test("a download is a whole checkpoint of the store")
    func whole() async throws {
        try await withServer { server in
            try fill(server)
            let bytes = try await HTTPTestClient.with(port: server.port) { client in
                try await client.write(request())
                let head = try await client.head()
                #expect(head.status == 200 && head.headers["content-type"] == BackupDownload.contentType)
                return try await client.rest()
            }
            let store = MemoryStore()
            var stream = CheckpointStream()
            try bytes.withUnsafeBytes { try stream.receive($0, into: store) }
            try stream.expectEnd()
            let count = try store.read {
                try KeyValueReader($0).range(RangeQuery(range: KeyRange(key: [0], end: []))).count
            }
            #expect(count == 300)
        }
    }

    @Test("a client of HTTP/1.1 is sent chunks, and may ask for more on its connection")
    func chunks() async throws {
        try await withServer { server in
            try fill(server, keys: 3)
            try await HTTPTestClient.with(port: server.port) { client in
                for _ in 0..<2 {
                    try await client.write(request(version: "1.1"))
                    let response = try await client.response()
                    #expect(response.status == 200 && response.headers["transfer-encoding"] == "chunked")
                }
            }
        }
    }

    @Test("who asks only for the head is sent that, and other methods are refused")
    func methods() async throws {
        #expect(GatewayRoute(.HEAD, path: "/synod/backup") == .page(.backup))
        try await withServer { server in
            try await HTTPTestClient.with(port: server.port) { client in
                try await client.write(request("POST", version: "1.1"))
                #expect(try await client.response().status == 405)
            }
        }
    }

    @Test("a store that cannot be read is told of, to the client and the service")
    func damaged() async throws {
        var damaged: DamagedService?
        func wrap(_ service: MemoryService) -> any CoordinationService {
            let service = DamagedService(service)
            damaged = service
            return service
        }
        try await withServer(wrap: wrap) { server in
            let service = try #require(damaged)
            try await HTTPTestClient.with(port: server.port) { client in
                try await client.write(request(version: "1.1"))
                let response = try await client.response()
                #expect(response.status == 503 && response.body.contains(service.damage.message))
            }
            #expect(service.told == [service.damage])
        }
    }
}
