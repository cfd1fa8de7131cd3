import EtcdProtobuf
import Foundation
import SwiftProtobuf
import Testing

@testable import EtcdDialect

/// The JSON gateway and the pages over a real connection.
@Suite("The gateway over a connection") struct GatewayServiceTests {
    private let put = #"{"key":"YQ==","value":"MQ=="}"#

    @Test("a connection serves one request after the other")
    func keepAlive() async throws {
        try await withServer { server in
            try await HTTPTestClient.with(port: server.port) { client in
                for revision in 2...4 {
                    try await client.request("POST", "/v3/kv/put", put)
                    let response = try await client.response()
                    #expect(response.status == 200)
                    #expect(response.body.contains("\"revision\":\"\(revision)\""))
                    #expect(response.headers["grpc-metadata-content-type"] == "application/grpc")
                    #expect(response.headers["access-control-allow-origin"] == "*")
                }
            }
        }
    }

    @Test("requests sent at once are answered in their order")
    func pipelining() async throws {
        try await withServer { server in
            try await HTTPTestClient.with(port: server.port) { client in
                try await client.request("POST", "/v3/kv/put", put)
                try await client.request("GET", "/version")
                try await client.request("POST", "/v3/kv/range", #"{"key":"YQ=="}"#)
                try await client.request("POST", "/v3/nothing", "{}")
                #expect(try await client.response().body.contains("header"))
                #expect(try await client.response().body == #"{"etcdserver":"3.5.21","etcdcluster":"3.5.0"}"#)
                #expect(try await client.response().body.contains(#""count":"1""#))
                #expect(try await client.response().status == 404)
            }
        }
    }

    @Test("a client that does not want to keep the connection loses it")
    func close() async throws {
        try await withServer { server in
            try await HTTPTestClient.with(port: server.port) { client in
                try await client.request("GET", "/version", headers: "Connection: close\r\n")
                #expect(try await client.response().status == 200)
                #expect(try await client.isClosed())
            }
        }
    }

    @Test("errors have etcd's status and body, and the connection goes on")
    func errors() async throws {
        try await withServer { server in
            try await HTTPTestClient.with(port: server.port) { client in
                for (path, body, status, text) in [
                    ("/v3/kv/range", "{}", 400, "etcdserver: key is not provided"),
                    ("/v3/lease/revoke", #"{"ID":7}"#, 404, "etcdserver: requested lease not found"),
                    ("/v3/kv/range", "{", 400, "unexpected EOF"),
                ] {
                    try await client.request("POST", path, body)
                    let response = try await client.response()
                    #expect(response.status == status && response.body.contains("\"error\":\"\(text)\""))
                    #expect(response.body.contains("\"message\":\"\(text)\""))
                }
                try await client.request("GET", "/v3/kv/range")
                #expect(try await client.response().status == 405)
                try await client.request("OPTIONS", "/v3/kv/range")
                let preflight = try await client.response()
                #expect(preflight.status == 200)
                #expect(
                    preflight.headers["access-control-allow-methods"] == "POST, GET, OPTIONS, PUT, DELETE")
            }
        }
    }

    @Test("a watch is a stream of lines that ends with the connection")
    func watch() async throws {
        try await withServer { server in
            try await HTTPTestClient.with(port: server.port) { client in
                try await client.request("POST", "/v3/watch", #"{"create_request":{"key":"YQ=="}}"#)
                let head = try await client.head()
                #expect(head.status == 200 && head.headers["transfer-encoding"] == "chunked")
                let created = try await client.chunk()
                #expect(created.hasPrefix(#"{"result":{"#) && created.contains(#""created":true"#))
                #expect(created.hasSuffix("\n"))
                let bytes: [UInt8] = try EtcdPutRequest.with { $0.key = Data("a".utf8) }.serializedBytes()
                #expect(try await server.client.unary("/etcdserverpb.KV/Put", bytes).code == 0)
                let event = try await client.chunk()
                #expect(event.contains(#""events":[{"kv":{"key":"YQ==""#))
            }
            // The watch has gone with its connection.
            try await HTTPTestClient.with(port: server.port) { client in
                var page = ""
                repeat {
                    try await client.request("GET", "/metrics")
                    page = try await client.response().body
                } while !page.contains("\netcd_debugging_mvcc_watcher_total 0\n")
            }
        }
    }

    @Test("one keepalive over HTTP is answered and ends, several share a request")
    func keepalives() async throws {
        try await withServer { server in
            try await HTTPTestClient.with(port: server.port) { client in
                try await client.request("POST", "/v3/lease/grant", #"{"ID":"7","TTL":"60"}"#)
                _ = try await client.response()
                try await client.request("POST", "/v3/lease/keepalive", #"{"ID":"7"} {"ID":"8"}"#)
                let lines = try await client.response().body.split(separator: "\n")
                #expect(lines.count == 2 && lines[0].contains(#""TTL":"60""#) && !lines[1].contains("TTL"))
            }
        }
    }

    @Test("a body that says it is too long is refused before it is read, and one that waits is asked for")
    func largeBodies() async throws {
        try await withServer { server in
            try await HTTPTestClient.with(port: server.port) { client in
                try await client.write(
                    "POST /v3/kv/put HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: \(put.utf8.count)\r\n\r\n"
                )
                #expect(try await client.head().status == 100)
                try await client.write(put)
                #expect(try await client.response().status == 200)
                try await client.write(
                    "POST /v3/kv/put HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n")
                #expect(try await client.response().status == 413)
                #expect(try await client.isClosed())
            }
        }
    }

    @Test("the pages tell health")
    func pages() async throws {
        try await withServer { server in
            try await HTTPTestClient.with(port: server.port) { client in
                try await client.request("GET", "/health")
                #expect(try await client.response().body == #"{"health":"true","reason":""}"#)
                try await client.request("GET", "/livez")
                #expect(try await client.response().body == "ok\n")
                try await client.request("GET", "/readyz?verbose&exclude=non_learner")
                #expect(
                    try await client.response().body == """
                        [+]data_corruption ok
                        [+]serializable_read ok
                        [+]linearizable_read ok
                        [+]non_learner excluded: ok
                        ok

                        """)
                try await client.request("GET", "/readyz/nothing")
                #expect(try await client.response().status == 404)
                try await client.request(
                    "POST", "/v3/maintenance/alarm",
                    #"{"action":"ACTIVATE","memberID":"5","alarm":"CORRUPT"}"#)
                #expect(try await client.response().status == 200)
                try await client.request("GET", "/health")
                let health = try await client.response()
                #expect(health.status == 503 && health.body.contains(#""reason":"ALARM CORRUPT""#))
                try await client.request("GET", "/readyz")
                let ready = try await client.response()
                #expect(ready.status == 503 && ready.body.contains("[-]data_corruption failed: "))
            }
        }
    }
}
