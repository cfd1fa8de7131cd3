import EtcdProtobuf
import Foundation
import Testing

@testable import EtcdDialect

@Suite("The gateway's rules") struct GatewayWireTests {
    private func request(_ method: EtcdMethod, _ json: String) throws -> [UInt8] {
        try method.description.transcoder.request(Array(json.utf8))
    }

    @Test("fields may be named as in the protocol or in lower camel case, integers be strings or numbers")
    func input() throws {
        for json in [
            #"{"key":"YQ==","range_end":"Yg==","limit":"5","sort_order":"DESCEND"}"#,
            #"{"key":"YQ==","rangeEnd":"Yg==","limit":5,"sortOrder":2,"unknown":{"a":[1]}}"#,
        ] {
            let message = try EtcdRangeRequest(serializedBytes: try request(.range, json))
            #expect(message.key == Data("a".utf8) && message.rangeEnd == Data("b".utf8))
            #expect(message.limit == 5 && message.sortOrder == .descend)
        }
        let grant = try EtcdLeaseGrantRequest(
            serializedBytes: try request(.leaseGrant, #"{"ID":7,"TTL":"8"}"#))
        #expect(grant.id == 7 && grant.ttl == 8)
    }

    @Test(
        "bytes may be broken into lines and their letters escaped",
        arguments: [#"{"key":"YW\nI/\r\n"}"#, #"{"key":"\u0059WI\/"}"#, #"{"key":"YWI\u002F"}"#])
    func escapedBytes(json: String) throws {
        let message = try EtcdRangeRequest(serializedBytes: try request(.range, json))
        #expect(message.key == Data([0x61, 0x62, 0x3f]))
    }

    @Test("no body and null stand for a message without fields", arguments: ["", "null", "{}"])
    func emptyInput(json: String) throws { #expect(try request(.range, json).isEmpty) }

    @Test(
        "what is no request is an invalid argument",
        arguments: [
            "[]", "nonsense", #"{"key":5}"#, #"{"sort_order":"X"}"#, #"{"limit":1.5}"#, #"{"key":"YQ==""#,
            #"{"key":"Y\u0000Q="}"#,
        ])
    func badInput(json: String) {
        let error = #expect(throws: EtcdFault.self) { try request(.range, json) }
        #expect(error?.code == .invalidArgument)
    }

    @Test("64-bit integers leave as strings, fields as in the protocol, and what is zero not at all")
    func output() throws {
        let response = EtcdRangeResponse.with {
            $0.header.clusterID = .max
            $0.header.raftTerm = 2
            $0.kvs = [
                .with {
                    $0.key = Data("a".utf8)
                    $0.modRevision = 5
                }
            ]
            $0.count = 1
        }
        let bytes: [UInt8] = try response.serializedBytes()
        let json = bytes.withUnsafeBytes { EtcdMethod.range.description.transcoder.response($0) }
        let expected = """
            {"header":{"cluster_id":"18446744073709551615","raft_term":"2"},\
            "kvs":[{"key":"YQ==","mod_revision":"5"}],"count":"1"}
            """
        #expect(String(decoding: try #require(json), as: UTF8.self) == expected)
    }

    @Test(
        "JSON values that follow one another are cut apart, however the bytes arrive",
        arguments: [1, 3, 1000])
    func splitter(step: Int) {
        let text = #"{"a":"}\"{","b":[1,{}]} [1] "s\\" 12 true{"c":1}nu"#
        var splitter = JSONValueSplitter()
        var values: [[UInt8]] = []
        let bytes = Array(text.utf8)
        var start = 0
        while start < bytes.count {
            splitter.take(bytes[start..<min(start + step, bytes.count)], into: &values)
            start += step
        }
        #expect(
            values.map { String(decoding: $0, as: UTF8.self) }
                == [#"{"a":"}\"{","b":[1,{}]}"#, "[1]", #""s\\""#, "12", "true", #"{"c":1}"#])
        #expect(splitter.isInValue && splitter.takeEnd().map { String(decoding: $0, as: UTF8.self) } == "nu")
        splitter.take(Array(#"{"a":"#.utf8), into: &values)
        #expect(splitter.takeEnd() == nil && splitter.isInValue)
    }

    @Test("every path leads where it should")
    func routes() {
        #expect(GatewayRoute(.POST, path: "/v3/kv/range") == .call(.range))
        #expect(GatewayRoute(.POST, path: "/v3beta/kv/lease/revoke") == .call(.leaseRevoke))
        #expect(GatewayRoute(.POST, path: "/v3alpha/watch") == .call(.watch))
        #expect(GatewayRoute(.GET, path: "/v3/kv/range") == .methodNotAllowed(allowed: nil))
        #expect(GatewayRoute(.POST, path: "/v3/nonsense") == .noSuchCall)
        #expect(GatewayRoute(.GET, path: "/v2/keys/a") == .notFound)
        #expect(GatewayRoute(.OPTIONS, path: "/v3/kv/range") == .preflight)
        #expect(
            GatewayRoute(.GET, path: "/readyz/linearizable_read") == .page(.ready(check: "linearizable_read"))
        )
        #expect(GatewayRoute(.POST, path: "/version") == .methodNotAllowed(allowed: "GET"))
    }

    @Test(
        "a request's target is read in each of its forms, as Go's server does",
        arguments: [
            ("/v3/kv/range", .path("/v3/kv/range")), ("/health?serializable=true", .path("/health")),
            ("http://127.0.0.1:2379/v3/kv/range", .path("/v3/kv/range")),
            ("HTTPS://other/health?a=//b", .path("/health")), ("/v3/kv/r%61nge", .path("/v3/kv/range")),
            ("/v3/kv%2Frange", .path("/v3/kv/range")), ("/livez/", .path("/livez/")),
            ("http://x", .moved("/")), ("http://x?a=b", .moved("/?a=b")),
            ("//v3/kv/range", .moved("/v3/kv/range")), ("/v3/x/../kv/./range?q", .moved("/v3/kv/range?q")),
            ("/../health", .moved("/health")), ("/a//", .moved("/a/")), ("/a%20b//c", .moved("/a%20b/c")),
            ("health", .malformed), ("", .malformed), ("/r%zz", .malformed), ("/r%6", .malformed),
            ("*", .malformed), ("://x/health", .malformed),
        ] as [(String, RequestTarget)])
    func targets(text: String, target: RequestTarget) {
        #expect(RequestTarget(.GET, text) == target)
    }

    @Test("targets that only one method has")
    func specialTargets() {
        #expect(RequestTarget(.OPTIONS, "*") == .path("*"))
        #expect(RequestTarget(.CONNECT, "x:1") == .path("x:1"))
    }

    @Test(
        "a timeout given to the gateway is read more freely than gRPC does",
        arguments: [
            (nil, .unlimited), ("", .unlimited), ("0S", .unlimited), ("99999999999999H", .unlimited),
            ("1S", .nanoseconds(1_000_000_000)), ("+20m", .nanoseconds(20_000_000)), ("7n", .nanoseconds(7)),
            ("-1S", .over), ("1", .malformed), ("S", .malformed), ("1x", .malformed), ("1 S", .malformed),
            ("1.5S", .malformed), ("999999999999999999999S", .malformed), ("é", .malformed),
        ] as [(String?, GatewayTimeout)])
    func timeouts(text: String?, timeout: GatewayTimeout) {
        #expect(GatewayTimeout(text) == timeout)
    }

    @Test("a query's parameters may stand several times and are decoded")
    func query() {
        let query = QueryParameters(uri: "/health?exclude=NOSPACE&exclude=a%20b+c&verbose&x=1=2")
        #expect(query.values("exclude") == ["NOSPACE", "a b c"] && query.contains("verbose"))
        #expect(query.values("x") == ["1=2"] && !query.contains("y"))
        #expect(QueryParameters(uri: "/health").values("a").isEmpty)
    }

    @Test("the table of calls is in the order of its cases, and no two calls share a path")
    func table() {
        #expect(MethodTable.all.map(\.method) == EtcdMethod.allCases)
        #expect(MethodTable.byPath.count == EtcdMethod.allCases.count)
        #expect(MethodTable.byPath["/etcdserverpb.Lease/LeaseKeepAlive"] == .leaseKeepAlive)
        #expect(MethodTable.byGatewayPath["/maintenance/transfer-leadership"] == .moveLeader)
    }

    @Test("a number of the slab is never given to two values")
    func slab() {
        var slab = Slab<String>()
        let first = slab.insert("a")
        let second = slab.insert("b")
        #expect(slab[first] == "a" && slab[second] == "b" && slab.count == 2)
        #expect(slab.remove(first) == "a" && slab[first] == nil && slab.remove(first) == nil)
        let third = slab.insert("c")
        #expect(third != first && slab[third] == "c" && slab[first] == nil && slab.count == 2)
        #expect(slab[77] == nil)
    }
}
