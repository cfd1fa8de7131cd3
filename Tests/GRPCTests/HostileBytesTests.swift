import GRPC
import GRPCTestSupport
import Testing

/// Random bytes, and valid conversations that something has damaged. Nothing is said about the answers:
/// the session must survive, keep its books, and let go of everything at the end.
@Suite struct HostileBytesTests {
    @Test("10,000 random and mutated byte streams crash nothing and leak nothing")
    func fuzz() {
        let recordings = Self.recordings()
        var random = SplitMix(state: 0x5EED)
        let log = EchoService.Log()
        for round in 0..<10_000 {
            var bytes: [UInt8]
            if round % 10 == 0 {
                bytes = (0..<random.below(2000)).map { _ in UInt8(random.below(256)) }
                if random.below(2) == 0 { bytes = Array(recordings[0].prefix(24)) + bytes }
            } else {
                bytes = recordings[random.below(recordings.count)]
                for _ in 0...random.below(4) { Self.mutate(&bytes, recordings, &random) }
            }
            Self.converse(bytes, log, &random)
            #expect(log.live == 0)
        }
        #expect(log.closed == 10_000)
        #expect(log.opened > 5000, "damaged conversations still get as far as calls")
    }

    @Test("a recorded conversation cut off at any byte leaves nothing behind")
    func cutOff() {
        let log = EchoService.Log()
        var random = SplitMix(state: 1)
        for recording in Self.recordings() {
            for end in 0..<min(recording.count, 1500) {
                Self.converse(Array(recording.prefix(end)), log, &random)
                #expect(log.live == 0)
            }
        }
    }

    /// Feeds the bytes in pieces of random size to a session of its own, taking answers in between.
    private static func converse(_ bytes: [UInt8], _ log: EchoService.Log, _ random: inout SplitMix) {
        weak var weakSession: HTTP2Session?
        do {
            var settings = GRPCSettings()
            settings.maxMessageBytes = 100_000
            settings.maxQueuedBytes = 200_000
            let session = HTTP2Session(settings: settings, service: EchoService(log: log))
            weakSession = session
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = random.below(4) == 0 ? 1 + random.below(20) : 1 + random.below(2000)
                rest.prefix(count).withUnsafeBytes { session.receive($0) }
                rest = rest.dropFirst(count)
                if random.below(3) == 0 {
                    session.receiveComplete()
                    session.fillOutput(limit: 1 << 16)
                    session.clearOutput()
                    session.notifyDrained()
                }
                if random.below(10) == 0 {
                    session.now += Int64(random.below(1_000_000_000))
                    session.onDeadline()
                }
            }
            session.fillOutput(limit: 1 << 20)
            session.close()
            #expect(session.openStreams == 0)
            #expect(session.queuedBytes == 0)
        }
        #expect(weakSession == nil)
    }

    /// What clients of several manners send.
    private static func recordings() -> [[UInt8]] {
        var recordings: [[UInt8]] = []
        func record(_ body: (SessionPair) -> [UInt8]) {
            let pair = SessionPair()
            recordings.append(body(pair))
        }
        record { pair in
            for index in 0..<5 {
                pair.client.request(
                    GRPCWire.fields("/test.Echo/Unary", metadata: [("token", "t\(index)")], timeout: "1S"),
                    body: GRPCWire.frame([1, 2, 3]))
            }
            return pair.run()
        }
        record { pair in
            let id = pair.open("Both")
            var sent = pair.run()
            for size in [0, 1, 100, 500] {
                pair.client.send(id, GRPCWire.frame([UInt8](repeating: 7, count: size)))
                sent += pair.run()
            }
            pair.client.send(id, [], ends: true)
            return sent + pair.run()
        }
        record { pair in
            let silent = pair.open("Silent")
            let large = pair.open("Large")
            pair.client.send(large, GRPCWire.frame(Array("30000".utf8)), ends: true)
            var sent = pair.run()
            pair.client.ping()
            pair.client.reset(silent)
            sent += pair.run()
            let many = pair.open("Many")
            pair.client.send(many, GRPCWire.frame(Array("20".utf8)), ends: true)
            return sent + pair.run()
        }
        record { pair in
            pair.client.request(
                GRPCWire.fields(
                    "/test.Echo/Fail", metadata: [("token", String(repeating: "x", count: 20_000))]),
                body: GRPCWire.frame(Array("no".utf8)))
            pair.client.request(GRPCWire.fields("/test.Nobody/Get"), body: GRPCWire.frame([1]))
            return pair.run()
        }
        return recordings
    }

    private static func mutate(
        _ bytes: inout [UInt8], _ others: [[UInt8]], _ random: inout SplitMix
    ) {
        guard bytes.count > 30 else { return }
        // The preface is left alone, or nothing else would ever be tried.
        let place = 24 + random.below(bytes.count - 24)
        let length = 1 + random.below(min(64, bytes.count - place))
        switch random.below(9) {
        case 0: bytes[place] ^= 1 << UInt8(random.below(8))
        case 1: bytes[place] = UInt8(random.below(256))
        case 2: bytes.removeSubrange(place..<(place + length))
        case 3: bytes.insert(contentsOf: (0..<length).map { _ in UInt8(random.below(256)) }, at: place)
        case 4: bytes.insert(contentsOf: Array(bytes[place..<(place + length)]), at: place)
        case 5: bytes.removeLast(bytes.count - place)
        case 6: bytes.replaceSubrange(place..., with: others[random.below(others.count)].dropFirst(24))
        default: damageFrame(&bytes, &random)
        }
    }

    /// Changes one field of the header of one whole frame, or repeats the frame.
    private static func damageFrame(_ bytes: inout [UInt8], _ random: inout SplitMix) {
        var starts: [Int] = []
        var start = 24
        while start + 9 <= bytes.count {
            starts.append(start)
            start += 9 + (Int(bytes[start]) << 16 | Int(bytes[start + 1]) << 8 | Int(bytes[start + 2]))
        }
        guard !starts.isEmpty else { return }
        let frame = starts[random.below(starts.count)]
        switch random.below(5) {
        case 0: bytes[frame + 2] = UInt8(random.below(256))
        case 1: bytes[frame + 3] = UInt8(random.below(12))
        case 2: bytes[frame + 4] = UInt8(random.below(256))
        case 3: bytes[frame + 8] = UInt8(random.below(20))
        default:
            let end = starts.first { $0 > frame } ?? bytes.count
            bytes.insert(contentsOf: Array(bytes[frame..<end]), at: end)
        }
    }
}

/// Splitmix64: small, and the same numbers for the same seed everywhere.
private struct SplitMix {
    var state: UInt64

    mutating func below(_ bound: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return Int((z ^ (z >> 31)) % UInt64(max(1, bound)))
    }
}
