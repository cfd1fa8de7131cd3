import Testing

@testable import WriteAheadLog

/// A client's bytes lie in the log as they are, and a file that is used anew keeps them behind the log's end.
@Suite struct ForgedFrameTests {
    /// A frame as somebody writes it who knows all but the nonce: with an index that no log reaches.
    private func forged(_ layout: FrameLayout) -> [UInt8] {
        let memory = UnsafeMutableRawBufferPointer.allocate(
            byteCount: layout.size(ofPayload: 8), alignment: 8)
        defer { memory.deallocate() }
        memory.initializeMemory(as: UInt8.self, repeating: 0)
        _ = Frame.seal(
            memory.baseAddress!, kind: Frame.Kind.record, payloadBytes: 8, index: .max, batchStart: .max,
            previous: 0, layout: layout)
        return [UInt8](memory)
    }

    /// A log whose segment is used for the third time and was filled with `value` in the second.
    private func leaveBehind(_ value: [UInt8], times: Int, in fixture: LogFixture) throws {
        let log = try fixture.open().log
        for _ in 0..<3 {
            for _ in 0..<times { try log.append(value) }
            try log.synchronize()
            try log.remove(before: log.cut(preamble: [[1]]))
            log.settle()
        }
        try log.append([2])
        log.close()
    }

    @Test("what a client has written does not keep a process from starting")
    func forgedFrames() throws {
        let fixture = LogFixture(segmentBytes: 64 << 10)
        let value = (1...100).flatMap { number in
            forged(.numbered(number)) + forged(.drawn(nonce: number)) + forged(.drawn(nonce: number << 32))
        }
        try leaveBehind(value, times: 6, in: fixture)
        #expect(try fixture.records() == [[1], [2]])
    }

    @Test("a use of a file has a nonce of its own, and takes nothing of the one before for its own")
    func nonces() throws {
        let fixture = LogFixture()
        let log = try fixture.open().log
        var layouts: [FrameLayout] = []
        for _ in 0..<4 {
            layouts.append(log.segment.layout)
            for number in 0..<20 as Range<UInt8> {
                try log.append([UInt8](repeating: number, count: 100))
                try log.synchronize()
            }
            try log.remove(before: log.cut(preamble: []))
            log.settle()
        }
        #expect(Set(layouts).count == 4)
        // Whole frames of the past stand behind the header, in the places where frames begin.
        let bytes = try fixture.directory.bytes(of: LogFileName.segment(5))
        bytes.withUnsafeBytes { bytes in
            let found = layouts.contains { Frame(at: SegmentHeader.bytes, in: bytes, layout: $0) != nil }
            #expect(found)
        }
        #expect(try fixture.records() == [])
    }

    @Test("a start is linear in what it reads, whatever that looks like", .timeLimit(.minutes(1)))
    func pretendedHeaders() throws {
        let fixture = LogFixture(segmentBytes: 16 << 20)
        // Every eighth byte looks like the beginning of a frame of 256 KiB.
        let value = (0..<(64 << 10) / 8).flatMap { _ -> [UInt8] in [0, 0, 4, 0, 1, 2, 0, 0] }
        try leaveBehind(value, times: 250, in: fixture)
        #expect(try fixture.records() == [[1], [2]])
    }
}

/// Directories of the time before segments had a nonce.
@Suite struct EarlierFormatTests {
    /// Writes the first segment of such a log, with a batch for each record and `rest` behind them.
    private func leave(_ records: [[UInt8]], rest: [UInt8] = [], in fixture: LogFixture) throws {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 8)
        defer { memory.deallocate() }
        memory.initializeMemory(as: UInt8.self, repeating: 0)
        let layout = FrameLayout.numbered(1)
        var header = SegmentHeader(
            number: 1, firstRecord: 1, previousCheck: 0, identity: fixture.options.identity, layout: layout)
        header.encode(to: memory.baseAddress!)
        var (position, check) = (SegmentHeader.bytes, header.check)
        for (index, record) in records.enumerated() {
            let base = memory.baseAddress! + position
            UnsafeMutableRawBufferPointer(start: base + layout.headerBytes, count: record.count)
                .copyBytes(from: record)
            check = Frame.seal(
                base, kind: Frame.Kind.record, payloadBytes: record.count, index: UInt32(index),
                batchStart: UInt32(index), previous: check, layout: layout)
            position += layout.size(ofPayload: record.count)
        }
        UnsafeMutableRawBufferPointer(rebasing: memory[position...]).copyBytes(from: rest)
        try fixture.directory.write([UInt8](memory), to: LogFileName.segment(1))
    }

    @Test("an earlier log is opened, goes on as it is, and wants to be cut into a segment of today's")
    func opens() throws {
        let fixture = LogFixture()
        let before = someRecords(30, shortest: 5)
        try leave(before, in: fixture)
        do {
            let (log, found) = try fixture.open()
            #expect(found == before)
            #expect(log.wantsCut)
            try log.append([7, 7])
            try log.synchronize()
        }
        let (log, found) = try fixture.open()
        #expect(found == before + [[7, 7]])
        #expect(try log.cut(preamble: [[8]]) == 2)
        #expect(!log.wantsCut && log.segment.layout.version == 2)
        try log.append([9])
        log.close()
        #expect(try fixture.records() == before + [[7, 7], [8], [9]])
    }

    @Test("a durable record of an earlier log is missed when it is damaged, and a torn one passed over")
    func damage() throws {
        let fixture = LogFixture()
        try leave([[1], [2], [3]], in: fixture)
        var bytes = try fixture.directory.bytes(of: LogFileName.segment(1))
        bytes[SegmentHeader.bytes + 24 + 8 + 24] ^= 1
        try fixture.directory.write(bytes, to: LogFileName.segment(1))
        #expect { try fixture.records() } throws: { ($0 as? WriteAheadLogError)?.code == .damaged }
        try leave([[1], [2]], rest: [UInt8](repeating: 5, count: 100), in: fixture)
        #expect(try fixture.records() == [[1], [2]])
    }

    @Test(
        "an earlier log full of what looks like frames is refused rather than read for hours",
        .timeLimit(.minutes(1)))
    func pretendedHeaders() throws {
        let fixture = LogFixture()
        // Kind and version, then an index and a distance that would be possible here.
        let rest = (0..<(900 << 10) / 16).flatMap { _ -> [UInt8] in
            [0, 0, 4, 0, 1, 1, 0, 0, 100, 0, 0, 0, 0, 0, 0, 0]
        }
        try leave([[1]], rest: rest, in: fixture)
        #expect { try fixture.records() } throws: { ($0 as? WriteAheadLogError)?.code == .damaged }
    }
}
