import Automata
import Testing

@testable import Runtime

@Suite("Identity")
struct IdentityTests {
    private func options(_ name: String, _ members: [(String, String)], token: String = "t") -> ServerOptions
    {
        var options = ServerOptions(dataDirectory: "/nowhere")
        options.name = name
        options.clusterToken = token
        options.advertisePeerURLs = members.filter { $0.0 == name }.map(\.1)
        options.initialCluster = members.map { .init(name: $0.0, peerURLs: [$0.1]) }
        return options
    }

    private let three = [("a", "http://h1:1"), ("b", "http://h2:2"), ("c", "http://h3:3")]

    @Test("all members derive the same ids, in whatever order the cluster is written down")
    func agreement() throws {
        let a = try Identity(options("a", three), owner: nil)
        let b = try Identity(options("b", three.reversed()), owner: nil)
        #expect(a.clusterID == b.clusterID)
        #expect(a.members == b.members)
        #expect(a.memberID != b.memberID)
        #expect(a.members.first { $0.name == "b" }?.id == b.memberID)
    }

    @Test("another token makes another cluster with other members")
    func token() throws {
        let one = try Identity(options("a", three), owner: nil)
        let other = try Identity(options("a", three, token: "u"), owner: nil)
        #expect(one.clusterID != other.clusterID)
        #expect(one.memberID != other.memberID)
    }

    @Test("ids do not change between versions of this program")
    func stability() {
        let member = Identity.memberID(peerURLs: ["http://localhost:2380"], token: "etcd-cluster")
        #expect(hex(member.rawValue) == "332edfeb5f6d9dac")
        #expect(hex(Identity.clusterID(members: [member], token: "etcd-cluster")) == "3645be4334ff89c0")
    }

    @Test("a cluster that does not name the member, or not with its addresses, is refused")
    func contradictions() {
        #expect(throws: ServerError.self) { try Identity(options("d", three), owner: nil) }
        var wrong = options("a", three)
        wrong.advertisePeerURLs = ["http://h9:9"]
        #expect(throws: ServerError.self) { try Identity(wrong, owner: nil) }
        #expect(throws: ServerError.self) {
            try Identity(options("a", three + [("d", "http://h1:1")]), owner: nil)
        }
    }

    @Test("what a member was first told is read back as it was written, and only so")
    func firstMembers() throws {
        let members = [
            Identity.Member(id: ProcessID(1), name: "a b%\n", peerURLs: ["http://h1:1", "http://h1:2"]),
            Identity.Member(id: ProcessID(.max), name: "ü", peerURLs: ["http://[::1]:1"]),
            Identity.Member(id: ProcessID(3), name: "", peerURLs: ["http://h3:1"]),
        ]
        for first in [
            FirstMembers(isJoining: false, members: members), .init(isJoining: true, members: []),
            FirstMembers(isJoining: false, members: members, origin: 0xbac),
        ] {
            let bytes = first.encoded()
            #expect(try FirstMembers(decoding: bytes, path: "p") == first)
            for index in bytes.indices {
                var damaged = bytes
                damaged[index] ^= 1
                #expect(throws: (any Error).self) { try FirstMembers(decoding: damaged, path: "p") }
            }
            #expect(throws: (any Error).self) { try FirstMembers(decoding: bytes.dropLast(), path: "p") }
            #expect(throws: (any Error).self) { try FirstMembers(decoding: [], path: "p") }
        }
    }

    @Test(
        "peer URLs are read with names, IPv4 and IPv6 addresses",
        arguments: [
            ("http://localhost:2380", "localhost", 2380), ("http://10.0.0.1:1", "10.0.0.1", 1),
            ("http://[::1]:65535", "::1", 65535), ("http://a-b.example:80/", "a-b.example", 80),
        ])
    func urls(text: String, host: String, port: Int) throws {
        let url = try PeerURL(text)
        #expect(url.host == host)
        #expect(url.port == port)
    }

    @Test(
        "what is no peer URL is refused",
        arguments: [
            "", "localhost:2380", "http://", "http://:80", "http://h", "http://h:", "http://h:x",
            "http://h:70000",
            "http://::1:80", "http://[::1:80", "http://[::1]", "http://h:1/path", "ftp://h:1",
        ])
    func noURLs(text: String) {
        #expect(throws: ServerError.self) { try PeerURL(text) }
    }
}
