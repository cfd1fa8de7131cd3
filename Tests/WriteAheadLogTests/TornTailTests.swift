import Testing

@testable import WriteAheadLog

@Suite struct TornTailTests {
    let name = LogFileName.segment(1)

    /// Where each frame of the only segment ends; the first entry is where the header ends.
    private func frameEnds(_ fixture: LogFixture) throws -> [Int] {
        let bytes = try fixture.directory.bytes(of: name)
        return try bytes.withUnsafeBytes { bytes in
            let header = try SegmentHeader(bytes, file: name)
            var ends = [SegmentHeader.bytes]
            while let frame = Frame(at: ends.last!, in: bytes, layout: header.layout) {
                ends.append(frame.end)
            }
            return ends
        }
    }

    @Test("a log cut off at any byte of its last batch keeps every record before the cut")
    func cutAnywhere() throws {
        let fixture = LogFixture()
        let first = someRecords(3, shortest: 10)
        let last = someRecords(3, shortest: 30)
        try fixture.leave([first, last])
        let whole = try fixture.directory.bytes(of: name)
        let ends = try frameEnds(fixture)
        for cut in ends[3]...ends[6] {
            for shortened in [false, true] {
                let rest = shortened ? [] : [UInt8](repeating: 0, count: whole.count - cut)
                try fixture.directory.write(Array(whole[..<cut]) + rest, to: name)
                let (log, records) = try fixture.open()
                let complete = ends.dropFirst().filter { $0 <= cut }.count
                // A frame whose lost end is only padding is complete as well.
                #expect(records == Array((first + last).prefix(records.count)))
                #expect(records.count == complete || records.count == complete + 1)
                // The log goes on behind what it kept.
                try log.append([0xEE])
                try log.synchronize()
                #expect(try fixture.records() == records + [[0xEE]])
            }
        }
    }

    @Test("a batch of which the disk wrote the end but not the beginning is dropped as a whole")
    func outOfOrder() throws {
        let fixture = LogFixture(segmentBytes: 64 << 10)
        let durable = [[UInt8](repeating: 1, count: 50)]
        let torn = someRecords(8, shortest: 1000)
        try fixture.leave([durable, torn])
        let whole = try fixture.directory.bytes(of: name)
        let ends = try frameEnds(fixture)
        for page in stride(from: ends[1] / 512 * 512 + 512, to: ends[9], by: 512) {
            var bytes = whole
            for offset in page..<page + 512 { bytes[offset] = 0 }
            try fixture.directory.write(bytes, to: name)
            let (log, records) = try fixture.open()
            #expect(records.count >= 1 && records == Array((durable + torn).prefix(records.count)))
            #expect(records.count < 9)
            #expect(log.recovery.unfinished?.offset == ends[records.count])
            // What stands behind can neither come back nor look like damage later.
            for _ in 0..<5 {
                try log.append([UInt8](repeating: 3, count: 700))
                try log.synchronize()
            }
            #expect(try fixture.records().count == records.count + 5)
        }
    }

    /// A start writes once more what it cannot know to be durable, together with a frame of its own behind that.
    @Test(
        "a start of which the disk wrote the end but not the beginning shows nothing before it to be durable")
    func startOutOfOrder() throws {
        let fixture = LogFixture(segmentBytes: 64 << 10)
        let durable = [[UInt8](repeating: 1, count: 50)]
        let doubtful = someRecords(4, shortest: 1000)
        try fixture.leave([durable, doubtful])
        let ends = try frameEnds(fixture)
        #expect(try fixture.records() == durable + doubtful)
        var bytes = try fixture.directory.bytes(of: name)
        #expect(try frameEnds(fixture).count == ends.count + 1, "the start has a frame of its own")
        for offset in ends[2] / 512 * 512..<ends[3] / 512 * 512 { bytes[offset] = 0 }
        try fixture.directory.write(bytes, to: name)
        let records = try fixture.records()
        #expect(
            !records.isEmpty && records.count < 4
                && records == Array((durable + doubtful).prefix(records.count)))
    }

    @Test("what an earlier use left behind the last record is neither read nor erased")
    func garbage() throws {
        let fixture = LogFixture()
        try fixture.leave([[[1], [2]]])
        var bytes = try fixture.directory.bytes(of: name)
        let ends = try frameEnds(fixture)
        for offset in ends[2]..<bytes.count { bytes[offset] = UInt8(truncatingIfNeeded: offset &* 31 &+ 7) }
        try fixture.directory.write(bytes, to: name)
        let (log, records) = try fixture.open()
        #expect(records == [[1], [2]])
        #expect(log.recovery.unfinished == nil)
        let rest = ends[2] + FrameLayout.drawn(nonce: 1).size(ofPayload: 8)
        #expect(try fixture.directory.bytes(of: name)[rest...] == bytes[rest...])
        try log.append([3])
        try log.synchronize()
        #expect(try fixture.records() == [[1], [2], [3]])
    }

    @Test("a segment that was being made in a crash is not taken for one")
    func unfinishedSegment() throws {
        let fixture = LogFixture()
        try fixture.leave([[[1]]])
        try fixture.directory.write([1, 2, 3], to: LogFileName.segmentDraft)
        try fixture.directory.write([UInt8](repeating: 5, count: 9000), to: LogFileName.spare(3))
        let (log, records) = try fixture.open()
        #expect(records == [[1]])
        #expect(try log.cut(preamble: [[2]]) == 2)
        #expect(try fixture.records() == [[1], [2]])
    }
}
