import Glibc
import Testing

@testable import WriteAheadLog

@Suite struct DamageTests {
    private func code(_ fixture: LogFixture) -> WriteAheadLogError.Code? {
        do {
            _ = try fixture.records()
            return nil
        } catch {
            return (error as? WriteAheadLogError)?.code
        }
    }

    @Test("every flipped bit of a record that has a durable successor is noticed")
    func everyBit() throws {
        let fixture = LogFixture()
        try fixture.leave([[[1, 2, 3]], someRecords(3, shortest: 9), [[8]]])
        let name = LogFileName.segment(1)
        let whole = try fixture.directory.bytes(of: name)
        // Judged in memory, as opening does, because the file has a hundred thousand bits.
        var end = 0
        try whole.withUnsafeBytes { bytes in
            var walk = SegmentWalk(bytes, header: try SegmentHeader(bytes, file: name), file: name)
            try walk.run { _ in }
            #expect(walk.frames == 5)
            #expect(walk.provenRecords == 4)
            #expect(walk.tail == .clean)
            end = walk.end - walk.header.layout.size(ofPayload: 1)
        }
        for bit in SegmentHeader.bytes * 8..<end * 8 {
            var bytes = whole
            bytes[bit / 8] ^= 1 << (bit % 8)
            let isNoticed = try bytes.withUnsafeBytes { bytes in
                var walk = SegmentWalk(bytes, header: try SegmentHeader(bytes, file: name), file: name)
                try walk.run { _ in }
                guard case .damaged = walk.tail else { return false }
                return walk.frames < 4
            }
            #expect(isNoticed, "bit \(bit)")
        }
        for bit in stride(from: 0, to: SegmentHeader.bytes * 8, by: 13) {
            var bytes = whole
            bytes[bit / 8] ^= 1 << (bit % 8)
            #expect(throws: WriteAheadLogError.self) {
                try bytes.withUnsafeBytes { _ = try SegmentHeader($0, file: name) }
            }
        }
    }

    @Test("damage is refused with the file, the place and what to do")
    func message() throws {
        let fixture = LogFixture()
        try fixture.leave([[[1]], [[2]], [[3]]])
        let name = LogFileName.segment(1)
        var bytes = try fixture.directory.bytes(of: name)
        bytes[SegmentHeader.bytes + 32] ^= 0x10
        try fixture.directory.write(bytes, to: name)
        #expect {
            try fixture.records()
        } throws: { error in
            let error = error as? WriteAheadLogError
            return error?.code == .damaged && error!.message.contains(fixture.directory.path(name))
                && error!.message.contains("byte 4096")
                && error!.message.contains("Put back the data directory as it was")
        }
    }

    @Test("after a clean close even the last record is guarded")
    func sealed() throws {
        let fixture = LogFixture()
        let log = try fixture.open().log
        try log.append([1, 2, 3, 4])
        log.close()
        let name = LogFileName.segment(1)
        var bytes = try fixture.directory.bytes(of: name)
        bytes[SegmentHeader.bytes + 34] ^= 1
        try fixture.directory.write(bytes, to: name)
        #expect(code(fixture) == .damaged)
    }

    @Test("a segment that is followed by another is whole or damaged, never torn")
    func earlierSegment() throws {
        let fixture = LogFixture()
        let log = try fixture.open().log
        try log.append([1])
        try log.append([2])
        _ = try log.cut(preamble: [[3]])
        let name = LogFileName.segment(1)
        let whole = try fixture.directory.bytes(of: name)
        for cut in [SegmentHeader.bytes, SegmentHeader.bytes + 32, SegmentHeader.bytes + 40] {
            try fixture.directory.write(Array(whole[..<cut]), to: name)
            #expect(code(fixture) == .damaged)
        }
        try fixture.directory.write(whole, to: name)
        #expect(try fixture.records() == [[1], [2], [3]])
    }

    @Test("a missing segment is named")
    func missing() throws {
        let fixture = LogFixture()
        let log = try fixture.open().log
        _ = try log.cut(preamble: [])
        _ = try log.cut(preamble: [])
        unlink(fixture.directory.path(LogFileName.segment(2)))
        #expect {
            try fixture.records()
        } throws: { error in
            let error = error as? WriteAheadLogError
            return error?.code == .missingSegment && error!.message.contains(LogFileName.segment(2))
        }
    }

    @Test("a segment of another log, or under another's name, is foreign")
    func foreign() throws {
        var fixture = LogFixture()
        let log = try fixture.open().log
        _ = try log.cut(preamble: [[1]])
        let other = LogFixture()
        try other.leave([[[9]]])
        let second = try fixture.directory.bytes(of: LogFileName.segment(2))
        try fixture.directory.write(
            other.directory.bytes(of: LogFileName.segment(1)), to: LogFileName.segment(2))
        #expect(code(fixture) == .foreign)
        try fixture.directory.write(second, to: LogFileName.segment(2))
        #expect(code(fixture) == nil)
        fixture.options.identity = Array("another member".utf8)
        #expect(code(fixture) == .foreign)
    }

    @Test("a segment of the same log that does not follow what came before is refused")
    func otherHistory() throws {
        let fixture = LogFixture()
        let other = LogFixture()
        for (fixture, record) in [(fixture, [UInt8(1)]), (other, [2])] {
            let log = try fixture.open().log
            try log.append(record)
            _ = try log.cut(preamble: [[3]])
        }
        try fixture.directory.write(
            other.directory.bytes(of: LogFileName.segment(2)), to: LogFileName.segment(2))
        #expect(code(fixture) == .damaged)
    }

    @Test("random bytes for a log neither crash nor are taken for records")
    func randomBytes() throws {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<200 {
            let count = Int.random(in: 0..<12000, using: &generator)
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
            bytes.withUnsafeBytes { bytes in
                #expect(throws: WriteAheadLogError.self) { _ = try SegmentHeader(bytes, file: "") }
                for offset in stride(from: 0, to: bytes.count, by: 8) {
                    #expect(Frame(at: offset, in: bytes, layout: .numbered(1)) == nil)
                    #expect(Frame(at: offset, in: bytes, layout: .drawn(nonce: 1)) == nil)
                }
            }
        }
    }
}
