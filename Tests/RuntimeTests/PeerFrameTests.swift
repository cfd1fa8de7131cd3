import Automata
import Coordination
import Member
import NIOCore
import Paxos
import Replica
import Testing

@testable import Runtime

@Suite("Peer frames")
struct PeerFrameTests {
    private func frames(of bytes: [UInt8], cutAt step: Int, limit: Int = 1 << 20) throws -> [(
        PeerFrameKind, [UInt8]
    )] {
        var reader = PeerFrameReader()
        var found: [(PeerFrameKind, [UInt8])] = []
        var start = 0
        while start < bytes.count {
            let end = min(bytes.count, start + step)
            reader.receive(ByteBuffer(bytes: bytes[start..<end]))
            while try reader.next(limit: limit, { kind, body in found.append((kind, [UInt8](body))) }) {}
            start = end
        }
        return found
    }

    @Test("frames come out as they went in, however the stream is cut")
    func roundTrip() throws {
        let bodies: [[UInt8]] = [[], [1], Array(repeating: 7, count: 5000), [2, 3]]
        let stream = bodies.flatMap { body in PeerFrame.encoded(.replica) { $0 += body } }
        for step in [1, 2, 7, 8, 9, 10, 100, 4096, stream.count] {
            let found = try frames(of: stream, cutAt: step)
            #expect(found.map(\.1) == bodies)
            #expect(found.allSatisfy { $0.0 == .replica })
        }
    }

    @Test("a frame with any bit turned is refused or still incomplete, never misread")
    func damage() throws {
        let body = Array("a message of some length".utf8)
        let frame = PeerFrame.encoded(.request) { $0 += body }
        for position in frame.indices {
            for bit in 0..<8 {
                var damaged = frame
                damaged[position] ^= 1 << bit
                let found = try? frames(of: damaged, cutAt: damaged.count)
                #expect(found?.isEmpty ?? true, "byte \(position), bit \(bit)")
            }
        }
    }

    @Test("a frame longer than the limit is refused before its bytes are awaited")
    func limit() {
        let frame = PeerFrame.encoded(.replica) { $0 += Array(repeating: 0, count: 200) }
        #expect(throws: PeerProtocolError.self) {
            try frames(of: Array(frame.prefix(8)), cutAt: 8, limit: 100)
        }
    }

    @Test("greetings and their answers survive the wire")
    func greetings() throws {
        let greeting = PeerGreeting(
            purpose: .checkpoint, clusterID: .max, sender: ProcessID(1 << 63), receiver: ProcessID(2),
            formation: 7, disk: DiskID(8))
        var bytes: [UInt8] = []
        greeting.encode(into: &bytes)
        #expect(try bytes.withUnsafeBytes { try PeerGreeting(decoding: $0) } == greeting)

        var answer = PeerGreetingAnswer(verdict: .otherCluster, clusterID: 5, member: ProcessID(9))
        answer.formation = 6
        answer.news = .formed(
            Formation(nonce: 6, founders: [.init(ProcessID(9), DiskID(10))]), asking: DiskID(8))
        bytes = []
        answer.encode(into: &bytes)
        #expect(try bytes.withUnsafeBytes { try PeerGreetingAnswer(decoding: $0) } == answer)

        answer.commands = CommandVersions()
        bytes = []
        answer.encode(into: &bytes)
        #expect(try bytes.withUnsafeBytes { try PeerGreetingAnswer(decoding: $0) } == answer)

        // What a peer of another version is told is as long as it was in the first.
        let refusal = PeerGreetingAnswer(verdict: .otherVersion, clusterID: 5, member: ProcessID(9))
        bytes = []
        refusal.encode(into: &bytes)
        #expect(bytes.count == 19)
        #expect(try bytes.withUnsafeBytes { try PeerGreetingAnswer(decoding: $0) } == refusal)
    }

    @Test(
        "both sides of a connection speak the lower of the versions that they know, one of them an earlier program or not"
    )
    func versions() throws {
        let greeting = PeerGreeting(
            purpose: .messages, clusterID: 1, sender: ProcessID(2), receiver: ProcessID(3), formation: 4)
        var bytes: [UInt8] = []
        greeting.encode(into: &bytes)
        #expect(
            try bytes.withUnsafeBytes { try PeerGreeting(decoding: $0) }.latest == PeerGreeting.latestVersion)
        // An earlier program says that there is no disk, leaves its place empty, and reads neither from us.
        let place = bytes.count - 8
        #expect(bytes[place - 1] == 0)
        bytes.replaceSubrange(place..., with: [UInt8](repeating: 0, count: 8))
        #expect(
            try bytes.withUnsafeBytes { try PeerGreeting(decoding: $0) }.latest == PeerGreeting.baseVersion)

        var answer = PeerGreetingAnswer(verdict: .welcome, clusterID: 1, member: ProcessID(3))
        #expect(answer.agreedVersion == PeerGreeting.latestVersion)
        answer.version = 2
        #expect(answer.agreedVersion == 2)
        answer.version = 99
        #expect(answer.agreedVersion == PeerGreeting.latestVersion)
    }

    @Test("requests and answers survive the wire, and no shortened one is taken")
    func requests() throws {
        for question in [LeaseQuestion.renew(LeaseID(-4)), .timeToLive(LeaseID(.max))] {
            let request = PeerRequest(number: 77, question: question)
            var bytes: [UInt8] = []
            request.encode(into: &bytes)
            #expect(try bytes.withUnsafeBytes { try PeerRequest(decoding: $0) } == request)
            for count in bytes.indices {
                #expect(throws: PeerProtocolError.self) {
                    try bytes[..<count].withUnsafeBytes { try PeerRequest(decoding: $0) }
                }
            }
        }
        let contents: [LeaseAnswer] = [
            .renewed(seconds: 60), .timeToLive(remaining: -1, granted: 0), .notLeader,
        ]
        for content in contents {
            let answer = PeerAnswer(number: 1, content: content)
            var bytes: [UInt8] = []
            answer.encode(into: &bytes)
            #expect(try bytes.withUnsafeBytes { try PeerAnswer(decoding: $0) } == answer)
        }
    }
}
