import Automata
import Coordination
import Glibc
import Paxos
import Replica
import Testing

@testable import Runtime

/// Deterministic noise.
private struct Noise: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}

@Suite("Hostile peers")
struct PeerFuzzTests {
    private func connect(_ port: Int) -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard code == 0 else {
            close(descriptor)
            return -1
        }
        return descriptor
    }

    /// A greeting that is welcome, then frames: some whole, some damaged, some out of place, some only noise.
    private func stream(_ noise: inout Noise, _ status: ServiceStatus, other: UInt64, formation: UInt64)
        -> [UInt8]
    {
        var bytes: [UInt8] = []
        if noise.next() % 8 != 0 {
            var greeting = PeerGreeting(
                purpose: [.messages, .bulk, .checkpoint, .inquiry].randomElement(using: &noise)!,
                clusterID: status.clusterID, sender: ProcessID(other), receiver: ProcessID(status.memberID),
                formation: formation, disk: noise.next() % 2 == 0 ? nil : DiskID(noise.next()))
            if noise.next() % 6 == 0 { greeting.clusterID ^= 1 }
            bytes += PeerFrame.encoded(.greeting) { greeting.encode(into: &$0) }
        }
        for _ in 0..<(noise.next() % 4) {
            let kinds: [PeerFrameKind] = [
                .greeting, .replica, .request, .answer, .checkpointHead, .checkpointRows, .checkpointEnd,
                .alive,
            ]
            let body = (0..<(noise.next() % 200)).map { _ in UInt8.random(in: 0...255, using: &noise) }
            bytes += PeerFrame.encoded(kinds.randomElement(using: &noise)!) { $0 += body }
        }
        if noise.next() % 2 == 0, !bytes.isEmpty {
            for _ in 0..<(1 + noise.next() % 4) {
                let position = Int(noise.next() % UInt64(bytes.count))
                switch noise.next() % 3 {
                case 0: bytes[position] ^= 1 << UInt8(noise.next() % 8)
                case 1: bytes.removeSubrange(position...)
                default: bytes.insert(UInt8.random(in: 0...255, using: &noise), at: position)
                }
                if bytes.isEmpty { break }
            }
        }
        if noise.next() % 5 == 0 {
            bytes += (0..<(noise.next() % 500)).map { _ in UInt8.random(in: 0...255, using: &noise) }
        }
        return bytes
    }

    /// Sockets of this process whose own end is the port: other tests run beside this one, and theirs do not
    /// count.
    private func openDescriptors(at port: Int) -> Int {
        (0..<Int32(8192)).count { descriptor in
            var address = sockaddr_in()
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let result = withUnsafeMutablePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    getsockname(descriptor, $0, &length)
                }
            }
            return result == 0 && address.sin_family == sa_family_t(AF_INET)
                && Int(UInt16(bigEndian: address.sin_port)) == port
        }
    }

    @Test(
        "ten thousand random and mutated streams on the peer port neither crash nor leak, and the server serves on"
    )
    func streams() throws {
        let cluster = TestCluster(size: 2)
        try cluster.startAll()
        _ = try #require(cluster.leader())
        let server = cluster.servers["n1"]!
        let client = TestClient(server)
        try client.call(put("before"))
        let port = server.peerAddresses[0].port!
        let other = cluster.servers["n2"]!.status.memberID
        let before = openDescriptors(at: port)
        let status = server.status
        let formation = try #require(server.formation?.nonce)
        var noise = Noise(state: 20_240_229)
        var sent = 0
        for _ in 0..<10_000 {
            let descriptor = connect(port)
            guard descriptor >= 0 else { continue }
            let bytes = stream(&noise, status, other: other, formation: formation)
            _ = send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
            // Closed with unread bytes or not: both ends of a connection occur.
            if noise.next() % 2 == 0 { shutdown(descriptor, Int32(SHUT_WR)) }
            close(descriptor)
            sent += 1
        }
        #expect(sent == 10_000)
        try client.call(put("after"))
        #expect(try client.get("before") == "v")
        #expect(eventually { openDescriptors(at: port) <= before + 2 })
    }

    @Test("no bytes that are not a message are taken for one")
    func messages() {
        var noise = Noise(state: 7)
        for _ in 0..<20_000 {
            let bytes = (0..<(noise.next() % 100)).map { _ in UInt8.random(in: 0...255, using: &noise) }
            bytes.withUnsafeBytes { bytes in
                _ = try? ReplicaMessage(decoding: bytes)
                _ = try? PeerRequest(decoding: bytes)
                _ = try? PeerAnswer(decoding: bytes)
                _ = try? PeerGreeting(decoding: bytes)
                _ = try? PeerGreetingAnswer(decoding: bytes)
                _ = try? CheckpointHead(decoding: bytes)
            }
        }
    }
}
