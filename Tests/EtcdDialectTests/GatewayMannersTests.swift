import Testing

@testable import EtcdDialect

/// What the two versions of HTTP/1 promise about connections, and what Go's server makes of odd requests.
@Suite("The gateway's manners") struct GatewayMannersTests {
    private let range = #"{"key":"YQ=="}"#

    private func post(_ path: String, _ body: String, version: String = "1.1", headers: String = "") -> String
    {
        "POST \(path) HTTP/\(version)\r\nHost: x\r\n\(headers)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    @Test(
        "a response says what becomes of the connection where the version's rule is another",
        arguments: [
            ("1.0", "Connection: keep-alive\r\n", "keep-alive" as String?), ("1.0", "", nil),
            ("1.1", "Connection: close\r\n", "close"), ("1.1", "Connection: Keep-Alive, Close\r\n", "close"),
            ("1.1", "", nil),
        ])
    func connection(version: String, headers: String, told: String?) async throws {
        try await withServer { server in
            try await HTTPTestClient.with(port: server.port) { client in
                try await client.write(post("/v3/kv/range", range, version: version, headers: headers))
                let response = try await client.response()
                #expect(response.status == 200 && response.headers["connection"] == told)
                let stays = told == "keep-alive" || (version == "1.1" && told == nil)
                if stays {
                    try await client.write(post("/v3/kv/range", range, version: version, headers: headers))
                    #expect(try await client.response().status == 200)
                } else {
                    #expect(try await client.isClosed())
                }
            }
        }
    }

    @Test("a response has the date, in the form of RFC 9110")
    func date() async throws {
        #expect(HTTPDate.text(at: 784_111_777) == "Sun, 06 Nov 1994 08:49:37 GMT")
        try await withServer { server in
            try await HTTPTestClient.with(port: server.port) { client in
                try await client.write(post("/v3/kv/range", range))
                #expect(try await client.response().headers["date"]?.hasSuffix(" GMT") == true)
            }
        }
    }

    @Test("a stream to a client of HTTP/1.0 ends with the connection")
    func oldStream() async throws {
        try await withServer { server in
            try await HTTPTestClient.with(port: server.port) { client in
                let headers = "Connection: keep-alive\r\nGrpc-Timeout: 50m\r\n"
                try await client.write(
                    post("/v3/watch", #"{"create_request":{"key":"YQ=="}}"#, version: "1.0", headers: headers)
                )
                let head = try await client.head()
                #expect(head.headers["transfer-encoding"] == nil && head.headers["connection"] == nil)
                #expect(try await client.isClosed())
            }
        }
    }

    @Test("a timeout ends a call whether it streams or not, and one that cannot be read is refused")
    func timeout() async throws {
        try await withServer { server in
            try await HTTPTestClient.with(port: server.port) { client in
                let watch = #"{"create_request":{"key":"YQ=="}}"#
                try await client.request("POST", "/v3/watch", watch, headers: "Grpc-Timeout: 50m\r\n")
                let stream = try await client.response()
                #expect(stream.status == 200 && stream.body.contains("context deadline exceeded"))
                #expect(stream.body.contains(#""grpc_code":4,"http_code":504"#))
                for path in ["/v3/kv/range", "/v3/watch"] {
                    try await client.request("POST", path, range, headers: "Grpc-Timeout: -1S\r\n")
                    let late = try await client.response()
                    #expect(late.status == 504 && late.body.contains(#""code":4"#))
                    try await client.request("POST", path, range, headers: "Grpc-Timeout: soon\r\n")
                    let malformed = try await client.response()
                    #expect(malformed.status == 400 && malformed.body.contains("invalid grpc-timeout: soon"))
                }
                try await client.request("POST", "/v3/kv/range", range, headers: "Grpc-Timeout: 5S\r\n")
                #expect(try await client.response().status == 200)
            }
        }
    }

    @Test("targets that name the host are served, odd ones are shown the way, wrong ones refused")
    func targets() async throws {
        try await withServer { server in
            try await HTTPTestClient.with(port: server.port) { client in
                try await client.request("POST", "http://x:1/v3/kv/range", range)
                #expect(try await client.response().status == 200)
                try await client.request("POST", "/v3//kv/range", range)
                let moved = try await client.response()
                #expect(moved.status == 301 && moved.headers["location"] == "/v3/kv/range")
                try await client.request("GET", "/v3/kv/%zz")
                let refused = try await client.response()
                #expect(refused.status == 400 && refused.headers["connection"] == "close")
                #expect(try await client.isClosed())
            }
        }
    }

    @Test(
        "what Go's server refuses at once is refused",
        arguments: [
            ("GET /health HTTP/1.1\r\n\r\n", 400, "missing required Host header"),
            ("GET /health HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, "too many Host headers"),
            ("GET /health HTTP/1.1\r\nHost: a\r\nExpect: wonders\r\n\r\n", 417, ""),
        ])
    func refusals(request: String, status: Int, reason: String) async throws {
        try await withServer { server in
            try await HTTPTestClient.with(port: server.port) { client in
                try await client.write(request)
                let response = try await client.response()
                #expect(response.status == status && response.body.hasSuffix(reason))
                #expect(try await client.isClosed())
            }
        }
    }

    @Test("a header of 200 kB is a header")
    func largeHeader() async throws {
        try await withServer { server in
            try await HTTPTestClient.with(port: server.port) { client in
                let large = "X-Large: \(String(repeating: "a", count: 200_000))\r\n"
                try await client.request("POST", "/v3/kv/range", range, headers: large)
                #expect(try await client.response().status == 200)
            }
        }
    }

    @Test(
        "while the server drains a kept connection has its next request answered, and is told that it was the last"
    )
    func drain() async throws {
        try await withServer(linger: .seconds(30)) { server in
            try await HTTPTestClient.with(port: server.port) { client in
                try await client.request("POST", "/v3/kv/range", range)
                #expect(try await client.response().headers["connection"] == nil)
                async let drained: Void = server.server.drain(limit: .seconds(30))
                try await server.client.waitUntilClosed()
                try await client.request("POST", "/v3/kv/range", range)
                let last = try await client.response()
                #expect(last.status == 200 && last.headers["connection"] == "close")
                #expect(try await client.isClosed())
                await drained
            }
        }
    }
}
