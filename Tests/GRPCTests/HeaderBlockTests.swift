import GRPCTestSupport
import Testing

@testable import GRPC

/// Metadata of any size is one call's affair.
@Suite struct HeaderBlockTests {
    /// A literal field with its strings as they are; `first` 0x40 has it entered into the table.
    private static func literal(_ name: String, _ value: Int, first: UInt8 = 0) -> [UInt8] {
        [first] + integer(name.utf8.count) + Array(name.utf8) + integer(value)
            + [UInt8](repeating: UInt8(ascii: "v"), count: value)
    }

    private static func integer(_ value: Int) -> [UInt8] {
        guard value >= 127 else { return [UInt8(value)] }
        var (bytes, rest): ([UInt8], Int) = ([127], value - 127)
        while rest >= 128 {
            bytes.append(UInt8(rest % 128 | 128))
            rest /= 128
        }
        return bytes + [UInt8(rest)]
    }

    private static func frame(_ type: UInt8, _ flags: UInt8, _ stream: UInt8, _ payload: [UInt8]) -> [UInt8] {
        let count = payload.count
        return [
            UInt8(count >> 16), UInt8(count >> 8 & 255), UInt8(count & 255), type, flags, 0, 0, 0, stream,
        ]
            + payload
    }

    /// A unary call whose header block has these fields behind the usual ones.
    private static func call(_ stream: UInt8, _ fields: [UInt8], padded: Bool = false) -> [UInt8] {
        var block: [UInt8] = []
        for (name, value) in GRPCWire.fields("/test.Echo/Unary") {
            block += [0] + integer(name.utf8.count) + Array(name.utf8)
            block += integer(value.utf8.count) + Array(value.utf8)
        }
        block += fields
        var bytes: [UInt8] = []
        var start = 0
        while start < block.count {
            let end = min(block.count, start + (padded ? 16_000 : 16_384))
            let flags: UInt8 = end == block.count ? 4 : 0
            if padded, start == 0 {
                // Padding of 200 bytes and a priority, which stand before the block.
                bytes += frame(
                    1, flags | 8 | 32, stream,
                    [200, 0, 0, 0, 0, 9] + block[start..<end] + [UInt8](repeating: 0, count: 200))
            } else {
                bytes += frame(start == 0 ? 1 : 9, flags, stream, Array(block[start..<end]))
            }
            start = end
        }
        return bytes + frame(0, 1, stream, GRPCWire.frame([stream]))
    }

    private static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + frame(4, 0, 0, [])

    private static func session(_ log: EchoService.Log, _ settings: GRPCSettings = GRPCSettings())
        -> HTTP2Session
    {
        HTTP2Session(settings: settings, service: EchoService(log: log))
    }

    private static func feed(_ session: HTTP2Session, _ bytes: [UInt8], step: Int = .max) {
        var rest = bytes[...]
        while !rest.isEmpty {
            rest.prefix(step).withUnsafeBytes { session.receive($0) }
            rest = rest.dropFirst(step)
        }
        session.receiveComplete()
    }

    @Test(
        "a megabyte of metadata harms neither its call nor the others, whether or not it goes into the table",
        arguments: [0, 0x40, 0x10] as [UInt8], [Int.max, 7, 1000])
    func megabyte(first: UInt8, step: Int) {
        let log = EchoService.Log()
        let session = Self.session(log)
        // The table has an entry, which the large field throws out, and then another, which is referred to.
        let before = Self.literal("before", 10, first: 0x40)
        let large = Self.literal("x-large", 1_000_000, first: first)
        let after = Self.literal("after", 10, first: 0x40)
        Self.feed(session, Self.preface + Self.call(1, before), step: step)
        Self.feed(session, Self.call(3, large + after + [0x80 | 62]), step: step)
        Self.feed(session, Self.call(5, [0x80 | 62]), step: step)
        #expect(log.messages == 3)
        // The last call refers to the second entry.
        #expect(log.metadata.map(\.name) == ["after"])
        #expect(!session.isFinished)
        session.close()
    }

    @Test("padding, a priority and many small fields are read as if the block were one frame")
    func manyFields() {
        let log = EchoService.Log()
        let session = Self.session(log)
        let fields = (0..<300).flatMap { Self.literal("name-\($0)", 150, first: 0x40) }
        Self.feed(session, Self.preface + Self.call(1, fields, padded: true), step: 100)
        #expect(log.messages == 1)
        #expect(log.metadata.map(\.name) == (0..<300).map { "name-\($0)" })
        #expect(log.metadata.allSatisfy { $0.value.utf8.count == 150 })
        session.close()
    }

    @Test("metadata beyond the limit is refused, and a block without end costs the connection")
    func limits() {
        var settings = GRPCSettings()
        settings.maxHeaderListBytes = 200_000
        let log = EchoService.Log()
        let session = Self.session(log, settings)
        // The block is below the limit, and what its fields count, 32 bytes more for each, is not.
        let small = (0..<20).flatMap { _ in Self.literal("s", 1) }
        let two = Self.literal("a", 99_000) + Self.literal("b", 99_000) + Self.literal("c", 1500) + small
        Self.feed(session, Self.preface + Self.call(1, two) + Self.call(3, Self.literal("a", 150_000)))
        #expect(log.opened == 1 && log.messages == 1)
        session.fillOutput(limit: 1 << 20)
        session.clearOutput()
        #expect(!session.isFinished)
        Self.feed(session, Self.call(5, Self.literal("a", 300_000)))
        session.fillOutput(limit: 1 << 20)
        #expect(session.isFinished)
        session.close()

        // Frames without a byte are bounded as well.
        let other = Self.session(EchoService.Log(), settings)
        Self.feed(other, Self.preface + Self.frame(1, 0, 1, []))
        for _ in 0..<1000 { Self.feed(other, Self.frame(9, 0, 1, [])) }
        other.fillOutput(limit: 1 << 20)
        #expect(other.isFinished)
        other.close()
    }

    @Test("whatever is cut, changed or split, what goes on is frames that begin and end")
    func fuzz() throws {
        var state: UInt64 = 0x5EED
        func below(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(max(1, bound)))
        }
        let valid =
            Self.preface + Self.call(1, Self.literal("a", 50_000, first: 0x40)) + Self.call(3, [])
            + Self.call(5, (0..<200).flatMap { Self.literal("n\($0)", 100) }, padded: true)
        var passed = 0
        for _ in 0..<2000 {
            var bytes = valid
            for _ in 0..<below(4) {
                let at = 24 + below(bytes.count - 24)
                switch below(3) {
                case 0: bytes[at] = UInt8(below(256))
                case 1: bytes.removeSubrange(at..<min(bytes.count, at + 1 + below(20)))
                default: bytes.insert(UInt8(below(256)), at: at)
                }
                guard bytes.count > 40 else { break }
            }
            var filter = HeaderBlockFilter(limit: 1 << 20)
            var out: [UInt8] = []
            var rest = bytes[...]
            do {
                while !rest.isEmpty {
                    let piece = Array(rest.prefix(1 + below(5000)))
                    rest = rest.dropFirst(piece.count)
                    try piece.withUnsafeBytes { piece in try filter.filter(piece) { bytes, _ in out += bytes }
                    }
                }
                passed += 1
            } catch {}
            // No string that nghttp2 would end the connection for, and no frame above the size that it takes.
            #expect(out.count <= bytes.count + 64 * 4200)
        }
        #expect(passed > 200)
    }
}
